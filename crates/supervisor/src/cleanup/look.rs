//! Looks at the working directories, and measures those that were not. For whoever waits for it that is
//! told and can be stopped, as a clean-up is; it keeps none from beginning.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cleanup::work::{Said, Work};
use host::Folders;
use protocol::{
    Bytes, CleanupRuns, CleanupStage, CleanupWhy, RunnerName, WorkDirKind, WorkDirUse, WorkDirs,
};
use supervisor_core::Event;
use tokio::sync::watch;

use super::run::use_of;
use super::work_dirs::{self, Measured, Sizes};
use crate::earlier_users;
use crate::input::{Input, Loop, Reply};
use crate::supervisor::{Supervisor, now};

const TELL_EVERY: Duration = Duration::from_millis(500);

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
        let runners = &self.core.snapshot().runners;
        let used = runners.iter().map(|runner| (runner.name.clone(), use_of(runner)));
        let busy: BTreeMap<RunnerName, WorkDirUse> =
            used.filter(|(_, used)| *used != WorkDirUse::Free).collect();
        let (sizes, folders, to_loop) =
            (self.cleaning.sizes.clone(), self.folders.clone(), self.to_loop.clone());
        let (history, volumes) =
            (self.folders.history_file(), self.core.snapshot().volumes.clone());
        let (all, shared) = (runner.is_none(), self.folders.shared());
        let of = runner.cloned();
        let told = (measure && reply.is_some()).then(|| {
            let (stop, told) = watch::channel(false);
            self.cleaning.measuring.push(stop);
            let begun = CleanupRuns {
                why: CleanupWhy::You,
                stage: CleanupStage::Measuring,
                since: now(),
                entries: 0,
                bytes: Bytes(0),
                of: None,
            };
            (told, Telling { to_loop: to_loop.clone(), runs: begun, told_at: None })
        });
        tokio::spawn(async move {
            let learnt = history.clone();
            let listed = tokio::task::spawn_blocking(move || {
                // Without the history they are only not shown.
                let chosen = crate::history::chosen(&learnt).unwrap_or_default();
                let mut earlier = earlier_users::places(&shared);
                earlier.retain(|(runner, _)| of.as_ref().is_none_or(|of| of == runner));
                work_dirs::list(&parties, &chosen, earlier)
            });
            let listed = listed.await.unwrap_or_default();
            let mut sizes: Sizes = sizes
                .into_iter()
                .filter(|(key, _)| !all || listed.iter().any(|it| it.key() == *key))
                .collect();
            match told {
                // Whoever waits wants to know of the one that a task works in, too.
                Some((stop, mut telling)) => {
                    measure_all(
                        &listed,
                        &BTreeMap::new(),
                        &folders,
                        &mut sizes,
                        stop,
                        Some(&mut telling),
                    )
                    .await;
                    to_loop.send(Input::WorkDirsMeasured);
                }
                None if measure => {
                    let (_keep, stop) = watch::channel(false);
                    measure_all(&listed, &busy, &folders, &mut sizes, stop, None).await;
                }
                None => {}
            }
            let measured = sizes.clone();
            let shown = tokio::task::spawn_blocking(move || {
                let task_of =
                    |id: &protocol::TaskId| crate::history::task(&history, id).ok().flatten();
                let mut shown: Vec<protocol::WorkDir> = listed
                    .iter()
                    .map(|folder| {
                        let used = busy.get(&folder.runner).copied().unwrap_or(WorkDirUse::Free);
                        folder.shown(&sizes, task_of, used)
                    })
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

    pub(crate) fn work_dirs_measuring(&mut self, runs: CleanupRuns) {
        // A clean-up tells of itself.
        if self.cleaning.running.is_none() && !self.cleaning.measuring.is_empty() {
            self.event(Event::CleanupAdvanced(runs));
        }
    }

    pub(crate) fn work_dirs_measured(&mut self) {
        self.cleaning.measuring.retain(|stop| !stop.is_closed());
        if self.cleaning.running.is_none() && self.cleaning.measuring.is_empty() {
            self.event(Event::MeasuringEnded);
        }
    }
}

/// How far it is, for clients.
struct Telling {
    to_loop: Loop,
    runs: CleanupRuns,
    told_at: Option<Instant>,
}

impl Telling {
    /// So much more of what is measured now.
    fn advanced(&mut self, entries: u64, bytes: u64) {
        if self.told_at.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
            self.told_at = Some(Instant::now());
            let bytes = Bytes(self.runs.bytes.0 + bytes);
            let runs = CleanupRuns { entries: self.runs.entries + entries, bytes, ..self.runs };
            self.to_loop.send(Input::WorkDirsMeasuring(runs));
        }
    }
}

/// As the user whose they are. The one in use changes; it is measured anew each time. What jobs chose may be
/// anything: it is measured where somebody asks, and is not all of a disk or a home.
async fn measure_all(
    listed: &[super::Folder],
    busy: &BTreeMap<RunnerName, WorkDirUse>,
    folders: &Folders,
    sizes: &mut Sizes,
    stop: watch::Receiver<bool>,
    mut telling: Option<&mut Telling>,
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
                let is_ours = folder.kind != WorkDirKind::Chosen && !folder.of_earlier_user;
                let is_given = || cleanup::Root::given(&folder.path).is_ok();
                is_ours || telling.is_some() && (folder.of_earlier_user || is_given())
            })
            .filter(|folder| !(changes(folder) && busy.contains_key(&folder.runner)))
            .collect();
        if unknown.is_empty() || *stop.borrow() {
            continue;
        }
        let work = Work::Measure {
            folders: unknown.iter().map(|folder| folder.path.as_path().into()).collect(),
        };
        let told = |entries, bytes| {
            if let Some(telling) = telling.as_deref_mut() {
                telling.advanced(entries, bytes);
            }
        };
        let said = super::helper::ask(folders, user.as_deref(), work, stop.clone(), told).await;
        let Ok(Said::Measured { sizes: measured }) = said else { continue };
        for (folder, measured) in unknown.iter().zip(measured) {
            // Of one that was stopped a part is no size, nor is what an earlier user lets others see.
            let is_all = |size: &cleanup::Size| {
                size.complete && !(folder.of_earlier_user && size.unreadable > 0)
            };
            if let Some(size) = measured.size.ok().filter(is_all) {
                let of = Measured { bytes: size.bytes, files: size.files, used: size.used };
                sizes.insert(folder.key(), of);
            }
        }
        if let Some(telling) = telling.as_deref_mut() {
            let measured = unknown.iter().filter_map(|folder| sizes.get(&folder.key()));
            let (files, bytes) =
                measured.fold((0, 0), |(n, sum), it| (n + it.files, sum + it.bytes));
            telling.runs.entries += files;
            telling.runs.bytes.0 += bytes;
        }
    }
}
