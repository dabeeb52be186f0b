//! What was set aside, ten minutes later: it goes, by whom it was and whatever became of the rule, and who
//! asks for something else meanwhile does not wait.

use std::fs;
use std::path::Path;

use protocol::{CleanupReceipt, CleanupReceipts, Presets, ProblemCode, RunnerState};
use trials::{DEADLINE, Options, RUNNER, Rig, SetClock, until, until_some};

use crate::{TRASH, is_told_of_a_failure, json, kept, names, runs, until_recorded};

/// So much later, as a supervisor sees it that begins then.
fn later(rig: &mut Rig, clock: &SetClock, to: &str) {
    later_with(rig, clock, to, &Options::default());
}

fn later_with(rig: &mut Rig, clock: &SetClock, to: &str, options: &Options<'_>) {
    rig.kill_supervisor();
    clock.set(to);
    rig.start_supervisor(options);
    rig.until_state(RunnerState::Idle);
}

/// The name of the one directory that an earlier task has left.
fn one_is_kept(rig: &Rig) -> String {
    for name in ["one", "two"] {
        runs(rig, name);
    }
    until_recorded(rig, 2);
    names(&kept(rig)).remove(0)
}

#[test]
fn what_fails_ten_minutes_after_a_clean_up_by_hand_is_on_its_receipt_and_told() {
    let Some((clock, mut rig)) = Rig::with_clock(&Options::default()) else { return };
    let one = one_is_kept(&rig);
    let Some(_mark) = Immutable::of(&kept(&rig).join(&one).join("one.bin")) else { return };
    let receipt: CleanupReceipt =
        json(&rig, &["clean", "--directory", &format!("{RUNNER}/{one}"), "--json"]);
    assert!(receipt.failures.is_empty() && receipt.undo_until.is_some(), "{receipt:?}");
    later(&mut rig, &clock, "+11m");
    rig.place.until_told(ProblemCode::CleanupFailed, "one.bin: A mark of the file system");
    let receipts: CleanupReceipts = json(&rig, &["clean", "--receipts", "--json"]);
    let swept = receipts.receipts.iter().find(|it| it.id == receipt.id).unwrap();
    assert_eq!(swept.undo_until, None);
    assert_eq!(swept.failures.len(), 1, "{swept:?}");
    assert!(swept.failures[0].path.ends_with("one.bin"), "{swept:?}");
    assert!(swept.failures[0].way_out.contains("chattr"), "{swept:?}");
    let refused = rig.place.runnerctl_fails(&["clean", "--undo", &receipt.id.to_string()]);
    assert!(refused.contains("can be put back"), "{refused}");
    rig.finish();
}

/// A file that nobody can delete as long as this lives; its trial can.
struct Immutable(fs::File);

impl Immutable {
    fn of(file: &Path) -> Option<Self> {
        // By its handle, since it is moved meanwhile.
        let this = Self(fs::File::open(file).unwrap());
        this.mark("+i").then_some(this)
    }

    fn mark(&self, mark: &str) -> bool {
        use std::os::fd::AsRawFd;
        let path = format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd());
        let path = fs::read_link(path).unwrap();
        let marked = std::process::Command::new("chattr").arg(mark).arg(path).output();
        let is_marked = marked.is_ok_and(|output| output.status.success());
        if !is_marked {
            skipped::skipped("no file can be marked as immutable here");
        }
        is_marked
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        self.mark("-i");
    }
}

#[test]
fn whoever_asks_does_not_wait_for_a_sweep_and_what_it_left_goes_later() {
    let Some((clock, mut rig)) = Rig::with_clock(&Options::default()) else { return };
    let one = one_is_kept(&rig);
    let receipt: CleanupReceipt =
        json(&rig, &["clean", "--directory", &format!("{RUNNER}/{one}"), "--json"]);
    let aside = receipt.groups[0].set_aside.unwrap();
    assert!(receipt.undo_until.is_some() && aside.bytes.0 >= 100_000, "{receipt:?}");
    let trash = kept(&rig).join(TRASH);
    let held = rig.place.folders().state.join("held-at-sweeping");
    let at_a_sweep = Options { hold_at: Some("sweeping"), ..Options::default() };
    later_with(&mut rig, &clock, "+11m", &at_a_sweep);
    until(DEADLINE, "the sweep is at it", || held.exists());
    rig.place.runnerctl(&["clean", "--dry-run", "--preset", "kept"]);
    assert!(!names(&trash).is_empty(), "the sweep was cut");
    assert!(!is_told_of_a_failure(&rig));
    later(&mut rig, &clock, "+22m");
    until(DEADLINE, "the rest is gone", || names(&trash).is_empty());
    let receipts = until_some(DEADLINE, "and told of", || {
        let receipts: CleanupReceipts = json(&rig, &["clean", "--receipts", "--json"]);
        let is_over = receipts.receipts.iter().all(|it| it.undo_until.is_none());
        is_over.then_some(receipts.receipts)
    });
    assert!(receipts.iter().all(|it| it.failures.is_empty()), "{receipts:?}");
    let freed: u64 = receipts.iter().map(|it| it.freed.0).sum();
    assert_eq!(freed, aside.bytes.0, "{receipts:?}");
    rig.finish();
}

#[test]
fn what_a_preset_set_aside_goes_after_ten_minutes_though_the_preset_is_gone() {
    let Some((clock, mut rig)) = Rig::with_clock(&Options::default()) else { return };
    let cache = rig.place.path("signs").join("cache");
    fs::create_dir_all(cache.join("old")).unwrap();
    run_dir::write_atomically(&cache.join("old/file"), &[7; 10_000]).unwrap();
    let file = rig.place.folders().settings_file();
    let before = fs::read_to_string(&file).unwrap();
    let own = format!(
        "\n[[cleanup.preset]]\nid = \"mine\"\nwhat = {{ folders = [{{ root = '{}' }}] }}\n",
        cache.display()
    );
    run_dir::write_atomically(&file, format!("{before}{own}").as_bytes()).unwrap();
    until(DEADLINE, "it is heeded", || has_preset(&rig, "mine"));
    let receipt: CleanupReceipt = json(&rig, &["clean", "--preset", "mine", "--json"]);
    assert!(receipt.undo_until.is_some() && receipt.failures.is_empty(), "{receipt:?}");
    assert_eq!(names(&cache), [TRASH]);
    run_dir::write_atomically(&file, before.as_bytes()).unwrap();
    until(DEADLINE, "it is gone", || !has_preset(&rig, "mine"));
    later(&mut rig, &clock, "+11m");
    until(DEADLINE, "its trash is gone", || names(&cache).is_empty());
    let told = until_some(DEADLINE, "the receipt says so", || {
        let receipts: CleanupReceipts = json(&rig, &["clean", "--receipts", "--json"]);
        receipts.receipts.into_iter().find(|it| it.id == receipt.id && it.undo_until.is_none())
    });
    assert!(told.freed.0 >= 10_000 && told.failures.is_empty(), "{told:?}");
    rig.finish();
}

fn has_preset(rig: &Rig, id: &str) -> bool {
    let presets: Presets = json(rig, &["presets", "--json"]);
    presets.presets.iter().any(|preset| preset.id == id)
}
