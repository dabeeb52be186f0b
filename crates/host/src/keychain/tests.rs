//! Against a real gnome-keyring, in a D-Bus session of each test's own.

use std::{
    env,
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{Answer, Request, Unavailable, Verb, serve};

/// Set for the test binary when it plays the supervisor's keychain child.
const PLAY_CHILD: &str = "RUNNER_TRAY_TEST_KEYCHAIN_VERB";
const ACCOUNT: &str = "0badcafe/mac-mini (2)";
/// For what must come; nothing is measured by it.
const PATIENCE: Duration = Duration::from_mins(1);

/// The child of the tests below; by itself it does nothing. libtest writes to standard output, so
/// the answer goes to descriptor 3.
#[test]
fn plays_the_child() {
    let Ok(verb) = env::var(PLAY_CHILD) else { return };
    let answer = File::options().write(true).open("/dev/fd/3").unwrap();
    serve(Verb::parse(&verb).unwrap(), io::stdin().lock(), answer).unwrap();
}

/// A D-Bus session that ends, with all in it, when this is dropped.
struct Session {
    process: Child,
    address: String,
    home: TempDir,
}

/// A gnome-keyring with an unlocked "login" collection; its name is on the bus only some time after
/// it has started.
const KEYRING: &str = "printf pass |
    gnome-keyring-daemon --unlock --components=secrets --foreground >/dev/null &
    trap 'kill $!' EXIT
    gdbus wait --session --timeout 60 org.freedesktop.secrets || exit";
const NO_KEYRING: &str = "";
/// A bus that starts nobody by name: a desktop's would start a keychain of its own accord.
const BARE_BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>"#;

impl Session {
    /// None, with a printed line, where the programs for it are not installed.
    fn start(keyring: &str) -> Option<Self> {
        for program in ["dbus-run-session", "gnome-keyring-daemon", "gdbus"] {
            let paths = env::var_os("PATH").unwrap_or_default();
            if !env::split_paths(&paths).any(|folder| folder.join(program).exists()) {
                skipped::skipped(&format!("{program} is not installed"));
                return None;
            }
        }
        let home = tempfile::tempdir().unwrap();
        let config = home.path().join("bus.conf");
        File::create(&config).unwrap().write_all(BARE_BUS.as_bytes()).unwrap();
        let mut command = Command::new("dbus-run-session");
        command.arg("--config-file").arg(config).args(["--", "/bin/sh", "-c"]);
        command.arg(format!("{keyring}\necho \"$DBUS_SESSION_BUS_ADDRESS\"; read _"));
        in_home(&mut command, home.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut address = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut address).unwrap();
        assert!(address.starts_with("unix:"), "the session did not start: {address:?}");
        Some(Self { process, address: address.trim().to_owned(), home })
    }

    fn ask(&self, verb: Verb, secret: Option<&str>) -> Result<Option<String>, Unavailable> {
        ask_at(&self.address, self.home.path(), verb, secret)
    }

    /// What a method of the bus answers, as gdbus prints it.
    fn call(&self, to: &str, path: &str, method: &str, argument: &str) -> String {
        let called = Command::new("gdbus")
            .args(["call", "--address", &self.address, "--dest", to, "--object-path", path])
            .args(["--method", method, argument])
            .output()
            .unwrap();
        assert!(called.status.success(), "{called:?}");
        String::from_utf8(called.stdout).unwrap()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Its shell waits for a line: the end of its input ends the session.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

fn in_home(command: &mut Command, home: &Path) {
    command.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default());
    command.env("HOME", home).env("XDG_RUNTIME_DIR", home);
}

/// A child of its own for one question, as the supervisor starts it.
fn child_at(address: &str, home: &Path, verb: Verb, secret: Option<&str>) -> Child {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "exec 3>&1 >/dev/null; exec \"$0\" \"$@\""]);
    command.arg(env::current_exe().unwrap()).args(["--exact", "keychain::tests::plays_the_child"]);
    in_home(&mut command, home);
    command.env("DBUS_SESSION_BUS_ADDRESS", address).env(PLAY_CHILD, verb.as_str());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let request = Request { account: ACCOUNT.to_owned(), secret: secret.map(str::to_owned) };
    let request = serde_json::to_vec(&request).unwrap();
    child.stdin.take().unwrap().write_all(&request).unwrap();
    child
}

fn ask_at(
    address: &str,
    home: &Path,
    verb: Verb,
    secret: Option<&str>,
) -> Result<Option<String>, Unavailable> {
    let mut child = child_at(address, home, verb, secret);
    let answer = answer_of(&mut child, PATIENCE);
    let _ = child.kill();
    child.wait().unwrap();
    serde_json::from_slice::<Answer>(&answer.unwrap()).unwrap().done
}

fn answer_of(child: &mut Child, patience: Duration) -> Option<Vec<u8>> {
    let mut stdout = child.stdout.take().unwrap();
    let (done, answer) = mpsc::channel();
    thread::spawn(move || {
        let mut json = Vec::new();
        let read = stdout.read_to_end(&mut json);
        let _ = done.send(read.map(|_| json));
    });
    answer.recv_timeout(patience).ok().map(Result::unwrap)
}

#[test]
fn a_token_is_kept_replaced_and_forgotten() {
    let Some(session) = Session::start(KEYRING) else { return };
    assert_eq!(session.ask(Verb::Get, None), Err(Unavailable::Missing));
    assert_eq!(session.ask(Verb::Forget, None), Ok(None));
    for kept in ["first", "second \" \\ ü"] {
        assert_eq!(session.ask(Verb::Set, Some(kept)), Ok(None));
        assert_eq!(session.ask(Verb::Get, None), Ok(Some(kept.to_owned())));
    }
    assert_eq!(session.ask(Verb::Forget, None), Ok(None));
    assert_eq!(session.ask(Verb::Get, None), Err(Unavailable::Missing));
}

#[test]
fn a_locked_keychain_says_so_and_gives_nothing() {
    let Some(session) = Session::start(KEYRING) else { return };
    assert_eq!(session.ask(Verb::Set, Some("secret")), Ok(None));
    session.call(
        "org.freedesktop.secrets",
        "/org/freedesktop/secrets",
        "org.freedesktop.Secret.Service.Lock",
        "['/org/freedesktop/secrets/collection/login']",
    );
    for (verb, secret) in [(Verb::Get, None), (Verb::Set, Some("another")), (Verb::Forget, None)] {
        assert_eq!(session.ask(verb, secret), Err(Unavailable::Locked));
    }
}

#[test]
fn a_new_token_does_not_get_into_a_locked_keychain_that_has_none() {
    let Some(session) = Session::start(KEYRING) else { return };
    session.call(
        "org.freedesktop.secrets",
        "/org/freedesktop/secrets",
        "org.freedesktop.Secret.Service.Lock",
        "['/org/freedesktop/secrets/collection/login']",
    );
    assert_eq!(session.ask(Verb::Set, Some("secret")), Err(Unavailable::Locked));
}

#[test]
fn a_keychain_that_hangs_hangs_only_the_child() {
    let Some(session) = Session::start(KEYRING) else { return };
    let method = "org.freedesktop.DBus.GetConnectionUnixProcessID";
    let (bus, path) = ("org.freedesktop.DBus", "/org/freedesktop/DBus");
    let told = session.call(bus, path, method, "org.freedesktop.secrets");
    let pid = told.trim().trim_start_matches("(uint32 ").trim_end_matches(",)").parse().unwrap();
    let keyring = Pid::from_raw(pid).unwrap();
    kill_process(keyring, Signal::STOP).unwrap();
    let mut child = child_at(&session.address, session.home.path(), Verb::Get, None);
    assert_eq!(answer_of(&mut child, Duration::from_millis(500)), None);
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    kill_process(keyring, Signal::CONT).unwrap();
    assert_eq!(session.ask(Verb::Get, None), Err(Unavailable::Missing));
}

#[test]
fn no_keychain_in_the_session_and_no_session_are_both_no_service() {
    if let Some(session) = Session::start(NO_KEYRING) {
        for (verb, secret) in [(Verb::Get, None), (Verb::Set, Some("x")), (Verb::Forget, None)] {
            let done = session.ask(verb, secret);
            assert!(matches!(done, Err(Unavailable::NoService(_))), "{done:?}");
        }
        let home = tempfile::tempdir().unwrap();
        let nowhere = format!("unix:path={}/no-bus", home.path().display());
        for address in [nowhere.as_str(), "nonsense", ""] {
            let done = ask_at(address, home.path(), Verb::Get, None);
            assert!(matches!(done, Err(Unavailable::NoService(_))), "{done:?}");
        }
    }
}

#[test]
fn only_whole_requests_are_done_and_none_is_repeated_in_words() {
    for (verb, request) in [
        (Verb::Get, ""),
        (Verb::Get, "{}"),
        (Verb::Set, r#"{"account":"a"}"#),
        (Verb::Get, r#"{"account":"a","secret":"hunter2"}"#),
        (Verb::Set, r#"{"account":"a","secret":hunter2"#),
    ] {
        let mut answer = Vec::new();
        let error = serve(verb, request.as_bytes(), &mut answer).unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
        assert!(answer.is_empty());
    }
}

#[test]
fn the_wire_keeps_its_words() {
    let words = |done| serde_json::to_string(&Answer { done }).unwrap();
    assert_eq!(words(Ok(Some("s".to_owned()))), r#"{"done":{"Ok":"s"}}"#);
    assert_eq!(
        words(Err(Unavailable::WaitsForYou)),
        r#"{"done":{"Err":{"state":"waits-for-you"}}}"#
    );
    assert_eq!(
        words(Err(Unavailable::Refused("no".to_owned()))),
        r#"{"done":{"Err":{"state":"refused","why":"no"}}}"#
    );
}
