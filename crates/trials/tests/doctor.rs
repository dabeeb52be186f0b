//! The doctor, on machines where something is wrong for real: a full disk, open files, certificates,
//! proxies and clocks that are off, users that may not or may too much, agents that are not ours.
//! Whatever else is found on the machine of the trial, the one thing must be.

#![expect(clippy::unwrap_used, reason = "a trial that cannot set up its scene has failed")]

use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use local_circleci::control::Certificate;
use process::Signal;
use protocol::{Check, Finding, Findings, Level};
use trials::{
    Api, Circle, DEADLINE, Desktop, Found, Mute, Options, Place, Proxy, RUNNER, Rig, Supervisor,
    User, has_tools, is_alive, is_root, until,
};

/// What the supervisor's program finds, whether a supervisor runs or not.
#[track_caller]
fn examine(place: &Place, arguments: &[&str]) -> Vec<Finding> {
    let output = place.command("runner-tray-supervisor").arg("doctor").args(arguments).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    findings(&output.stdout)
}

#[track_caller]
fn findings(json: &[u8]) -> Vec<Finding> {
    let findings: Findings = serde_json::from_slice(json)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(json)));
    findings.findings
}

/// No address is asked that a trial did not name.
const NOBODY: [&str; 2] = ["--reach", "http://127.0.0.1:1"];

#[track_caller]
fn assert_found(found: &[Finding], check: Check, level: Level, says: &str) -> Finding {
    let is_it = |finding: &&Finding| {
        let words = format!("{} {} {:?}", finding.subject, finding.reading, finding.mend);
        finding.check == check && finding.level == level && words.contains(says)
    };
    found.iter().find(is_it).unwrap_or_else(|| panic!("{says:?} is not in {found:#?}")).clone()
}

#[track_caller]
fn assert_well(found: &[Finding], check: Check) {
    let mut of = found.iter().filter(|finding| finding.check == check).peekable();
    assert!(of.peek().is_some(), "{check:?} was not looked at");
    assert!(of.all(|finding| finding.level == Level::Ok), "{found:#?}");
}

/// One runner in the settings, and no supervisor that would do anything about it.
fn set_up_by_hand(place: &Place, more: &str) {
    let folders = place.folders();
    folders.ensure().unwrap();
    let settings = format!(
        "[[runner]]\nname = \"{RUNNER}\"\nresource_class = \"acme/linux\"\n\
         api_url = \"http://127.0.0.1:1\"\nreleases_url = \"http://127.0.0.1:1\"\n\
         token_store = \"file\"\n{more}"
    );
    run_dir::write_atomically(&folders.settings_file(), settings.as_bytes()).unwrap();
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    run_dir::write_atomically(path, text.as_bytes()).unwrap();
}

#[test]
fn before_set_up_and_without_a_supervisor_it_says_how_to_go_on() {
    let mut place = Place::new();
    let nowhere = format!("unix:path={}/no-bus", place.path("run").display());
    place.set_env("DBUS_SESSION_BUS_ADDRESS", nowhere);
    let circle = Circle::start(&place);
    let mut doctor = place.command("runnerctl");
    let output = doctor.args(["doctor", "--json", "--reach", circle.url()]).output().unwrap();
    let found = findings(&output.stdout);
    assert_found(&found, Check::Supervisor, Level::Warn, "runnerctl supervisor start");
    assert_found(&found, Check::Settings, Level::Note, "no runner is set up");
    assert_found(&found, Check::Token, Level::Warn, "--token-store file");
    assert_well(&found, Check::Network);
    assert_well(&found, Check::Clock);
    assert_well(&found, Check::NetworkHome);
    assert!(!place.folders().state.join("history.sqlite").exists(), "it changes nothing");
    let is_bad = found.iter().any(|finding| finding.level == Level::Bad);
    assert_eq!(output.status.code(), Some(i32::from(is_bad)), "{found:#?}");
    let levels: Vec<Level> = found.iter().map(|finding| finding.level).collect();
    assert!(levels.is_sorted(), "the worst first: {levels:?}");
}

#[test]
fn after_set_up_the_supervisor_says_it_and_the_words_are_for_people() {
    let rig = Rig::idle(&Options::default());
    let output = rig.place.command("runnerctl").args(["doctor", "--json"]).output().unwrap();
    let found = findings(&output.stdout);
    for check in [Check::Supervisor, Check::Settings, Check::Files, Check::Token, Check::Network] {
        assert_well(&found, check);
    }
    assert_eq!(found.iter().filter(|finding| finding.check == Check::Network).count(), 2);
    assert_found(&found, Check::JobUser, Level::Note, RUNNER);
    let ours = rig.place.root().display().to_string();
    let others = found.iter().filter(|finding| finding.check == Check::OtherAgents);
    assert_eq!(others.filter(|finding| finding.subject.contains(&ours)).count(), 0);

    let output = rig.place.command("runnerctl").arg("doctor").output().unwrap();
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(words.contains("✓  well     Token  mini, in a file"), "{words}");
    assert!(words.trim_end().ends_with(" well."), "{words}");
    rig.finish();
}

#[test]
fn a_supervisor_that_cannot_look_is_told_and_another_program_of_its_kind_looks() {
    let place = Place::new();
    place.folders().ensure().unwrap();
    let program = place.path("supervisor that goes");
    fs::copy(trials::program("runner-tray-supervisor"), &program).unwrap();
    let api = Api::of(&place);
    let supervisor = Supervisor::start_program(&place, &api, &program);
    fs::remove_file(&program).unwrap();
    let mut doctor = place.command("runnerctl");
    let output = doctor.args(["doctor", "--json"]).args(NOBODY).output().unwrap();
    let found = findings(&output.stdout);
    assert_found(&found, Check::Supervisor, Level::Warn, "starting the doctor");
    assert!(found.iter().any(|finding| finding.check == Check::Disk));
    supervisor.stop();
}

#[test]
fn folders_that_cannot_be_found_are_bad() {
    let mut place = Place::new();
    place.set_env("RUNNER_TRAY_HOME", "some/where");
    let output = place.command("runnerctl").args(["doctor", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let found = findings(&output.stdout);
    assert_found(&found, Check::Files, Level::Bad, "not an absolute path");
}

#[test]
fn a_certificate_that_is_not_to_be_trusted_is_told_with_what_is_wrong_with_it() {
    let mut place = Place::new();
    let circle = Circle::start(&place);
    let https = circle.control().https().unwrap();
    let reach = ["--reach", https.url.as_str()];
    assert_found(&examine(&place, &reach), Check::Network, Level::Bad, "nobody whom this machine");
    let authority = place.path("authority.pem");
    write(&authority, &https.authority);
    place.set_env("SSL_CERT_FILE", authority);
    assert_well(&examine(&place, &reach), Check::Network);
    for (certificate, says) in [
        (Certificate::Expired, "this machine's clock is wrong"),
        (Certificate::OtherName, "for another name"),
        (Certificate::Stranger, "SSL_CERT_FILE"),
    ] {
        circle.control().show_certificate(certificate).unwrap();
        assert_found(&examine(&place, &reach), Check::Network, Level::Bad, says);
    }
}

#[test]
fn a_proxy_leads_out_or_is_named_as_the_cause_and_its_password_is_told_nowhere() {
    let mut place = Place::new();
    let circle = Circle::start(&place);
    let https = circle.control().https().unwrap();
    let authority = place.path("authority.pem");
    write(&authority, &https.authority);
    place.set_env("SSL_CERT_FILE", authority);
    let reach = ["--reach", "https://releases.example"];
    let proxy = Proxy::to(https.url.rsplit_once(':').unwrap().1.parse().unwrap());
    place.set_env("HTTPS_PROXY", proxy.url().replace("http://", "http://me:hunter2@"));
    let found = examine(&place, &reach);
    assert_well(&found, Check::Network);
    assert_eq!(proxy.asked(), ["CONNECT releases.example:443"]);
    assert_found(&found, Check::Proxy, Level::Note, "HTTPS_PROXY is set");
    assert!(!format!("{found:?}").contains("hunter2"));

    place.set_env("HTTPS_PROXY", "http://me:hunter2@127.0.0.1:1");
    let found = examine(&place, &reach);
    assert_found(&found, Check::Network, Level::Bad, "the proxy in HTTPS_PROXY");
    place.set_env("HTTPS_PROXY", "http://me:hunter2@[proxy");
    let found = examine(&place, &reach);
    assert_found(&found, Check::Network, Level::Bad, "HTTPS_PROXY does not hold");
    assert!(!format!("{found:?}").contains("hunter2"));
}

#[test]
fn a_host_that_is_away_is_bad_and_then_no_clock_is_known() {
    let found = examine(&Place::new(), &NOBODY);
    assert_found(&found, Check::Network, Level::Bad, "127.0.0.1:1");
    assert_found(&found, Check::Clock, Level::Unknown, "not known");
    // One that takes the call and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let found = examine(&Place::new(), &["--reach", &url]);
    assert_found(&found, Check::Network, Level::Bad, "no answer within 8 s");
}

/// A server whose clock has stood still; says where it listens.
fn server_of_the_past() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut lines = BufReader::new(client.try_clone().unwrap()).lines();
            let _ = lines.find(|line| line.as_ref().map_or(true, String::is_empty));
            let answer = "HTTP/1.1 204 No Content\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n\r\n";
            let _ = client.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn a_clock_that_is_not_the_servers_is_bad() {
    let url = server_of_the_past();
    let found = examine(&Place::new(), &["--reach", &url]);
    assert_well(&found, Check::Network);
    assert_found(&found, Check::Clock, Level::Bad, "ahead of the servers");
}

/// A file system of the trial's own over a folder of its place; gone with the place's namespace at
/// the latest, and before that with the value.
struct Mounted(PathBuf);

impl Mounted {
    fn over(folder: PathBuf, options: &str) -> Option<Self> {
        if !is_root() {
            return None;
        }
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&folder);
        if !mount.output().is_ok_and(|output| output.status.success()) {
            skipped::skipped("no file system can be mounted here");
            return None;
        }
        Some(Self(folder))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).output();
    }
}

#[test]
fn a_small_disk_a_full_one_and_one_without_inodes_are_bad() {
    let place = Place::new();
    let home = place.path("home");
    let Some(small) = Mounted::over(home.clone(), "size=16m,mode=0700") else { return };
    set_up_by_hand(&place, "");
    let disk = |place: &Place, level, says: &str| {
        let found = examine(place, &NOBODY);
        let finding = assert_found(&found, Check::Disk, level, says);
        assert!(finding.subject.starts_with(&home.display().to_string()), "{finding:?}");
    };
    disk(&place, Level::Bad, "of 16 MB, needs 1.0 GB");
    let mut filler = File::create(home.join("filler")).unwrap();
    while filler.write_all(&[b'x'; 4096]).is_ok() {}
    disk(&place, Level::Bad, "free 0 B");
    drop(small);

    let options = "size=16m,mode=0700,nr_inodes=90";
    let Some(few) = Mounted::over(home.clone(), options) else { return };
    set_up_by_hand(&place, "");
    disk(&place, Level::Bad, "inodes are free");
    drop(few);

    let Some(no_exec) = Mounted::over(home.clone(), "size=16m,mode=0700,noexec") else { return };
    set_up_by_hand(&place, "");
    disk(&place, Level::Bad, "mounted noexec");
    drop(no_exec);

    let Some(read_only) = Mounted::over(home.clone(), "size=16m,mode=0700,ro") else { return };
    disk(&place, Level::Bad, "can only be read");
    drop(read_only);
}

#[test]
fn files_that_others_reach_and_folders_behind_links_are_told() {
    let place = Place::new();
    set_up_by_hand(&place, "");
    let folders = place.folders();
    assert_well(&examine(&place, &NOBODY), Check::Files);
    let open = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    open(&folders.state, 0o755);
    open(&folders.data, 0o777);
    let token = folders.tokens().join(RUNNER);
    write(&token, "t");
    open(&token, 0o644);
    let found = examine(&place, &NOBODY);
    assert_found(&found, Check::Files, Level::Warn, "state");
    assert_found(&found, Check::Files, Level::Bad, "chmod go-w");
    let told = assert_found(&found, Check::Files, Level::Warn, RUNNER);
    assert!(told.mend.unwrap().contains("chmod go-rwx"));
    assert_found(&found, Check::Token, Level::Bad, "others may have read it");

    fs::rename(&folders.config, place.path("elsewhere")).unwrap();
    symlink(place.path("elsewhere"), &folders.config).unwrap();
    assert_found(&examine(&place, &NOBODY), Check::Files, Level::Bad, "a symbolic link");
}

#[test]
fn settings_that_cannot_be_read_are_bad_and_the_rest_is_looked_at_all_the_same() {
    let place = Place::new();
    set_up_by_hand(&place, "max_run_time = [\n");
    let found = examine(&place, &NOBODY);
    assert_found(&found, Check::Settings, Level::Bad, "settings.toml");
    for check in [Check::Disk, Check::Tools, Check::Sleep, Check::System] {
        assert!(found.iter().any(|finding| finding.check == check), "{check:?}");
    }
}

#[test]
fn an_install_of_circlecis_own_is_found_with_its_name_whether_it_runs_or_not() {
    let place = Place::new();
    set_up_by_hand(&place, "");
    let machine = place.path("machine");
    let root = machine.to_str().unwrap();
    let arguments = [&NOBODY[..], &["--root", root]].concat();
    let config = machine.join("etc/circleci-runner/circleci-runner-config.yaml");
    write(&machine.join("proc/1/cmdline"), "/sbin/init\0");
    assert_well(&examine(&place, &arguments), Check::OtherAgents);

    write(&machine.join("usr/bin/circleci-runner"), "an agent");
    write(&config, "api:\n  auth_token: t0p-secret\nrunner:\n  name: other\n");
    let found = examine(&place, &arguments);
    assert_found(&found, Check::OtherAgents, Level::Note, "it is called other");
    write(&config, &format!("runner:\n  name: {RUNNER}\n"));
    let found = examine(&place, &arguments);
    assert_found(&found, Check::OtherAgents, Level::Warn, "as one of ours is");

    let line = "/usr/bin/circleci-runner\0machine\0-c\0\
                /etc/circleci-runner/circleci-runner-config.yaml\0--api.auth-token\0t0p-secret\0";
    write(&machine.join("proc/4711/cmdline"), line);
    let found = examine(&place, &arguments);
    let told = assert_found(&found, Check::OtherAgents, Level::Bad, "as one of ours is");
    assert!(told.subject.starts_with("pid 4711"), "{told:?}");
    assert!(told.reading.contains("CircleCI's package"), "{told:?}");
    assert_eq!(found.iter().filter(|it| it.check == Check::OtherAgents).count(), 1, "{found:#?}");
    assert!(!format!("{found:?}").contains("t0p-secret"), "{found:#?}");

    // Its name cannot be read: that it runs is known all the same.
    fs::remove_file(&config).unwrap();
    fs::create_dir(&config).unwrap();
    let found = examine(&place, &arguments);
    assert_found(&found, Check::OtherAgents, Level::Warn, "its name is not known");
    fs::remove_dir_all(machine.join("proc")).unwrap();
    let found = examine(&place, &arguments);
    assert_found(&found, Check::OtherAgents, Level::Unknown, "not known");
}

#[test]
fn what_hangs_is_not_known_and_holds_up_nothing_else() {
    let Some(desktop) = Desktop::without_keychain() else { return };
    let mut place = Place::new();
    place.set_env("DBUS_SESSION_BUS_ADDRESS", desktop.address());
    let _keychain = Mute::named(desktop.address(), "org.freedesktop.secrets");
    let found = examine(&place, &[&NOBODY[..], &["--within", "3"]].concat());
    assert_found(&found, Check::Token, Level::Unknown, "not done within 3 s");
    assert_found(&found, Check::Settings, Level::Note, "no runner is set up");
    assert!(found.iter().any(|finding| finding.check == Check::User), "{found:#?}");
    let is_child = |words: &str| words.contains("supervisor keychain ");
    until(DEADLINE, "no child waits for it any more", || {
        !place.processes().iter().any(|found| is_child(&found.arguments))
    });
}

/// Not one of its checks, but the whole: what stands still cannot say that it does.
#[test]
fn a_doctor_that_stands_still_is_ended_and_told_and_whoever_asked_waits_for_that() {
    let place = Place::new();
    place.folders().ensure().unwrap();
    let api = Api::of(&place);
    let supervisor = Supervisor::start(&place, &api, &Options::default());
    // The doctor is at it once it calls here, and hears nothing for a while.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let mut asking = place.command("runnerctl");
    let asking = asking.args(["doctor", "--json", "--reach", &url]).stdout(Stdio::piped()).spawn();
    let _call = silent.accept().unwrap();
    let is_doctor = |found: &Found| found.arguments.contains("runner-tray-supervisor doctor");
    let doctor = place.processes().into_iter().find(is_doctor).unwrap().id;
    process::signal(&doctor, Signal::STOP).unwrap();

    let output = asking.unwrap().wait_with_output().unwrap();
    let found = findings(&output.stdout);
    assert_found(&found, Check::Supervisor, Level::Unknown, "was ended");
    assert_found(&found, Check::Supervisor, Level::Ok, "it runs");
    assert_eq!((output.status.code(), found.len()), (Some(0), 2), "{found:#?}");
    assert!(!is_alive(&doctor));
    supervisor.stop();
}

#[test]
fn a_machine_that_sleeps_by_itself_is_warned_of() {
    let place = Place::new();
    let machine = place.path("machine");
    let arguments = [&NOBODY[..], &["--root", machine.to_str().unwrap()]].concat();
    write(&machine.join("sys/power/state"), "freeze mem\n");
    assert_well(&examine(&place, &arguments), Check::Sleep);
    write(&machine.join("etc/systemd/logind.conf"), "[Login]\nIdleAction=suspend\n");
    assert_found(&examine(&place, &arguments), Check::Sleep, Level::Warn, "IdleAction=suspend");
}

/// As an ordinary user of a machine, whose jobs are to have a user of their own.
#[test]
fn a_job_user_is_bad_until_sudo_lets_jobs_run_as_it_and_where_it_may_become_root() {
    if !User::can_be_made() {
        return;
    }
    let (mut owner, mut jobs) = (User::make("owner"), User::make("jobs"));
    let mut place = Place::new();
    set_up_by_hand(&place, &format!("job_user = \"{}\"\n", jobs.name));
    let mut chown = Command::new("chown");
    chown.arg("-R").arg(owner.id.to_string()).arg(place.root());
    assert!(chown.status().unwrap().success());
    place.set_user(owner.id, owner.group);

    let found = examine(&place, &NOBODY);
    assert_found(&found, Check::User, Level::Ok, &owner.name);
    let told = assert_found(&found, Check::JobUser, Level::Bad, "without a password");
    let line = format!("{} ALL=({}) NOPASSWD: ALL", owner.name, jobs.name);
    assert!(told.mend.unwrap().contains(&line), "the exact line for sudoers");

    owner.may_run_as(&jobs.name);
    let found = examine(&place, &NOBODY);
    assert_well(&found, Check::JobUser);
    assert_found(&found, Check::Tools, Level::Ok, &jobs.name);

    jobs.may_run_as("root");
    let found = examine(&place, &NOBODY);
    assert_found(&found, Check::JobUser, Level::Bad, "becomes root");
}

/// All processes of this user of the machine that live: some PID 1 never waits for its orphans.
fn processes_of(user: &User) -> Vec<String> {
    let found = Command::new("ps").args(["-o", "stat=,args=", "-u", &user.name]).output().unwrap();
    let found = String::from_utf8_lossy(&found.stdout).into_owned();
    found.lines().filter(|line| !line.starts_with('Z')).map(str::to_owned).collect()
}

#[test]
fn a_job_user_whose_login_hangs_is_told_and_nothing_of_it_outlives_the_doctor() {
    if !User::can_be_made() || !has_tools(&["ps"]) {
        return;
    }
    let (mut owner, jobs) = (User::make("owner"), User::make("jobs"));
    owner.may_run_as(&jobs.name);
    let profile = PathBuf::from(format!("/home/{}/.bash_profile", jobs.name));
    // It starts more than one process, and heeds no signal that it can choose not to.
    write(&profile, "trap '' TERM HUP INT\nsleep 1000 &\nsleep 1001\nsleep 1002\n");
    fs::set_permissions(&profile, Permissions::from_mode(0o644)).unwrap();
    // By an ordinary owner, who may not signal that user's processes, and by root.
    for of_owner in [true, false] {
        let mut place = Place::new();
        set_up_by_hand(&place, &format!("job_user = \"{}\"\n", jobs.name));
        if of_owner {
            let mut chown = Command::new("chown");
            chown.arg("-R").arg(owner.id.to_string()).arg(place.root());
            assert!(chown.status().unwrap().success());
            place.set_user(owner.id, owner.group);
        }
        let found = examine(&place, &[&NOBODY[..], &["--within", "14"]].concat());
        let told = assert_found(&found, Check::JobUser, Level::Bad, "did not end");
        assert!(told.mend.unwrap().contains("login profile"), "where to look");
        assert_eq!(processes_of(&jobs), [""; 0], "of_owner: {of_owner}");
    }
}
