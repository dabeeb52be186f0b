//! Stand-ins for what a desktop has on its buses: logind, which keeps awake and puts to sleep, and
//! whoever shows notifications. Each remembers what it was asked.

#![expect(
    clippy::unused_self,
    clippy::used_underscore_binding,
    reason = "an interface is as its specification has it"
)]

use std::collections::HashMap;
use std::io::Read;
use std::os::fd::OwnedFd as StdFd;
use std::sync::{Arc, Mutex, MutexGuard};

use zbus::blocking::{Connection, connection};
use zbus::fdo;
use zbus::zvariant::{OwnedFd, OwnedValue};

/// What logind was asked, and how many hold the machine awake now.
#[derive(Debug, Default)]
struct Asked {
    inhibited: Vec<[String; 4]>,
    held: usize,
    told: Vec<String>,
    refuses: bool,
}

/// logind, on a bus of the trial's own.
pub struct Logind {
    asked: Arc<Mutex<Asked>>,
    _bus: Connection,
}

struct Manager(Arc<Mutex<Asked>>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics with it")
}

impl Manager {
    fn told(&self, what: &str) -> fdo::Result<()> {
        let mut asked = lock(&self.0);
        if asked.refuses {
            return Err(fdo::Error::AccessDenied("Interactive authentication required.".into()));
        }
        asked.told.push(what.to_owned());
        Ok(())
    }
}

#[zbus::interface(name = "org.freedesktop.login1.Manager")]
impl Manager {
    fn inhibit(&self, what: &str, who: &str, why: &str, mode: &str) -> fdo::Result<OwnedFd> {
        let failed = |error: std::io::Error| fdo::Error::IOError(error.to_string());
        let (mut ours, theirs) = std::io::pipe().map_err(failed)?;
        let mut asked = lock(&self.0);
        if asked.refuses {
            return Err(fdo::Error::AccessDenied("No.".into()));
        }
        asked.inhibited.push([what, who, why, mode].map(str::to_owned));
        asked.held += 1;
        let known = Arc::clone(&self.0);
        std::thread::spawn(move || {
            // It ends when the last one who has it is gone.
            let _ = ours.read(&mut [0]);
            lock(&known).held -= 1;
        });
        Ok(OwnedFd::from(StdFd::from(theirs)))
    }

    fn suspend(&self, interactive: bool) -> fdo::Result<()> {
        self.told(&format!("Suspend {interactive}"))
    }

    fn reboot(&self, interactive: bool) -> fdo::Result<()> {
        self.told(&format!("Reboot {interactive}"))
    }
}

impl Logind {
    /// On the bus that listens there.
    #[track_caller]
    pub fn start(address: &str) -> Self {
        let asked = Arc::new(Mutex::new(Asked::default()));
        let bus = on(
            address,
            "org.freedesktop.login1",
            "/org/freedesktop/login1",
            Manager(Arc::clone(&asked)),
        );
        Self { asked, _bus: bus }
    }

    /// How many keep the machine awake now.
    pub fn held(&self) -> usize {
        lock(&self.asked).held
    }

    /// What, who, why and mode of each time it was asked to.
    pub fn inhibited(&self) -> Vec<[String; 4]> {
        lock(&self.asked).inhibited.clone()
    }

    /// What the machine was told to do.
    pub fn told(&self) -> Vec<String> {
        lock(&self.asked).told.clone()
    }

    pub fn refuses(&self) {
        lock(&self.asked).refuses = true;
    }
}

/// One notification as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub id: u32,
    pub title: String,
    pub body: String,
    /// Keys and words, in turn.
    pub actions: Vec<String>,
}

/// Whoever shows notifications, on a bus of the trial's own.
pub struct Notifications {
    seen: Arc<Mutex<Vec<Seen>>>,
    closed: Arc<Mutex<Vec<u32>>>,
    bus: Connection,
}

struct Server {
    seen: Arc<Mutex<Vec<Seen>>>,
    closed: Arc<Mutex<Vec<u32>>>,
    can: Vec<String>,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Server {
    fn get_capabilities(&self) -> Vec<String> {
        self.can.clone()
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("stand-in".into(), "trials".into(), "1".into(), "1.2".into())
    }

    #[expect(clippy::too_many_arguments, reason = "the specification has them")]
    fn notify(
        &self,
        _app: &str,
        _replaces: u32,
        _icon: &str,
        summary: &str,
        body: &str,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _timeout: i32,
    ) -> u32 {
        let mut seen = lock(&self.seen);
        let id = u32::try_from(seen.len()).unwrap_or_default() + 1;
        seen.push(Seen { id, title: summary.into(), body: body.into(), actions });
        id
    }

    fn close_notification(&self, id: u32) {
        lock(&self.closed).push(id);
    }
}

impl Notifications {
    #[track_caller]
    pub fn start(address: &str, can: &[&str]) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let can = can.iter().map(|word| (*word).to_owned()).collect();
        let closed = Arc::new(Mutex::new(Vec::new()));
        let server = Server { seen: Arc::clone(&seen), closed: Arc::clone(&closed), can };
        let name = "org.freedesktop.Notifications";
        Self { seen, closed, bus: on(address, name, "/org/freedesktop/Notifications", server) }
    }

    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.seen).clone()
    }

    /// Those that whoever showed them has taken off the screen, in that order.
    pub fn closed(&self) -> Vec<u32> {
        lock(&self.closed).clone()
    }

    /// Somebody presses the button with this key. Whoever does not listen yet hears nothing of it.
    #[track_caller]
    pub fn press(&self, id: u32, key: &str) {
        let path = "/org/freedesktop/Notifications";
        let interface = "org.freedesktop.Notifications";
        let pressed =
            self.bus.emit_signal(None::<&str>, path, interface, "ActionInvoked", &(id, key));
        pressed.expect("the bus takes it");
    }
}

#[track_caller]
fn on(
    address: &str,
    name: &str,
    path: &str,
    service: impl zbus::object_server::Interface,
) -> Connection {
    connection::Builder::address(address)
        .and_then(|builder| builder.name(name.to_owned()))
        .and_then(|builder| builder.serve_at(path.to_owned(), service))
        .and_then(connection::Builder::build)
        .expect("the stand-in is on the bus")
}
