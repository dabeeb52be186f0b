//! What a power cut can leave of the state: a copy of the folder at each step of each write must load,
//! with what was wanted before or after and nothing in between.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use cleanup::work::TaskCleanUp;
use host::Folders;
use jiff::Timestamp;
use proptest::prelude::*;
use protocol::{
    FinishedTask, PauseBy, PauseReason, RunnerName, RunnerSpec, TaskId, TaskResult, TokenStore,
};
use supervisor_core::{StateFile, Wanted};
use tempfile::TempDir;

use crate::history::{Asked, History, page};
use crate::input::Registered;
use crate::rotate::Record;
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
        if entry.path().is_file() {
            fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
        }
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

/// What `file` holds is written anew by the product's own code, `write`. It writes beside the file and
/// then gives it its name, so a power cut leaves the old file with a part beside it, or the new one:
/// each is shown to `loads`, with true where it is the new one.
fn cut_anywhere(file: &Path, write: impl FnOnce(), mut loads: impl FnMut(&Path, bool)) {
    let name = file.file_name().unwrap();
    let before = copy(file.parent().unwrap());
    write();
    let after = copy(file.parent().unwrap());
    loads(&after.path().join(name), true);
    let beside = format!("{}.new", name.to_str().unwrap());
    for torn in torn(&fs::read(file).unwrap()) {
        let then = copy(before.path());
        put(&then.path().join(&beside), &torn);
        loads(&then.path().join(name), false);
    }
    // And nothing else is touched: what a power cut leaves can be told from these alone.
    let names = |folder: &Path| {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        entries.filter(|known| known != name).collect::<BTreeSet<_>>()
    };
    assert_eq!(names(before.path()), names(after.path()));
}

#[test]
fn the_settings_are_the_old_or_the_new_at_each_step_and_can_be_saved_again() {
    let name: RunnerName = "mini".parse().unwrap();
    let spec = |class: &str| RunnerSpec {
        resource_class: class.parse().unwrap(),
        working_directory: None,
        api_url: None,
        releases_url: None,
        job_user: None,
        token_store: None,
    };
    let save = |path: &Path, class: &str| {
        let mut settings = Settings::read(path).unwrap();
        settings.set(&name, &spec(class));
        settings.save().unwrap();
    };
    let class = |path: &Path| {
        let settings = Settings::read(path).unwrap();
        settings.runners.get(&name).map(|runner| runner.resource_class.to_string())
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let mut old = None;
    // The first time there is no file yet.
    for new in ["acme/first", "acme/second", "acme/a-third-that-is-longer"] {
        cut_anywhere(
            &path,
            || save(&path, new),
            |then, is_new| {
                assert_eq!(class(then).as_deref(), if is_new { Some(new) } else { old });
                save(then, "acme/again");
                assert_eq!(class(then).as_deref(), Some("acme/again"));
            },
        );
        old = Some(new);
    }
}

#[test]
fn a_rotation_is_at_the_step_before_or_after_at_each_step_and_goes_on() {
    let runner: RunnerName = "mini".parse().unwrap();
    let home = tempfile::tempdir().unwrap();
    let folders = Folders::below(home.path());
    folders.ensure().unwrap();
    let known = Registered {
        token_store: TokenStore::File,
        token_copy: None,
        resource_class: "acme/linux".parse().unwrap(),
        api_url: "https://x.example".into(),
        releases_url: String::new(),
        working_directory: "/w".into(),
        token_number: 3,
        token_id: Some("t-1".into()),
    };
    let begun = Record::new(&known, "n".into(), vec!["t-1".into()], Timestamp::UNIX_EPOCH);
    let mut created = begun.clone();
    created.new = Some("t-2".into());
    let mut old = None;
    for new in [&begun, &created] {
        let file = folders.state.join("rotation-mini.json");
        cut_anywhere(
            &file,
            || new.save(&folders, &runner).unwrap(),
            |then, is_new| {
                let home = tempfile::tempdir().unwrap();
                let there = Folders::below(home.path());
                there.ensure().unwrap();
                for entry in fs::read_dir(then.parent().unwrap()).unwrap() {
                    let entry = entry.unwrap();
                    fs::copy(entry.path(), there.state.join(entry.file_name())).unwrap();
                }
                let read = Record::read(&there, &runner).unwrap();
                assert_eq!(read.as_ref(), if is_new { Some(new) } else { old });
                created.save(&there, &runner).unwrap();
                assert_eq!(Record::read(&there, &runner).unwrap().as_ref(), Some(&created));
            },
        );
        old = Some(new);
    }
    // Removing it is one step: it is there, or it is not.
    Record::remove(&folders, &runner).unwrap();
    assert_eq!(Record::read(&folders, &runner).unwrap(), None);
}

#[test]
fn what_is_done_before_tasks_is_the_old_or_the_new_at_each_step() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_dir::RunDir::at(folder.path().join("20261123T181047.123Z-4f2a9c"));
    fs::create_dir(run.path()).unwrap();
    let plan = |within_seconds| TaskCleanUp {
        version: cleanup::work::VERSION,
        within_seconds,
        fail_task: false,
        end_left_overs: true,
        lock: folder.path().join("locks/mini").as_path().into(),
        before: None,
    };
    let mut old = None;
    for new in [30, 300_000] {
        cut_anywhere(
            &run.clean_up(),
            || crate::cleanup::write(&run, &plan(new)).unwrap(),
            |then, is_new| {
                let read = fs::read(then).ok();
                let read = read.map(|text| serde_json::from_slice::<TaskCleanUp>(&text).unwrap());
                assert_eq!(read.map(|it| it.within_seconds), if is_new { Some(new) } else { old });
            },
        );
        old = Some(new);
    }
}

#[test]
fn a_clean_up_that_begins_is_known_or_not_at_each_step() {
    let home = tempfile::tempdir().unwrap();
    let folders = Folders::below(home.path());
    folders.ensure().unwrap();
    let begun = |seconds| protocol::CleanupReceipt {
        seconds,
        ..crate::cleanup::empty_receipt(Timestamp::UNIX_EPOCH)
    };
    let mut old = None;
    for new in [begun(1), begun(1_000_000)] {
        cut_anywhere(
            &folders.state.join("clean-up-begun.json"),
            || crate::cleanup::save_begun(&folders, &new).unwrap(),
            |then, is_new| {
                let there = tempfile::tempdir().unwrap();
                let of_then = Folders::below(there.path());
                of_then.ensure().unwrap();
                let name = then.file_name().unwrap();
                let _ = fs::copy(then, of_then.state.join(name));
                let read = crate::cleanup::read_begun(&of_then);
                assert_eq!(read.as_ref(), if is_new { Some(&new) } else { old.as_ref() });
            },
        );
        old = Some(new);
    }
}

#[test]
fn an_installation_is_at_the_step_before_or_after_at_each_step() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("record.json");
    let record = |taken_up| {
        let (at, rights) = (Timestamp::UNIX_EPOCH, preinstall::Rights::Root);
        let (steps, items, rest) = (Vec::new(), Vec::new(), (Vec::new(), Vec::new()));
        let new = preinstall::Record::new("1".into(), at, None, rights, steps, items, rest);
        preinstall::Record { taken_up, ..new }
    };
    let mut old = None;
    for new in [record(0), record(1_000_000)] {
        cut_anywhere(
            &file,
            || crate::preinstall::save(&file, &new).unwrap(),
            |then, is_new| {
                let read = fs::read(then).ok();
                let read = read.map(|text| preinstall::Record::read(&text).unwrap());
                assert_eq!(read.as_ref(), if is_new { Some(&new) } else { old.as_ref() });
            },
        );
        old = Some(new);
    }
}

/// What a power cut left of a copy of the keeper, whatever its name, is not started but made anew.
#[test]
fn a_torn_copy_of_the_keeper_is_replaced_by_a_whole_one() {
    let bytes: Vec<u8> = b"#!/bin/sh\nexit 7\n".iter().copied().chain([b'#'; 5000]).collect();
    let folder = tempfile::tempdir().unwrap();
    let copy = crate::helpers::copy_of(&bytes, folder.path()).unwrap();
    let is_whole = || {
        let mode = fs::metadata(&copy).unwrap().permissions().mode();
        assert_eq!((fs::read(&copy).unwrap() == bytes, mode & 0o777), (true, 0o755));
        assert_eq!(std::process::Command::new(&copy).status().unwrap().code(), Some(7));
    };
    is_whole();
    for torn in torn(&bytes) {
        for (name, mode) in [("runner-tray-keeper", 0o755), ("runner-tray-keeper.new", 0o600)] {
            let file = copy.with_file_name(name);
            put(&file, &torn);
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            assert_eq!(crate::helpers::copy_of(&bytes, folder.path()).unwrap(), copy);
            is_whole();
        }
    }
    // Its bytes came to the disk, and that they are a program did not.
    fs::set_permissions(&copy, Permissions::from_mode(0o600)).unwrap();
    crate::helpers::copy_of(&bytes, folder.path()).unwrap();
    is_whole();
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
        directory: None,
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
    let journal = folder.path().join("history.sqlite-wal");
    let length = |file: &Path| usize::try_from(fs::metadata(file).unwrap().len()).unwrap();
    // In the file itself: closed, it has taken in its journal.
    let history = History::open(&path).unwrap();
    for number in 1..4 {
        history.record(&task(number)).unwrap();
    }
    drop(history);
    assert!(!journal.exists());

    let history = History::open(&path).unwrap();
    // How long the journal was when so many were recorded.
    let mut known = vec![(0, 3)];
    for number in 4..8 {
        history.record(&task(number)).unwrap();
        let there = usize::try_from(number).unwrap();
        known.push((length(&journal), there));
        assert_eq!(recorded(copy(folder.path()).path()), there);
        // The index of the journal is not made durable: it is made anew.
        let then = copy(folder.path());
        fs::remove_file(then.path().join("history.sqlite-shm")).unwrap();
        assert_eq!(recorded(then.path()), there);
    }
    // A journal that is shorter by some of what came last, or has zeros in its stead.
    let whole = fs::read(&journal).unwrap();
    for (cut, zeros) in (0..=whole.len()).step_by(509).flat_map(|cut| [(cut, false), (cut, true)]) {
        let mut torn = whole[..cut].to_vec();
        torn.resize(if zeros { whole.len() } else { cut }, 0);
        let then = copy(folder.path());
        fs::remove_file(then.path().join("history.sqlite-shm")).unwrap();
        put(&then.path().join("history.sqlite-wal"), &torn);
        let durable = known.iter().rev().find(|(length, _)| *length <= cut).unwrap().1;
        assert_eq!(recorded(then.path()), durable, "{cut} bytes, zeros: {zeros}");
    }
    assert_eq!(known.len(), 5, "several lengths were told apart: {known:?}");
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
