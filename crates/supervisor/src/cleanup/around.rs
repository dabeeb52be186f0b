//! What the settings make of presets: which are on, with which limits, for which users.

use std::path::{Path, PathBuf};

use cleanup::preset::{
    Around, Choice, Folders as Entry, FreeGoal, Platform, Preset, PresetError, RunnerAround, What,
    When, built_in, own, program_of,
};
use host::Folders;
use protocol::{Bytes, Limits, Risk, RunnerName, Volume};

use crate::cleanup_settings::CleanupSettings;
use crate::settings::{RunnerSettings, Settings};

/// A preset with what the owner says of it.
pub(crate) struct Chosen {
    pub(crate) preset: Preset,
    pub(crate) on: bool,
    /// Those that hold.
    pub(crate) limits: cleanup::preset::Limits,
    pub(crate) own: bool,
}

/// All presets there are, and what is wrong with some of the owner's.
pub(crate) fn presets(settings: &CleanupSettings) -> (Vec<Chosen>, Vec<PresetError>) {
    let tables: Vec<toml::Table> =
        settings.preset.iter().filter_map(|preset| toml::Table::try_from(preset).ok()).collect();
    let (owns, bad) = own(&tables);
    let all = built_in().iter().cloned().map(|preset| (preset, false));
    let all = all.chain(owns.into_iter().map(|preset| (preset, true)));
    let chosen = all.map(|(preset, own)| {
        let said = settings.presets.get(&preset.id).copied().unwrap_or_default();
        let limits = ours(said.limits(theirs(preset.limits)));
        Chosen { on: said.on.unwrap_or(preset.default), limits, own, preset }
    });
    (chosen.collect(), bad)
}

impl Chosen {
    pub(crate) fn choice(&self) -> Choice {
        let choice = if self.own {
            Choice::own(self.preset.clone())
        } else {
            Choice::built_in(&self.preset.id)
        };
        Choice { limits: self.limits, ..choice }
    }

    /// Before a task it goes for want of room alone, and only where no other runner has one.
    pub(crate) fn may_make_room(&self) -> bool {
        let is_cache = matches!(self.preset.what, What::Folders(_));
        self.on && self.preset.when == When::IdleOnly && is_cache
    }

    /// It is done before each task; a fresh directory and processes have places of their own there.
    pub(crate) fn is_before_task(&self) -> bool {
        let elsewhere = matches!(self.preset.what, What::Fresh | What::Processes);
        self.on && self.preset.when == When::BeforeTask && !elsewhere
    }

    pub(crate) fn shown(&self) -> protocol::Preset {
        let preset = &self.preset;
        protocol::Preset {
            id: preset.id.clone(),
            title: preset.title.clone(),
            touches: preset.touches.clone(),
            why: preset.why.clone(),
            risk: risk(preset.risk),
            on: self.on,
            on_by_default: preset.default,
            before_task: preset.when == When::BeforeTask,
            limits: theirs(self.limits),
            usual_limits: theirs(preset.limits),
            not_here: self.not_here(&here()),
            own: self.own,
        }
    }

    fn not_here(&self, around: &Around) -> Option<String> {
        if !self.preset.platforms.contains(&around.platform) {
            let other = match around.platform {
                Platform::Linux => "macOS",
                Platform::Macos => "Linux",
            };
            return Some(format!("It is for {other} only."));
        }
        let What::Tool(tool) = &self.preset.what else { return None };
        program_of(around, tool)
            .is_none()
            .then(|| format!("{} is not installed here.", tool.program))
    }
}

/// This process, in which no runner works.
fn here() -> Around {
    let path = std::env::var_os("PATH").unwrap_or_default();
    Around {
        platform: Platform::here(),
        home: std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default(),
        temp: std::env::temp_dir(),
        path: std::env::split_paths(&path).collect(),
        runners: Vec::new(),
        left_over: Vec::new(),
        never_delete: Vec::new(),
        idle: false,
        others: false,
    }
}

pub(crate) fn risk(risk: cleanup::preset::Risk) -> Risk {
    match risk {
        cleanup::preset::Risk::Low => Risk::Low,
        cleanup::preset::Risk::Medium => Risk::Medium,
        cleanup::preset::Risk::High => Risk::High,
    }
}

fn theirs(limits: cleanup::preset::Limits) -> Limits {
    Limits {
        keep_last: limits.keep_last.and_then(|keep| u32::try_from(keep).ok()),
        unused_days: limits.unused_days,
        at_most: limits.at_most_bytes.map(Bytes),
    }
}

fn ours(limits: Limits) -> cleanup::preset::Limits {
    cleanup::preset::Limits {
        keep_last: limits.keep_last.and_then(|keep| usize::try_from(keep).ok()),
        unused_days: limits.unused_days,
        at_most_bytes: limits.at_most.map(|bytes| bytes.0),
    }
}

/// One user's part of a clean-up.
#[derive(Clone)]
pub(crate) struct Party {
    /// None: the owner.
    pub(crate) user: Option<String>,
    pub(crate) around: Around,
    /// Directories of its runners that were named, and nobody else's.
    pub(crate) named: Vec<Entry>,
    /// Where runners of it worked before: what is there goes by name alone.
    pub(crate) left: Vec<RunnerAround>,
}

impl Party {
    /// What it is to do of what was chosen.
    pub(crate) fn choices(&self, chosen: &[Choice]) -> Vec<Choice> {
        let named = (!self.named.is_empty()).then(|| super::plan::as_named(self.named.clone()));
        // There is nothing that a rule could mean then.
        let has_rules = !self.has_runners_no_more();
        chosen.iter().filter(|_| has_rules).cloned().chain(named).collect()
    }

    /// It is a job user's whose runners are all gone.
    pub(crate) fn has_runners_no_more(&self) -> bool {
        self.user.is_some() && self.around.runners.is_empty()
    }

    /// Whether one of the folders is where a runner of it worked before.
    pub(crate) fn left_something_in(&self, folders: &[cleanup::Place]) -> bool {
        let holds = |left: &RunnerAround, folder: &Path| {
            folder.starts_with(&left.work) || folder.starts_with(&left.kept)
        };
        self.left.iter().any(|left| folders.iter().any(|folder| holds(left, folder)))
    }
}

/// The owner's part and that of each job user, with what runners have left that are gone. `runner`: of
/// this one alone.
pub(crate) fn parties(
    settings: &Settings,
    folders: &Folders,
    runner: Option<&RunnerName>,
    idle: bool,
) -> Vec<Party> {
    let mut users: Vec<Option<String>> =
        settings.runners.values().map(|runner| runner.job_user.clone()).collect();
    let mut left = Vec::new();
    if runner.is_none() {
        left = super::left::left(settings, folders);
        users.push(None);
        users.extend(left.iter().map(|it| it.job_user.clone()));
    }
    users.sort();
    users.dedup();
    let party = |user: Option<String>| {
        let of_user = settings.runners.iter().filter(|(name, of)| {
            of.job_user == user && runner.is_none_or(|runner| runner == *name)
        });
        let runners: Vec<RunnerAround> =
            of_user.map(|(name, of)| around_runner(name, of, folders)).collect();
        let concerned = runner.is_none() || !runners.is_empty();
        let of_user = left.iter().filter(|it| it.job_user == user);
        let left = of_user.map(|it| it.around(folders)).collect();
        concerned.then(|| Party {
            user,
            around: around(runners, settings, idle),
            named: Vec::new(),
            left,
        })
    };
    users.into_iter().filter_map(party).collect()
}

/// Home, path and temporary folder are those of the process that cleans up.
pub(crate) fn around(runners: Vec<RunnerAround>, settings: &Settings, idle: bool) -> Around {
    Around {
        path: Vec::new(),
        runners,
        never_delete: settings.cleanup.never_delete.clone(),
        idle,
        others: settings.runners.values().any(|runner| runner.job_user.is_some()),
        ..here()
    }
}

pub(crate) fn around_runner(
    name: &RunnerName,
    settings: &RunnerSettings,
    folders: &Folders,
) -> RunnerAround {
    let work = crate::places::of(name, settings, folders).working_directory;
    RunnerAround {
        name: name.to_string(),
        kept: kept_beside(&work),
        lock: lock_of(name, folders),
        work,
    }
}

/// `W.kept`, beside the working directory `W`.
pub(crate) fn kept_beside(work: &Path) -> PathBuf {
    let mut name = work.file_name().unwrap_or_default().to_owned();
    name.push(".kept");
    work.with_file_name(name)
}

/// The working directory, or where its earlier ones are kept, if something lies there that no task of the
/// runner made. What cannot be read says nothing of itself. Blocking.
pub(crate) fn no_tasks_own(name: &RunnerName, work: &Path, folders: &Folders) -> Option<PathBuf> {
    let has_something =
        |folder: &PathBuf| std::fs::read_dir(folder).is_ok_and(|mut it| it.next().is_some());
    let lock = std::fs::File::open(lock_of(name, folders)).ok();
    let left_by = lock.and_then(|lock| cleanup::left_by(&lock, work));
    let is_tasks = left_by.is_some_and(|name| !cleanup::is_from_before(&name));
    [work.to_owned(), kept_beside(work)].into_iter().find(has_something).filter(|_| !is_tasks)
}

/// A task of the runner holds it while it uses the working directory.
pub(crate) fn lock_of(name: &RunnerName, folders: &Folders) -> PathBuf {
    folders.state.join("work-locks").join(format!("{name}.lock"))
}

/// What shall be free again on each volume that tasks fill, the home among them: as much as has a runner go
/// on, and so much that none stops at the least.
pub(crate) fn goals<'a>(volumes: impl Iterator<Item = &'a Volume>) -> Vec<FreeGoal> {
    let wanted = volumes.filter(|volume| volume.stops_below.0 > 0);
    let goal = |volume: &Volume| FreeGoal {
        path: volume.path.clone().into(),
        wanted: volume.goes_on_above.0,
        least: Some(volume.stops_below.0),
    };
    wanted.map(goal).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_program_that_no_path_leads_to_is_here_where_its_preset_says() {
        let home = tempfile::tempdir().unwrap();
        let around = Around { home: home.path().to_owned(), path: Vec::new(), ..here() };
        let docker = cleanup::preset::find("docker-images", &[]).unwrap();
        let What::Tool(tool) = docker.what.clone() else { panic!("{docker:?}") };
        // Nowhere else, whatever this machine has.
        let tool = cleanup::preset::Tool { also_at: vec!["~/.docker/bin/docker".into()], ..tool };
        let preset = Preset { what: What::Tool(tool), ..docker.clone() };
        let chosen = Chosen { limits: preset.limits, preset, on: true, own: false };
        assert_eq!(chosen.not_here(&around).as_deref(), Some("docker is not installed here."));
        let program = home.path().join(".docker/bin/docker");
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        let file = fs::File::create(&program).unwrap();
        file.set_permissions(fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(chosen.not_here(&around), None);
    }

    #[test]
    fn a_user_whose_runners_are_gone_is_asked_for_what_they_left_alone() {
        let work = Path::new("/srv/old/work");
        let left = RunnerAround {
            name: "old".to_owned(),
            work: work.to_owned(),
            kept: kept_beside(work),
            lock: "/srv/lock".into(),
        };
        let party = Party {
            user: Some("ci".to_owned()),
            around: here(),
            named: Vec::new(),
            left: vec![left],
        };
        assert!(party.has_runners_no_more());
        let left_in = |folder: &str| party.left_something_in(&["/tmp".into(), folder.into()]);
        assert!(left_in("/srv/old/work") && left_in("/srv/old/work.kept"));
        assert!(!left_in("/srv/old") && !left_in("/srv/old/work.kept.more"));
        assert!(!Party { user: None, ..party }.has_runners_no_more(), "the owner's is the owner's");
    }

    #[test]
    fn what_no_task_made_is_told_from_what_tasks_left() {
        let home = tempfile::tempdir().unwrap();
        let (folders, name) = (Folders::below(home.path()), "mini".parse::<RunnerName>().unwrap());
        let work = home.path().join("projects");
        let is_somebodys = || no_tasks_own(&name, &work, &folders).is_some();
        assert!(!is_somebodys(), "it is not there");
        fs::create_dir(&work).unwrap();
        assert!(!is_somebodys(), "it is empty");
        fs::create_dir_all(work.join("mine")).unwrap();
        assert!(is_somebodys());
        let lock = lock_of(&name, &folders);
        fs::create_dir_all(lock.parent().unwrap()).unwrap();
        let lock = fs::File::create_new(&lock).unwrap();
        for (note, of, expected) in
            [("run.1", home.path(), true), ("before-run.1", &*work, true), ("run.1", &*work, false)]
        {
            cleanup::note(&lock, of, note).unwrap();
            assert_eq!(is_somebodys(), expected, "{note} {}", of.display());
        }
        cleanup::note(&lock, home.path(), "run.1").unwrap();
        fs::rename(&work, kept_beside(&work)).unwrap();
        // It would be taken for what tasks left.
        assert_eq!(no_tasks_own(&name, &work, &folders), Some(kept_beside(&work)));
    }
}
