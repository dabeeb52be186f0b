//! What jobs need, looked at and installed by the real programs. Package managers are stand-ins on the
//! PATH here, so that each moment can be held; `preinstall_real` has real ones.
#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use local_circleci::{NewTask, Outcome};
use protocol::{
    ItemState, JobPath, Notice, NoticeAbout, PauseBy, Preinstall, PreinstallChecked, PreinstallEnd,
    PreinstallNow, PreinstallPlan, PreinstallReceipt, RunnerState, SoftwareReport,
};
use serde::de::DeserializeOwned;
use trials::{
    CLASS, Circle, DEADLINE, Options, Ours, Place, RUNNER, Rig, SmallDisk, until, until_some,
};

fn json<T: DeserializeOwned>(rig: &Rig, words: &[&str]) -> T {
    let said = rig.place.runnerctl(words);
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{words:?}: {error}\n{said}"))
}

fn program(folder: &Path, name: &str, script: &str) {
    let file = folder.join(name);
    run_dir::write_atomically(&file, format!("#!/bin/sh\n{script}\n").as_bytes()).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}

/// An `npm` that notes its calls and puts a program for each package where npm would; it waits while the
/// file `hold` is there, and cannot have `moon`.
fn npm(place: &Place) -> PathBuf {
    let bin = place.path("signs").join("bin");
    fs::create_dir_all(&bin).unwrap();
    let signs = place.path("signs").display().to_string();
    program(
        &bin,
        "npm",
        &format!(
            r#"[ "$1" = --version ] && {{ echo 10.9.0; exit 0; }}
echo "$*" >> '{signs}/calls'
echo "npm is at work"
: > '{signs}/begun'
while [ -e '{signs}/hold' ]; do sleep 0.05; done
mkdir -p "$HOME/.local/bin" || exit 28
for word do [ "$word" = moon ] && {{ echo "npm error 404 Not Found: moon" >&2; exit 1; }}; done
seen=
for word do
  [ "$seen" ] && {{ printf '#!/bin/sh\necho %s 1.2.3\n' "$word" > "$HOME/.local/bin/$word" || exit 28; chmod +x "$HOME/.local/bin/$word"; }}
  [ "$word" = -- ] && seen=1
done
exit 0"#
        ),
    );
    program(&bin, "hangs", "exec sleep 1000");
    bin
}

/// Items of the owner's that npm brings.
fn settings(place: &Place, packages: &[&str]) {
    place.folders().ensure().unwrap();
    let item = |name: &&str| {
        format!(
            "[[preinstall.item]]\nid = \"{name}\"\nlinks = [\"https://example.com/\"]\n\
             check = {{ command = [\"{name}\", \"--version\"], version = \"{name} {{version}}\" }}\n\
             linux = {{ npm = \"{name}\" }}\nmacos = {{ npm = \"{name}\" }}\n"
        )
    };
    let items: String = packages.iter().map(item).collect();
    let hangs = "[[preinstall.item]]\nid = \"hangs\"\ncheck = { command = [\"hangs\"], within_seconds = 1 }\nlinux = { npm = \"hangs\" }\n";
    let mine = "[[preinstall.preset]]\nid = \"mine\"\nitems = [\"git\"]\n";
    let text = format!("[cleanup]\nstop_below_gb = 0\n\n{items}{hangs}{mine}");
    run_dir::write_atomically(&place.folders().settings_file(), text.as_bytes()).unwrap();
}

fn rig(packages: &[&str]) -> Rig {
    let mut place = Place::new();
    let bin = npm(&place);
    let path = std::env::var("PATH").unwrap_or_default();
    place.set_env("PATH", format!("{}:{path}", bin.display()));
    settings(&place, packages);
    let circle = Circle::start(&place);
    let rig = Rig::with(place, circle, &Options::default());
    rig.set_up();
    rig.until_state(RunnerState::Idle);
    rig
}

fn sign(rig: &Rig, name: &str) -> PathBuf {
    rig.place.path("signs").join(name)
}

fn hold(rig: &Rig) {
    fs::File::create(sign(rig, "hold")).unwrap();
}

fn let_go(rig: &Rig) {
    fs::remove_file(sign(rig, "hold")).unwrap();
}

fn calls(rig: &Rig) -> Vec<String> {
    let text = fs::read_to_string(sign(rig, "calls")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn now(rig: &Rig) -> Option<PreinstallNow> {
    rig.api.snapshot().ok()?.preinstall
}

/// `runnerctl preinstall install`, as a child that can be killed.
fn begins(rig: &Rig, names: &[&str]) -> Ours {
    let mut command = rig.place.command("runnerctl");
    command.args(["preinstall", "install"]).args(names);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let child = Ours::start(command);
    until(DEADLINE, "npm is at work", || sign(rig, "begun").exists());
    child
}

fn receipt(rig: &Rig) -> PreinstallReceipt {
    until_some(DEADLINE, "the installation is over", || match now(rig) {
        Some(PreinstallNow::Done(receipt)) => Some(receipt),
        _ => None,
    })
}

fn ends(receipt: &PreinstallReceipt) -> Vec<(&str, PreinstallEnd)> {
    receipt.items.iter().map(|it| (it.item.id.as_str(), it.outcome)).collect()
}

#[test]
fn what_is_missing_is_planned_installed_and_a_second_time_nothing_is_done() {
    let rig = rig(&["hallo", "figlette"]);
    let list: Preinstall = json(&rig, &["preinstall", "list", "--json"]);
    assert!(list.items.iter().any(|item| item.id == "hallo" && item.own));
    assert_eq!(list.refused, Vec::<String>::new());
    let plan: PreinstallPlan = json(&rig, &["preinstall", "plan", "hallo", "figlette", "--json"]);
    assert_eq!((plan.steps.len(), plan.admin), (1, false), "{plan:?}");
    assert!(plan.steps[0].command.ends_with("-- hallo figlette"), "{plan:?}");
    assert_eq!(calls(&rig), Vec::<String>::new(), "a plan does nothing");
    let done: PreinstallReceipt =
        json(&rig, &["preinstall", "install", "hallo", "figlette", "--json"]);
    assert_eq!(
        ends(&done),
        [("hallo", PreinstallEnd::Installed), ("figlette", PreinstallEnd::Installed)]
    );
    assert_eq!(calls(&rig).len(), 1, "one call a manager");
    let checked: PreinstallChecked =
        json(&rig, &["preinstall", "check", "hallo", "figlette", "--json"]);
    assert!(checked.items.iter().all(|item| item.state == ItemState::Present), "{checked:?}");
    assert!(checked.jobs.path.iter().any(|folder| folder.ends_with("/.local/bin")));
    let again: PreinstallReceipt =
        json(&rig, &["preinstall", "install", "hallo", "figlette", "--json"]);
    assert_eq!((again.items.len(), calls(&rig).len()), (0, 1), "nothing is done twice");
    rig.until_state(RunnerState::Idle);
    // A job finds what was installed for it.
    let task = NewTask::new(CLASS).step("use it", "hallo | grep -qx 'hallo 1.2.3'");
    assert_eq!(rig.circle.finished(rig.circle.enqueue(&task)).outcome, Some(Outcome::Success));
    rig.finish();
}

#[test]
fn no_task_is_claimed_meanwhile_one_that_runs_goes_on_and_it_outlives_its_client() {
    let mut rig = rig(&["hallo"]);
    hold(&rig);
    let job = rig.long_job();
    job.until_begun();
    let client = begins(&rig, &["hallo"]);
    client.kill();
    rig.until_runner("it is held by the installation", |runner| {
        runner.state == RunnerState::Draining
            && runner.pause_reasons.iter().any(|reason| reason.by == PauseBy::Preinstall)
    });
    let refused = rig.place.runnerctl_fails(&["preinstall", "install", "hallo"]);
    assert!(refused.contains("An installation runs just now."), "{refused}");
    job.let_go();
    rig.assert_ended_well(&job);
    rig.until_state(RunnerState::Paused);
    rig.place.runnerctl(&["resume"]);
    assert_eq!(rig.runner().state, RunnerState::Paused, "resume ends no installation");
    until(DEADLINE, "it tells how far it is and what npm says", || {
        matches!(
            now(&rig),
            Some(PreinstallNow::Installing(runs))
                if (runs.step, runs.steps) == (1, 1) && runs.last_line.as_deref() == Some("npm is at work")
        )
    });
    let_go(&rig);
    assert_eq!(ends(&receipt(&rig)), [("hallo", PreinstallEnd::Installed)]);
    rig.until_state(RunnerState::Idle);
    rig.finish();
}

#[test]
fn one_that_is_killed_in_the_middle_is_taken_up_by_the_next_supervisor() {
    let mut rig = rig(&["hallo", "figlette"]);
    hold(&rig);
    let client = begins(&rig, &["hallo", "figlette"]);
    rig.kill_supervisor();
    rig.start_supervisor(&Options::default());
    rig.until_runner("it is held before anything is started", |runner| {
        runner.pause_reasons.iter().any(|reason| reason.by == PauseBy::Preinstall)
    });
    until(
        DEADLINE,
        "it is told as taken up",
        || matches!(now(&rig), Some(PreinstallNow::Installing(runs)) if runs.taken_up),
    );
    let_go(&rig);
    let receipt = receipt(&rig);
    assert!(receipt.taken_up);
    assert!(receipt.items.iter().all(|it| it.outcome == PreinstallEnd::Installed), "{receipt:?}");
    assert_eq!(calls(&rig).len(), 1, "the tool that ran on did it");
    rig.until_state(RunnerState::Idle);
    client.kill();
    rig.finish();
}

#[test]
fn one_that_was_cancelled_stays_so_though_its_supervisor_is_killed() {
    let mut rig = rig(&["hallo"]);
    hold(&rig);
    let client = begins(&rig, &["hallo", "circleci"]);
    rig.place.runnerctl(&["preinstall", "install", "--cancel"]);
    rig.kill_supervisor();
    rig.start_supervisor(&Options::default());
    until(
        DEADLINE,
        "the next supervisor knows",
        || matches!(now(&rig), Some(PreinstallNow::Installing(runs)) if runs.cancelling && runs.taken_up),
    );
    let_go(&rig);
    let receipt = receipt(&rig);
    assert_eq!(receipt.cut_short.as_deref(), Some("It was cancelled."));
    let mut ends = ends(&receipt);
    ends.sort_by_key(|(id, _)| *id);
    assert_eq!(ends, [("circleci", PreinstallEnd::NotBegun), ("hallo", PreinstallEnd::Installed)]);
    rig.until_state(RunnerState::Idle);
    client.kill();
    rig.finish();
}

#[test]
fn what_cannot_be_taken_up_holds_runners_while_its_tool_works() {
    let mut rig = rig(&["hallo"]);
    hold(&rig);
    let client = begins(&rig, &["hallo"]);
    rig.kill_supervisor();
    client.kill();
    let file = rig.place.folders().settings_file();
    let settings = fs::read(&file).unwrap();
    run_dir::write_atomically(&file, b"[[[").unwrap();
    rig.start_supervisor(&Options::default());
    until(
        DEADLINE,
        "the tool is waited for",
        || matches!(now(&rig), Some(PreinstallNow::Installing(runs)) if runs.title == "Wait for what was begun"),
    );
    run_dir::write_atomically(&file, &settings).unwrap();
    rig.until_runner("it is held meanwhile", |runner| {
        runner.pause_reasons.iter().any(|reason| reason.by == PauseBy::Preinstall)
    });
    let_go(&rig);
    let receipt = receipt(&rig);
    assert!(receipt.cut_short.unwrap().starts_with("It could not go on: "));
    rig.until_state(RunnerState::Idle);
    rig.finish();
}

fn failures_told(rig: &Rig) -> Vec<Notice> {
    let kept = rig.api.call(async |client| client.notices(0, None).await).unwrap();
    let failed = |notice: &Notice| notice.about == NoticeAbout::PreinstallFailed;
    kept.notices.into_iter().filter(failed).collect()
}

#[test]
fn what_the_last_one_came_to_outlives_the_supervisor_and_a_failure_is_told() {
    let mut rig = rig(&["moon"]);
    hold(&rig);
    let mut client = begins(&rig, &["moon"]);
    rig.kill_supervisor();
    let_go(&rig);
    rig.start_supervisor(&Options::default());
    // It follows through the restart.
    assert_eq!(client.ended("runnerctl").code(), Some(1));
    let before = receipt(&rig);
    assert_eq!(ends(&before), [("moon", PreinstallEnd::Failed)]);
    until(DEADLINE, "its failure is told", || failures_told(&rig).len() == 1);
    assert_eq!(failures_told(&rig)[0].body, "Not there: moon.");
    rig.kill_supervisor();
    rig.start_supervisor(&Options::default());
    assert_eq!(receipt(&rig), before);
    let said = rig.place.command("runnerctl").args(["preinstall", "last"]).output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.code() == Some(1) && text.contains("404 Not Found: moon"), "{text}");
    rig.until_state(RunnerState::Idle);
    assert_eq!(failures_told(&rig).len(), 1, "it is not told again");
    let last = rig.place.folders().state.join("preinstall/last.json");
    run_dir::write_atomically(&last, b"{ \"version\": 99 }").unwrap();
    rig.kill_supervisor();
    rig.start_supervisor(&Options::default());
    rig.until_state(RunnerState::Idle);
    assert_eq!(now(&rig), None, "one that cannot be read is none");
    rig.finish();
}

#[test]
fn a_record_that_cannot_be_read_is_told_kept_and_holds_nobody() {
    let mut rig = rig(&["hallo"]);
    rig.kill_supervisor();
    let folder = rig.place.folders().state.join("preinstall");
    fs::create_dir_all(&folder).unwrap();
    run_dir::write_atomically(&folder.join("record.json"), b"{ \"version\": 99 }").unwrap();
    rig.start_supervisor(&Options::default());
    let receipt = receipt(&rig);
    assert!(receipt.cut_short.unwrap().contains("cannot be read"));
    assert!(folder.join("record.unreadable.json").exists());
    rig.until_state(RunnerState::Idle);
    rig.finish();
}

#[test]
fn it_is_cancelled_after_the_call_that_runs() {
    let rig = rig(&["hallo"]);
    hold(&rig);
    let mut client = begins(&rig, &["hallo", "circleci"]);
    rig.place.runnerctl(&["preinstall", "install", "--cancel"]);
    until(
        DEADLINE,
        "it is told",
        || matches!(now(&rig), Some(PreinstallNow::Installing(runs)) if runs.cancelling),
    );
    let_go(&rig);
    let receipt = receipt(&rig);
    assert_eq!(receipt.cut_short.as_deref(), Some("It was cancelled."));
    let mut ends = ends(&receipt);
    ends.sort_by_key(|(id, _)| *id);
    assert_eq!(ends, [("circleci", PreinstallEnd::NotBegun), ("hallo", PreinstallEnd::Installed)]);
    assert_eq!(client.ended("runnerctl").code(), Some(1));
    // Taken up again: what was done stays, and the rest alone is done.
    let again: PreinstallReceipt =
        json(&rig, &["preinstall", "install", "hallo", "circleci", "--json"]);
    assert_eq!(self::ends(&again), [("circleci", PreinstallEnd::Installed)]);
    assert_eq!(calls(&rig).len(), 1, "npm is not called for what it did before");
    rig.finish();
}

#[test]
fn one_that_cannot_be_had_shows_what_its_tool_said_and_stops_no_other() {
    let rig = rig(&["hallo", "moon"]);
    let output = rig
        .place
        .command("runnerctl")
        .args(["preinstall", "install", "hallo", "moon", "hangs"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("npm error 404 Not Found: moon"), "{said}");
    assert!(said.contains("It cannot be told whether it is there."), "what hangs is left: {said}");
    let receipt = receipt(&rig);
    let mut ends = ends(&receipt);
    ends.sort_by_key(|(id, _)| *id);
    assert_eq!(ends, [("hallo", PreinstallEnd::Installed), ("moon", PreinstallEnd::Failed)]);
    let left: Vec<&str> = receipt.left.iter().map(|left| left.item.id.as_str()).collect();
    assert_eq!(left, ["hangs"], "the receipt tells what was named and left");
    // With nothing to do it is no success either while one that was named is not there.
    let output = rig
        .place
        .command("runnerctl")
        .args(["preinstall", "install", "hallo", "hangs", "--json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let receipt: PreinstallReceipt = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((receipt.items.len(), receipt.left.len()), (0, 1), "{receipt:?}");
    rig.finish();
}

#[test]
fn on_a_full_disk_it_says_so_and_nothing_is_broken() {
    let rig = rig(&["hallo"]);
    let home = rig.place.path("owner").join(".local");
    fs::create_dir_all(&home).unwrap();
    let Some(disk) =
        SmallDisk::over(&home, &rig.place.path("owner").join("gone"), "size=4k,nr_inodes=2")
    else {
        return;
    };
    let output =
        rig.place.command("runnerctl").args(["preinstall", "install", "hallo"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("No space left on device"), "{said}");
    rig.until_state(RunnerState::Idle);
    drop(disk);
    // With room it is installed, by the same words.
    let done: PreinstallReceipt = json(&rig, &["preinstall", "install", "hallo", "--json"]);
    assert_eq!(ends(&done), [("hallo", PreinstallEnd::Installed)]);
    rig.finish();
}

#[test]
fn a_list_becomes_a_preset_and_reports_tell_what_came() {
    let rig = rig(&["hallo"]);
    let before: SoftwareReport = json(&rig, &["preinstall", "report", "--json"]);
    let file = sign(&rig, "before.json");
    run_dir::write_atomically(&file, &serde_json::to_vec(&before).unwrap()).unwrap();
    let brewfile = sign(&rig, "Brewfile");
    run_dir::write_atomically(&brewfile, b"brew \"git\"\nbrew \"ripgrep\"\nsystem \"x\"\n")
        .unwrap();
    let said = rig.place.runnerctl(&[
        "preinstall",
        "import",
        brewfile.to_str().unwrap(),
        "--preset",
        "web",
    ]);
    assert!(said.contains("git, brew-ripgrep") && said.contains("Line 3"), "{said}");
    let refused = rig.place.runnerctl_fails(&[
        "preinstall",
        "import",
        sign(&rig, "Brewfile").to_str().unwrap(),
        "--preset",
        "essentials",
    ]);
    assert!(refused.contains("a preset of Runner Tray's own"), "{refused}");
    let file_of_list = brewfile.to_str().unwrap();
    let again = ["preinstall", "import", file_of_list, "--preset"];
    rig.place.runnerctl(&[&again[..], &["web"][..]].concat());
    let refused = rig.place.runnerctl_fails(&[&again[..], &["mine"][..]].concat());
    assert!(refused.contains("The preset mine of your settings would be replaced"), "{refused}");
    let list: Preinstall = json(&rig, &["preinstall", "list", "--json"]);
    let essentials = list.presets.iter().find(|preset| preset.id == "essentials").unwrap();
    assert!(!essentials.own && essentials.items.len() > 10, "{essentials:?}");
    let web = list.presets.iter().find(|preset| preset.id == "web").unwrap();
    assert_eq!((web.items.len(), web.own), (2, true));
    let brewfile = rig.place.runnerctl(&["preinstall", "export", "brewfile", "web"]);
    assert_eq!(brewfile, "brew \"git\"\nbrew \"ripgrep\"\n");
    let playbook = rig.place.runnerctl(&["preinstall", "export", "ansible", "essentials"]);
    assert!(playbook.contains("ansible.builtin.apt"), "{playbook}");
    rig.place.runnerctl(&["preinstall", "install", "hallo"]);
    let said = rig.place.runnerctl(&["preinstall", "report", "--since", file.to_str().unwrap()]);
    assert!(said.contains("came") && said.contains("hallo") && said.contains("1.2.3"), "{said}");
    let page = rig.place.runnerctl(&["preinstall", "report"]);
    assert!(
        page.contains("# Software on this machine") && page.contains("| hallo | 1.2.3 |"),
        "{page}"
    );
    let refused = rig.place.runnerctl_fails(&["preinstall", "plan", "nothing"]);
    assert!(refused.contains("There is no item or preset nothing."), "{refused}");
    if std::env::consts::OS == "linux" {
        let refused = rig.place.runnerctl_fails(&["preinstall", "check", "ios"]);
        assert!(refused.contains("Nothing of the preset ios is for this system."), "{refused}");
    }
    rig.finish();
}

/// An agent that was started since waits for tasks.
fn until_another(rig: &Rig, run: Option<&protocol::RunId>) {
    rig.until_runner("another agent waits for tasks", |runner| {
        runner.state == RunnerState::Idle && runner.run.as_ref() != run
    });
}

#[test]
fn folders_that_are_put_first_are_what_jobs_find_and_circleci_hands_on() {
    let rig = rig(&["hallo"]);
    let first = sign(&rig, "first");
    fs::create_dir(&first).unwrap();
    program(&first, "only-here", "echo found");
    let run = rig.runner().run;
    rig.place.runnerctl(&["config", "job-path", "--first", first.to_str().unwrap()]);
    until_another(&rig, run.as_ref());
    let path: JobPath = json(&rig, &["config", "job-path", "--json"]);
    assert_eq!(path.first, [first.to_str().unwrap()]);
    assert_eq!((path.found[0].as_str(), &path.found), (first.to_str().unwrap(), &path.agent));
    let missing = rig.place.command("runnerctl").args(["preinstall", "check", "circleci"]).output();
    assert_eq!(missing.unwrap().status.code(), Some(1));
    let run = rig.runner().run;
    rig.place.runnerctl(&["preinstall", "install", "circleci"]);
    until_another(&rig, run.as_ref());
    rig.place.runnerctl(&["preinstall", "check", "circleci"]);
    program(&first, "circleci-agent", "echo handed on: \"$@\"");
    let script = "only-here | grep -qx found; circleci step halt | grep -qx 'handed on: step halt'";
    let task = NewTask::new(CLASS).step("look", script);
    let done = rig.circle.finished(rig.circle.enqueue(&task));
    assert_eq!(done.outcome, Some(Outcome::Success));
    let refused = rig.place.runnerctl_fails(&["config", "job-path", "--first", "bin"]);
    assert!(refused.contains("is no whole path"), "{refused}");
    rig.place.runnerctl(&["config", "job-path", "--usual"]);
    let path: JobPath = json(&rig, &["config", "job-path", "--json", "--runner", RUNNER]);
    assert_eq!(path.first, Vec::<String>::new());
    rig.finish();
}
