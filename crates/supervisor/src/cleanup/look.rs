//! Looks at the working directories, and measures those that were not.

use cleanup::work::{Said, Work};
use host::Folders;
use protocol::{RunnerName, WorkDirKind, WorkDirs};
use supervisor_core::Event;
use tokio::sync::watch;

use super::work_dirs::{self, Measured, Sizes};
use crate::input::{Input, Reply};
use crate::supervisor::Supervisor;

impl Supervisor {
    /// After a task; while none runs what it left is measured, so that the tray can say how much that is.
    pub(crate) fn look_at_work_dirs(&mut self) {
        let measure = !self.runs_task() && self.cleaning.running.is_none();
        self.work_dirs(None, measure, None);
    }

    /// Looks for the working directories, measures those that were not if asked to, and tells.
    pub(crate) fn work_dirs(
        &mut self,
        runner: Option<&RunnerName>,
        measure: bool,
        reply: Option<Reply<WorkDirs>>,
    ) {
        let parties = match self.parties(runner) {
            Ok(parties) => parties,
            Err(refused) => {
                if let Some(reply) = reply {
                    let _ = reply.send(Err(refused));
                }
                return;
            }
        };
        let busy: Vec<RunnerName> = self
            .core
            .snapshot()
            .runners
            .iter()
            .filter(|runner| runner.task.is_some())
            .map(|runner| runner.name.clone())
            .collect();
        let (sizes, folders, to_loop) =
            (self.cleaning.sizes.clone(), self.folders.clone(), self.to_loop.clone());
        let (history, volumes) =
            (self.folders.history_file(), self.core.snapshot().volumes.clone());
        let (all, of_jobs) = (runner.is_none(), reply.is_some());
        tokio::spawn(async move {
            let learnt = history.clone();
            let listed = tokio::task::spawn_blocking(move || {
                // Without the history they are only not shown.
                let chosen = crate::history::chosen(&learnt).unwrap_or_default();
                work_dirs::list(&parties, &chosen)
            });
            let listed = listed.await.unwrap_or_default();
            let mut sizes: Sizes = sizes
                .into_iter()
                .filter(|(key, _)| !all || listed.iter().any(|it| it.key() == *key))
                .collect();
            if measure {
                measure_all(&listed, &busy, of_jobs, &folders, &mut sizes).await;
            }
            let measured = sizes.clone();
            let shown = tokio::task::spawn_blocking(move || {
                let task_of =
                    |id: &protocol::TaskId| crate::history::task(&history, id).ok().flatten();
                let mut shown: Vec<protocol::WorkDir> = listed
                    .iter()
                    .map(|folder| folder.shown(&sizes, task_of, busy.contains(&folder.runner)))
                    .collect();
                work_dirs::sort(&mut shown);
                shown
            });
            let directories = shown.await.unwrap_or_default();
            if all {
                to_loop.send(Input::WorkDirsSeen(directories.clone(), measured));
            }
            if let Some(reply) = reply {
                let _ = reply.send(Ok(WorkDirs { directories, volumes }));
            }
        });
    }

    pub(crate) fn work_dirs_seen(&mut self, directories: &[protocol::WorkDir], sizes: Sizes) {
        self.cleaning.sizes = sizes;
        self.event(Event::WorkDirsSeen(work_dirs::short(directories)));
    }
}

/// As the user whose they are. The one in use changes; it is measured anew each time. What jobs chose may be
/// anything: it is measured where somebody asks, and is not all of a disk or a home.
async fn measure_all(
    listed: &[super::Folder],
    busy: &[RunnerName],
    of_jobs: bool,
    folders: &Folders,
    sizes: &mut Sizes,
) {
    let changes =
        |folder: &super::Folder| matches!(folder.kind, WorkDirKind::Current | WorkDirKind::Chosen);
    let mut users: Vec<Option<String>> = listed.iter().map(|folder| folder.user.clone()).collect();
    users.sort();
    users.dedup();
    for user in users {
        let unknown: Vec<&super::Folder> = listed
            .iter()
            .filter(|folder| folder.user == user)
            .filter(|folder| changes(folder) || !sizes.contains_key(&folder.key()))
            .filter(|folder| {
                folder.kind != WorkDirKind::Chosen
                    || of_jobs && cleanup::Root::given(&folder.path).is_ok()
            })
            .filter(|folder| !(changes(folder) && busy.contains(&folder.runner)))
            .collect();
        if unknown.is_empty() {
            continue;
        }
        let work = Work::Measure {
            folders: unknown.iter().map(|folder| folder.path.as_path().into()).collect(),
        };
        let (_keep, stop) = watch::channel(false);
        let said = super::helper::ask(folders, user.as_deref(), work, stop, |_, _| {}).await;
        let Ok(Said::Measured { sizes: measured }) = said else { continue };
        for (folder, measured) in unknown.iter().zip(measured) {
            if let Ok(size) = measured.size {
                let of = Measured { bytes: size.bytes, files: size.files, used: size.used };
                sizes.insert(folder.key(), of);
            }
        }
    }
}
