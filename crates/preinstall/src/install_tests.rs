//! Installing, with scripted stand-ins for package managers on the PATH: what they were called with is
//! what their documentation says.

use std::sync::{Arc, Mutex};

use super::*;
use crate::stand_ins::{Place, carry_out, ends, linux, mac};
use crate::{Catalogue, Manager};

#[tokio::test]
async fn homebrew_is_called_as_it_documents_and_a_second_run_does_nothing() {
    let place = Place::new();
    place.manager("brew", "nothing");
    let all = Place::catalogue(&["hallo", "figlette"], "brew");
    let first = place.install(&all, &["hallo", "figlette"], &mac()).await;
    assert_eq!(place.calls("brew"), ["install --formula hallo figlette"]);
    let environment = place.calls("brew.env");
    for set in [
        "HOMEBREW_NO_AUTO_UPDATE=1",
        "HOMEBREW_NO_INSTALL_UPGRADE=1",
        "HOMEBREW_NO_INSTALLED_DEPENDENTS_CHECK=1",
        "HOMEBREW_NO_INSTALL_CLEANUP=1",
        "NONINTERACTIVE=1",
    ] {
        assert!(environment.iter().any(|line| line == set), "{set}: {environment:?}");
    }
    let installed = |name: &str| (name.to_owned(), PreinstallEnd::Installed);
    assert_eq!(ends(&first.done), [installed("hallo"), installed("figlette")]);
    assert_eq!(first.done.outcomes[0].item.version.as_deref(), Some("1.2.3"));
    assert_eq!(first.done.cut_short, None);
    assert_eq!(first.progress.last().unwrap().title, "Check again");
    let second = place.draft(&all, &["hallo", "figlette"], &mac()).await;
    assert_eq!((second.steps.len(), second.already.len()), (0, 2));
}

#[tokio::test]
async fn a_cask_is_called_as_homebrew_documents() {
    let place = Place::new();
    place.manager("brew", "nothing");
    let all = Place::catalogue(&["hallo"], "cask");
    place.install(&all, &["hallo"], &mac()).await;
    assert_eq!(place.calls("brew"), ["install --cask hallo"]);
}

#[tokio::test]
async fn dnf_is_called_as_it_documents() {
    let place = Place::new();
    place.manager("dnf", "nothing");
    let all = Place::catalogue(&["hallo", "figlette"], "dnf");
    let carried = place.install(&all, &["hallo", "figlette"], &linux(Manager::Dnf)).await;
    assert_eq!(place.calls("dnf"), ["install -y --setopt=install_weak_deps=False hallo figlette"]);
    assert!(ends(&carried.done).iter().all(|(_, end)| *end == PreinstallEnd::Installed));
}

#[tokio::test]
async fn one_that_cannot_be_had_stops_no_other_and_shows_what_its_tool_said() {
    let place = Place::new();
    place.manager("brew", "moon");
    let all = Place::catalogue(&["hallo", "moon", "figlette"], "brew");
    let carried = place.install(&all, &["hallo", "moon", "figlette"], &mac()).await;
    assert_eq!(
        place.calls("brew"),
        [
            "install --formula hallo moon figlette",
            "install --formula hallo",
            "install --formula moon",
            "install --formula figlette",
        ]
    );
    let failed: Vec<_> =
        carried.done.outcomes.iter().filter(|it| it.outcome == PreinstallEnd::Failed).collect();
    let [moon] = &failed[..] else { panic!("{failed:?}") };
    assert_eq!(moon.item.id, "moon");
    assert_eq!(moon.command.as_deref(), Some("brew install --formula moon"));
    let said = moon.said.as_deref().unwrap();
    assert!(said.contains("No available formula with the name \"moon\""), "{said}");
}

#[tokio::test]
async fn what_a_tool_installs_and_does_not_work_is_failed_by_the_check() {
    let place = Place::new();
    place.program("brew", "[ \"$1\" = --version ] && echo Homebrew 4.4.0; exit 0");
    let all = Place::catalogue(&["hallo"], "brew");
    let carried = place.install(&all, &["hallo"], &mac()).await;
    let outcome = &carried.done.outcomes[0];
    assert_eq!(outcome.outcome, PreinstallEnd::Failed);
    assert_eq!(outcome.said.as_deref(), Some("exit status: 0"), "and nothing else");
    assert_eq!(outcome.command.as_deref(), Some("brew install --formula hallo"));
    assert_eq!(outcome.item.state, ItemState::Missing);
}

#[tokio::test]
async fn a_manager_that_is_not_there_is_a_failure_and_no_end() {
    let place = Place::new();
    place.manager("dnf", "nothing");
    let all = Place::catalogue(&["hallo"], "dnf");
    let draft = place.draft(&all, &["hallo"], &linux(Manager::Dnf)).await;
    std::fs::remove_file(place.path("bin").join("dnf")).unwrap();
    let record = Place::record(&all, draft);
    let carried = place.carry_out(place.installation(record, &linux(Manager::Dnf))).await;
    let said = carried.done.outcomes[0].said.clone().unwrap();
    assert!(said.contains("dnf cannot be started"), "{said}");
}

#[tokio::test]
async fn each_call_is_on_disk_before_it_is_made() {
    let place = Place::new();
    place.manager("brew", "nothing");
    let all = Place::catalogue(&["hallo"], "brew");
    let carried = place.install(&all, &["hallo"], &mac()).await;
    let states: Vec<&State> = carried.saved.iter().map(|record| &record.steps[0].state).collect();
    assert!(matches!(states[0], State::Begun { process: None }), "{states:?}");
    assert!(matches!(states[1], State::Begun { process: Some(_) }), "{states:?}");
    assert!(matches!(states.last(), Some(State::Over)), "{states:?}");
    let text = serde_json::to_vec(&carried.saved[1]).unwrap();
    assert_eq!(Record::read(&text).unwrap(), carried.saved[1]);
}

#[tokio::test]
async fn nothing_is_begun_that_cannot_be_written_down() {
    let place = Place::new();
    place.manager("brew", "nothing");
    let all = Place::catalogue(&["hallo"], "brew");
    let draft = place.draft(&all, &["hallo"], &mac()).await;
    let installation = place.installation(Place::record(&all, draft), &mac());
    let (_cancel, told) = watch::channel(false);
    let full = |_: &Record| Err(io::Error::from_raw_os_error(28));
    let carried = carry_out(installation, told, full).await;
    assert_eq!(place.calls("brew"), Vec::<String>::new());
    let why = carried.done.cut_short.unwrap();
    assert!(why.contains("cannot be written down"), "{why}");
}

#[tokio::test]
async fn a_cancelled_installation_ends_after_the_call_that_runs() {
    let place = Place::new();
    let begun = place.path("state").join("begun");
    let go = place.path("state").join("go");
    place.manager("npm", "nothing");
    place.program(
        "brew",
        &format!(
            "[ \"$1\" = --version ] && {{ echo Homebrew 4.4.0; exit 0; }}; : > {}; while [ ! -e {} ]; do sleep 0.05; done; \
             printf '#!/bin/sh\\necho hallo 1.0\\n' > {bin}/hallo; chmod +x {bin}/hallo",
            begun.display(),
            go.display(),
            bin = place.path("bin").display()
        ),
    );
    place.program("npm-there", "exit 0");
    let mut all = Place::catalogue(&["hallo"], "brew");
    let other = serde_json::json!({
        "id": "late", "check": { "command": ["late", "--version"] }, "macos": { "npm": "late" },
    });
    let npm = serde_json::json!({ "id": "npm", "check": { "command": ["npm-there"] } });
    let hallo = serde_json::to_value(all.item("hallo").unwrap()).unwrap();
    (all, _) = Catalogue::with(&[hallo, other, npm], &[]);
    let draft = place.draft(&all, &["hallo", "late"], &mac()).await;
    assert_eq!(draft.steps.len(), 2, "{draft:?}");
    let installation = place.installation(Place::record(&all, draft), &mac());
    let (cancel, told) = watch::channel(false);
    let carrying = tokio::spawn(carry_out(installation, told, |_| Ok(())));
    while !begun.exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    cancel.send(true).unwrap();
    std::fs::File::create(go).unwrap();
    let carried = carrying.await.unwrap();
    assert_eq!(carried.done.cut_short.as_deref(), Some("It was cancelled."));
    assert_eq!(
        ends(&carried.done),
        [("hallo".into(), PreinstallEnd::Installed), ("late".into(), PreinstallEnd::NotBegun)]
    );
    assert_eq!(place.calls("npm"), Vec::<String>::new());
}

#[tokio::test]
async fn one_that_was_killed_in_the_middle_is_taken_up_and_its_tool_waited_for() {
    let place = Place::new();
    let go = place.path("state").join("go");
    place.manager("brew", "nothing");
    let all = Place::catalogue(&["hallo", "figlette"], "brew");
    let draft = place.draft(&all, &["hallo", "figlette"], &mac()).await;
    let mut record = Place::record(&all, draft);
    // What the dead one had started goes on, and installs one of two.
    let bin = place.path("bin").display().to_string();
    let script = format!(
        "while [ ! -e {} ]; do sleep 0.05; done; printf '#!/bin/sh\\necho hallo 1.0\\n' > {bin}/hallo; chmod +x {bin}/hallo",
        go.display()
    );
    let mut tool = std::process::Command::new("/bin/sh").args(["-c", &script]).spawn().unwrap();
    let process = ProcessId::of(Pid::of_child(&tool)).unwrap();
    record.steps[0].state = State::Begun { process: Some(process) };
    record.taken_up = 1;
    let carrying = tokio::spawn({
        let installation = place.installation(record, &mac());
        let (_cancel, told) = watch::channel(false);
        async move { carry_out(installation, told, |_| Ok(())).await }
    });
    std::fs::File::create(go).unwrap();
    let reaped = tokio::task::spawn_blocking(move || tool.wait());
    let carried = carrying.await.unwrap();
    reaped.await.unwrap().unwrap();
    assert_eq!(place.calls("brew"), ["install --formula figlette"], "what is there stays");
    assert!(ends(&carried.done).iter().all(|(_, end)| *end == PreinstallEnd::Installed));
}

#[tokio::test]
async fn what_never_came_to_its_end_is_not_begun_for_ever() {
    let place = Place::new();
    place.manager("brew", "nothing");
    let all = Place::catalogue(&["hallo"], "brew");
    let draft = place.draft(&all, &["hallo"], &mac()).await;
    let record = Record { taken_up: MOST_TAKEN_UP + 1, ..Place::record(&all, draft) };
    let carried = place.carry_out(place.installation(record, &mac())).await;
    assert!(carried.done.cut_short.unwrap().contains("never came to its end"));
    assert_eq!(place.calls("brew"), Vec::<String>::new());
}

#[tokio::test]
async fn what_was_begun_too_often_is_left_once_its_tool_has_ended() {
    let place = Place::new();
    place.manager("brew", "nothing");
    let all = Place::catalogue(&["hallo"], "brew");
    let draft = place.draft(&all, &["hallo"], &mac()).await;
    let mut record = Record { taken_up: MOST_TAKEN_UP + 1, ..Place::record(&all, draft) };
    let mut tool = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let process = ProcessId::of(Pid::of_child(&tool)).unwrap();
    record.steps[0].state = State::Begun { process: Some(process) };
    assert_eq!(record.at_work().unwrap().0, 0);
    // It works until it is seen that it is waited for.
    let mut works_on = tool.stdin.take();
    let mut titles = Vec::new();
    let mut advanced = |now: Progress| {
        works_on = None;
        titles.push(now.title);
    };
    let mut save = |_: &Record| Ok(());
    let (_cancel, told) = watch::channel(false);
    let installation = place.installation(record.clone(), &mac());
    let told = (told, Told { progress: &mut advanced, save: &mut save });
    let done = installation.carry_out(told.0, told.1).await;
    assert!(done.cut_short.unwrap().contains("never came to its end"));
    assert_eq!(titles[0], "Install hallo with Homebrew");
    assert!(record.at_work().is_none());
    record.until_nothing_works().await;
    assert!(tool.wait().unwrap().success(), "nobody ended it");
}

#[tokio::test]
async fn a_lock_that_is_held_for_too_long_fails_what_needs_it_and_names_its_holder() {
    if !Path::new("/proc/locks").exists() {
        return skipped::skipped("this system does not tell who holds a lock");
    }
    let place = Place::new();
    place.manager("apt-get", "nothing");
    let all = Place::catalogue(&["hallo", "figlette"], "apt");
    let machine = linux(Manager::Apt);
    let draft = place.draft(&all, &["hallo", "figlette"], &machine).await;
    let lock = std::fs::File::create(place.path("state").join("lock")).unwrap();
    lock.lock().unwrap();
    let installation = Installation {
        lock_patience: Duration::ZERO,
        ..place.installation(Place::record(&all, draft), &machine)
    };
    let carried = place.carry_out(installation).await;
    assert_eq!(place.calls("apt-get"), Vec::<String>::new());
    assert_eq!(carried.done.cut_short, None);
    for outcome in &carried.done.outcomes {
        assert_eq!(outcome.outcome, PreinstallEnd::Failed);
        let said = outcome.said.as_deref().unwrap();
        assert!(said.contains(&format!("(process {})", std::process::id())), "{said}");
        assert!(said.contains("long enough"), "{said}");
    }
}

#[tokio::test]
async fn a_lock_that_another_holds_is_waited_for_and_its_holder_named() {
    if !Path::new("/proc/locks").exists() {
        return skipped::skipped("this system does not tell who holds a lock");
    }
    let place = Place::new();
    place.manager("apt-get", "nothing");
    let all = Place::catalogue(&["hallo"], "apt");
    let machine = linux(Manager::Apt);
    let draft = place.draft(&all, &["hallo"], &machine).await;
    let lock = std::fs::File::create(place.path("state").join("lock")).unwrap();
    lock.lock().unwrap();
    let installation = place.installation(Place::record(&all, draft), &machine);
    let (_cancel, told) = watch::channel(false);
    let (progress, saw) = (Arc::new(Mutex::new(Vec::new())), tokio::sync::Notify::new());
    let into = Arc::clone(&progress);
    let mut advanced = |now: Progress| {
        if now.waits.is_some() {
            saw.notify_one();
        }
        into.lock().unwrap().push(now);
    };
    let mut save = |_: &Record| Ok(());
    let told = (told, Told { progress: &mut advanced, save: &mut save });
    let (done, ()) = tokio::join!(installation.carry_out(told.0, told.1), async {
        saw.notified().await;
        assert_eq!(place.calls("apt-get"), Vec::<String>::new(), "nothing is begun meanwhile");
        lock.unlock().unwrap();
    });
    let waits: Vec<String> =
        progress.lock().unwrap().iter().filter_map(|now| now.waits.clone()).collect();
    let pid = std::process::id();
    assert!(waits[0].contains(&format!("(process {pid})")), "{waits:?}");
    assert_eq!(ends(&done), [("hallo".into(), PreinstallEnd::Installed)]);
    assert_eq!(place.calls("apt-get").len(), 2, "the lists, then the packages");
}

#[tokio::test]
async fn a_wait_for_a_lock_can_be_cancelled() {
    if !Path::new("/proc/locks").exists() {
        return skipped::skipped("this system does not tell who holds a lock");
    }
    let place = Place::new();
    place.manager("apt-get", "nothing");
    let all = Place::catalogue(&["hallo"], "apt");
    let machine = linux(Manager::Apt);
    let draft = place.draft(&all, &["hallo"], &machine).await;
    let lock = std::fs::File::create(place.path("state").join("lock")).unwrap();
    lock.lock().unwrap();
    let installation = place.installation(Place::record(&all, draft), &machine);
    let (cancel, told) = watch::channel(false);
    let carrying = tokio::spawn(carry_out(installation, told, |_| Ok(())));
    cancel.send(true).unwrap();
    let carried = carrying.await.unwrap();
    assert_eq!(ends(&carried.done), [("hallo".into(), PreinstallEnd::NotBegun)]);
}

#[tokio::test]
async fn the_circleci_command_is_written_and_hands_on() {
    let place = Place::new();
    let all = Catalogue::built_in();
    place.program("circleci-agent", "echo agent got: \"$@\"");
    let machine = linux(Manager::Apt);
    let carried = place.install(all, &["circleci"], &machine).await;
    assert_eq!(ends(&carried.done), [("circleci".into(), PreinstallEnd::Installed)]);
    let argv = ["circleci", "step", "halt it"].map(str::to_owned);
    let output = place.jobs().command(&argv, &[]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "agent got: step halt it\n");
    assert!(place.draft(all, &["circleci"], &machine).await.steps.is_empty());
}

#[tokio::test]
async fn a_call_that_cannot_be_written_down_never_passes_its_gate() {
    let place = Place::new();
    place.manager("brew", "nothing");
    let all = Place::catalogue(&["hello"], "brew");
    let draft = place.draft(&all, &["hello"], &mac()).await;
    let installation = place.installation(Place::record(&all, draft), &mac());
    let (_cancel, told) = watch::channel(false);
    // The first record has room, the one with the child's number has none.
    let full = |record: &Record| match &record.steps[0].state {
        State::Begun { process: Some(_) } => Err(io::Error::from_raw_os_error(28)),
        State::Begun { process: None } | State::Waiting | State::Over => Ok(()),
    };
    let carried = carry_out(installation, told, full).await;
    assert_eq!(place.calls("brew"), Vec::<String>::new());
    assert!(carried.done.cut_short.unwrap().contains("cannot be written down"));
}
