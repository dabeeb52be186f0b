//! What a power cut can leave of the state: a copy of the folder at each step of each write must load,
//! with what was wanted before or after and nothing in between.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use proptest::prelude::*;
use protocol::{FinishedTask, PauseBy, PauseReason, TaskId, TaskResult};
use supervisor_core::{StateFile, Wanted};
use tempfile::TempDir;

use crate::history::{Asked, History, page};
use crate::settings::Settings;
use crate::wanted_file::WantedFile;

fn put(path: &Path, bytes: &[u8]) {
    run_dir::write_atomically(path, bytes).unwrap();
}

/// The folder as it was at one moment, elsewhere.
fn copy(from: &Path) -> TempDir {
    let to = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
    }
    to
}

/// What may be on disk of bytes that were being written: a part, and nothing or zeros for the rest.
fn torn(whole: &[u8]) -> Vec<Vec<u8>> {
    let step = (whole.len() / 40).max(1);
    let cuts = (0..=whole.len()).step_by(step);
    cuts.flat_map(|cut| {
        let mut zeros = whole.to_vec();
        zeros[cut..].fill(0);
        [whole[..cut].to_vec(), zeros]
    })
    .collect()
}

fn wanted(pauses: usize) -> Wanted {
    let reason = |note: usize| PauseReason {
        by: PauseBy::You,
        since: Timestamp::UNIX_EPOCH,
        until: None,
        note: Some(format!("note {note}")),
        reading: None,
    };
    let mut wanted = Wanted::default();
    if pauses > 0 {
        let wants = wanted.runners.entry("mini".parse().unwrap()).or_default();
        wants.pauses = (0..pauses).map(reason).collect();
    }
    wanted
}

#[track_caller]
fn loads(folder: &Path) -> Wanted {
    match WantedFile::open(&folder.join("wanted.json"), Timestamp::UNIX_EPOCH) {
        (mut file, StateFile::Read(wanted)) => {
            // And it can be written to again.
            file.save(&wanted).unwrap();
            wanted
        }
        (_, StateFile::Kept(problem)) => panic!("{problem:?}"),
    }
}

#[test]
fn what_is_wanted_is_the_old_or_the_new_at_each_step() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(loads(folder.path()), wanted(0));
    let path = folder.path().join("wanted.json");
    let (mut file, _) = WantedFile::open(&path, Timestamp::UNIX_EPOCH);
    for pauses in 1..5 {
        let before = copy(folder.path());
        file.save(&wanted(pauses)).unwrap();
        let after = fs::read(&path).unwrap();
        assert_eq!(loads(copy(folder.path()).path()), wanted(pauses));
        // The new one is written beside the old one, then they change names.
        for torn in torn(&after) {
            let then = copy(before.path());
            put(&then.path().join("wanted.json.spare"), &torn);
            assert_eq!(loads(then.path()), wanted(pauses - 1));
        }
        // Where names cannot be changed: the old one is gone, and there is no spare yet.
        let then = copy(folder.path());
        fs::remove_file(then.path().join("wanted.json.spare")).unwrap();
        assert_eq!(loads(then.path()), wanted(pauses));
    }
}

#[test]
fn the_settings_are_the_old_or_the_new_at_each_step() {
    let text = |class: &str| format!("[[runner]]\nname = \"mini\"\nresource_class = \"{class}\"\n");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    put(&path, text("acme/old").as_bytes());
    for torn in torn(text("acme/new").as_bytes()) {
        fs::copy(&path, folder.path().join("before")).unwrap();
        put(&folder.path().join("beside"), &torn);
        fs::rename(folder.path().join("beside"), folder.path().join("settings.toml.new")).unwrap();
        let settings = Settings::read(&path).unwrap();
        let class = &settings.runners[&"mini".parse().unwrap()].resource_class;
        assert_eq!(class.as_str(), "acme/old");
    }
    put(&path, text("acme/new").as_bytes());
    let settings = Settings::read(&path).unwrap();
    assert_eq!(settings.runners[&"mini".parse().unwrap()].resource_class.as_str(), "acme/new");
}

fn task(number: u32) -> FinishedTask {
    let at = Timestamp::from_second(i64::from(number)).unwrap();
    FinishedTask {
        id: TaskId::from(format!("run.{number}").as_str()),
        runner: "mini".parse().unwrap(),
        project: None,
        branch: None,
        job: None,
        build_number: None,
        link: None,
        started_at: at,
        finished_at: at,
        result: TaskResult::Succeeded,
    }
}

fn recorded(folder: &Path) -> usize {
    let history = History::open(&folder.join("history.sqlite")).unwrap();
    // And it takes another one.
    history.record(&task(1000)).unwrap();
    let asked = Asked { limit: Some(500), ..Asked::default() };
    page(&folder.join("history.sqlite"), &asked).unwrap().tasks.len() - 1
}

#[test]
fn the_history_has_what_was_recorded_at_each_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.sqlite");
    let history = History::open(&path).unwrap();
    for number in 1..8 {
        history.record(&task(number)).unwrap();
        let there = usize::try_from(number).unwrap();
        assert_eq!(recorded(copy(folder.path()).path()), there);
        // The index of the journal is not made durable: it is made anew.
        let then = copy(folder.path());
        fs::remove_file(then.path().join("history.sqlite-shm")).unwrap();
        assert_eq!(recorded(then.path()), there);
        let journal = fs::read(folder.path().join("history.sqlite-wal")).unwrap();
        for torn in torn(&journal) {
            let then = copy(folder.path());
            let _ = fs::remove_file(then.path().join("history.sqlite-shm"));
            put(&then.path().join("history.sqlite-wal"), &torn);
            assert!(recorded(then.path()) <= there);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_in_wanted_are_read_or_kept_and_never_written_over(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "\\{\"version\":-?[0-9]{1,12}(\\.[0-9])?(,\"[a-z]{0,8}\":(\\{\\}|\\[\\]|[0-9]{1,20}|\"x\")){0,3}\\}"
                .prop_map(String::into_bytes),
        ],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wanted.json");
        put(&path, &bytes);
        let (mut file, state) = WantedFile::open(&path, Timestamp::UNIX_EPOCH);
        if let StateFile::Kept(problem) = state {
            prop_assert!(problem.reading.is_some_and(|reading| reading.contains("wanted.json")));
            prop_assert!(file.save(&wanted(1)).is_err());
            prop_assert_eq!(fs::read(&path).unwrap(), bytes);
        }
    }

    #[test]
    fn any_bytes_in_the_settings_are_read_or_refused_and_left_alone(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "(\\[\\[runner\\]\\]\n|name = \"[a-z./]{0,4}\"\n|resource_class = \"a/b\"\n|max_run_time = \"[0-9hms]{0,6}\"\n|log_limit = -?[0-9]{1,25}\n|[a-z]{1,3} = [0-9\\[\\]{}\"'.]{0,8}\n){0,10}"
                .prop_map(String::into_bytes),
        ],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        put(&path, &bytes);
        if let Err(error) = Settings::read(&path) {
            let words = error.to_string();
            prop_assert!(words.contains("settings.toml") && words.len() < 4096, "{words}");
        }
        prop_assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}
