//! Linux's side of the session: logind on the system's bus, notifications on the session's.

use std::io::{self, IoSlice, IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::pin::pin;
use std::process::{Command, Stdio};

use futures::future;
use notify_rust::NotificationResponse;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use zbus::blocking::Connection;

use crate::awake::Machine;
use crate::notification::{DESKTOP_ENTRY, End, Notification, escaped};
use crate::power::{Power, from_supplies};

/// logind lets the machine sleep when the last descriptor of it is closed
/// (<https://systemd.io/INHIBITOR_LOCKS>).
pub(crate) type Held = OwnedFd;

const LOGIND: &str = "org.freedesktop.login1";
const AT: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";

pub(crate) fn power(supplies: &Path) -> Power {
    from_supplies(supplies)
}

pub(crate) fn keep_awake(child: &Path, arguments: &[&str]) -> Result<Held, String> {
    let broken = |error: io::Error| format!("asking for it failed: {error}");
    let (ours, theirs) = UnixStream::pair().map_err(broken)?;
    let mut child = Command::new(child)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(OwnedFd::from(theirs))
        .stderr(Stdio::null())
        .spawn()
        .map_err(broken)?;
    let got = receive(&ours);
    let _ = child.wait();
    got
}

fn receive(from: &UnixStream) -> Result<Held, String> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut word = [0];
    let got =
        recvmsg(from, &mut [IoSliceMut::new(&mut word)], &mut control, RecvFlags::CMSG_CLOEXEC);
    got.map_err(|error| format!("asking for it failed: {error}"))?;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(mut held) = message
            && let Some(held) = held.next()
        {
            return Ok(held);
        }
    }
    // What it says instead are the system's words.
    let mut words = word.to_vec();
    let _ = from.take(4096).read_to_end(&mut words);
    let words = String::from_utf8_lossy(&words).trim_matches(['\0', '\n']).trim().to_owned();
    Err(if words.is_empty() { "it gave no answer".into() } else { words })
}

pub(crate) fn give_awake() -> io::Result<()> {
    let out = rustix::stdio::stdout();
    let held = match inhibit() {
        Ok(held) => held,
        Err(why) => {
            rustix::io::write(out, why.as_bytes())?;
            return Ok(());
        }
    };
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fds = [held.as_fd()];
    if !control.push(SendAncillaryMessage::ScmRights(&fds)) {
        return Err(io::Error::other("there is no room for a descriptor"));
    }
    sendmsg(out, &[IoSlice::new(b"+")], &mut control, SendFlags::empty())?;
    Ok(())
}

/// "sleep" for desktops that put the machine to sleep themselves, "idle" for logind's own clock. A lid
/// that is closed is its owner's hand, and not hindered.
fn inhibit() -> Result<OwnedFd, String> {
    let arguments = ("sleep:idle", "Runner Tray", "A CI task runs", "block");
    let reply = call("Inhibit", &arguments)?;
    let held: zbus::zvariant::OwnedFd = reply.body().deserialize().map_err(|e| words(&e))?;
    Ok(held.into())
}

pub(crate) fn tell_machine(machine: Machine) -> Result<(), String> {
    let method = match machine {
        Machine::Sleep => "Suspend",
        Machine::Restart => "Reboot",
    };
    // Not interactive: nobody may be there to be asked.
    call(method, &false).map(drop)
}

fn call<Body: serde::Serialize + zbus::zvariant::DynamicType>(
    method: &str,
    body: &Body,
) -> Result<zbus::Message, String> {
    let bus = Connection::system().map_err(|error| words(&error))?;
    bus.call_method(Some(LOGIND), AT, Some(MANAGER), method, body).map_err(|error| words(&error))
}

fn words(error: &zbus::Error) -> String {
    if let zbus::Error::MethodError(name, Some(words), _) = error {
        return format!("{words} ({name})");
    }
    error.to_string()
}

// The same on both systems; only macOS can say why not.
#[expect(clippy::unnecessary_wraps, reason = "macOS may refuse to answer")]
pub(crate) fn may_notify() -> Result<bool, String> {
    Ok(true)
}

pub(crate) fn show(notification: &Notification, nobody_waits: impl Future<Output = ()>) -> End {
    let handle = match shown(notification) {
        Ok(handle) => handle,
        Err(error) => return End::NotShown(error.to_string()),
    };
    let mut end = None;
    zbus::block_on(async {
        let answer = pin!(handle.wait_for_action_async(|response| end = Some(end_of(response))));
        future::select(answer, pin!(nobody_waits)).await;
    });
    if end.is_none() && !notification.buttons.is_empty() {
        handle.close();
    }
    end.unwrap_or(End::Closed)
}

fn end_of(response: &NotificationResponse) -> End {
    match response {
        NotificationResponse::Default => End::Clicked,
        NotificationResponse::Action(key) => End::Chosen(key.clone()),
        NotificationResponse::Reply(_) | NotificationResponse::Closed(_) => End::Closed,
    }
}

pub(crate) fn tell(notification: &Notification) {
    // Where nobody shows it, it is on the standard error alone.
    let _ = shown(notification);
}

fn shown(
    notification: &Notification,
) -> notify_rust::error::Result<notify_rust::NotificationHandle> {
    let Notification { title, body, buttons } = notification;
    let can = notify_rust::get_capabilities()?;
    let has = |what: &str| can.iter().any(|known| known == what);
    let mut shown = notify_rust::Notification::new();
    shown.appname("Runner Tray").icon(DESKTOP_ENTRY).summary(title);
    shown.hint(notify_rust::Hint::DesktopEntry(DESKTOP_ENTRY.into()));
    // A server without markup would show the escapes.
    shown.body(&if has("body-markup") { escaped(body) } else { body.clone() });
    if has("actions") {
        shown.action("default", "Open Runner Tray");
        for (key, words) in buttons {
            shown.action(key, words);
        }
    }
    shown.show()
}
