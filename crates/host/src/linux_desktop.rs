//! Linux's side of the desktop: X11's and Wayland's variables, and who shows tray icons.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use directories::BaseDirs;
use futures::{StreamExt, stream};
use zbus::fdo::DBusProxy;
use zbus::message::Type;
use zbus::names::BusName;
use zbus::zvariant::OwnedValue;
use zbus::{Connection, MatchRule, MessageStream};

use crate::TrayPicture;
use crate::login_service::run;

pub(crate) const TRAY_PICTURE: TrayPicture = TrayPicture::AsItIs;

/// Who knows the tray's icons, and whether a host shows them:
/// <https://www.freedesktop.org/wiki/Specifications/StatusNotifierItem/StatusNotifierWatcher/>.
const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const AT: &str = "/StatusNotifierWatcher";

pub(crate) fn has_display() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

/// `WebKitGTK` reads every five seconds how full the machine's memory is, a byte a call, for as long as the app runs.
/// What it would give back then is gone with the window anyway.
#[expect(unsafe_code, reason = "another thread could read the environment meanwhile")]
pub(crate) fn calm_web_view() {
    const NO_MONITOR: &str = "WEBKIT_DISABLE_MEMORY_PRESSURE_MONITOR";
    if std::env::var_os(NO_MONITOR).is_none() {
        // SAFETY: its caller has started no thread yet.
        unsafe { std::env::set_var(NO_MONITOR, "1") };
    }
}

/// What a desktop tells systemd's user manager of itself when it begins (systemctl(1), `import-environment`).
const OF_DISPLAY: [&str; 4] = ["DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_CURRENT_DESKTOP"];

pub(crate) fn display_of_session() -> Vec<(String, String)> {
    let asked = ["--user", "show-environment", "--output=json"];
    // Without a user manager nobody knows.
    run("systemctl", &asked).map(|told| of_display(&told)).unwrap_or_default()
}

fn of_display(told: &str) -> Vec<(String, String)> {
    let all: BTreeMap<String, String> = serde_json::from_str(told).unwrap_or_default();
    all.into_iter().filter(|(name, _)| OF_DISPLAY.contains(&name.as_str())).collect()
}

pub(crate) async fn watch_tray(mut told: impl FnMut(bool)) {
    // It never ends well: without a bus nobody shows any.
    let _ = watch_host(&mut told).await;
    told(false);
}

async fn watch_host(told: &mut impl FnMut(bool)) -> zbus::Result<()> {
    let session = Connection::session().await?;
    let bus = DBusProxy::new(&session).await?;
    // Listen first, then look: whoever appears in between is not missed.
    let signals = MatchRule::builder().msg_type(Type::Signal).interface(WATCHER)?.path(AT)?.build();
    let signals = MessageStream::for_match_rule(signals, &session, None).await?;
    let owners = bus.receive_name_owner_changed_with_args(&[(0, WATCHER)]).await?;
    let mut changes = stream::select(signals.map(drop), owners.map(drop));
    told(has_host(&session, &bus).await?);
    while let Some(()) = changes.next().await {
        told(has_host(&session, &bus).await?);
    }
    Ok(())
}

/// A watcher alone draws nothing. One that does not say is believed to have a host.
async fn has_host(session: &Connection, bus: &DBusProxy<'_>) -> zbus::Result<bool> {
    if !bus.name_has_owner(BusName::try_from(WATCHER)?).await? {
        return Ok(false);
    }
    let asked = (WATCHER, "IsStatusNotifierHostRegistered");
    let properties = "org.freedesktop.DBus.Properties";
    let said = session.call_method(Some(WATCHER), AT, Some(properties), "Get", &asked).await;
    let said = said.and_then(|said| Ok(bool::try_from(said.body().deserialize::<OwnedValue>()?)?));
    Ok(said.unwrap_or(true))
}

/// Desktop Application Autostart Specification, "Autostart Of Applications During Startup".
pub(crate) fn autostart_file(dirs: &BaseDirs) -> PathBuf {
    dirs.config_dir().join("autostart/dev.runner-tray.app.desktop")
}

/// A desktop's settings switch an entry off by `Hidden`, or by GNOME's own key.
pub(crate) fn is_autostart_on(text: &str) -> bool {
    let off = ["Hidden=true", "X-GNOME-Autostart-enabled=false"];
    !text.lines().any(|line| off.contains(&line.trim()))
}

pub(crate) fn autostart(program: &Path, argument: &str) -> String {
    format!(
        "[Desktop Entry]\n\
         Type=Application\n\
         Name=Runner Tray\n\
         Comment=Shows this machine's CircleCI runners in the tray\n\
         Exec={} {argument}\n\
         Icon=runner-tray\n\
         Terminal=false\n\
         X-GNOME-Autostart-enabled=true\n",
        quoted(&program.display().to_string())
    )
}

/// One word of `Exec`: quoted for it, and its backslashes once more for the file (Desktop Entry
/// Specification, "The Exec key").
fn quoted(word: &str) -> String {
    let mut quoted = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '`' | '$' => quoted.extend(['\\', '\\', c]),
            '\\' => quoted.push_str("\\\\\\\\"),
            '%' => quoted.push_str("%%"),
            '\n' => quoted.push_str("\\n"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_one_word_whatever_is_in_its_path() {
        assert_eq!(quoted("/opt/a b"), r#""/opt/a b""#);
        assert_eq!(quoted("/opt/$x 100%"), r#""/opt/\\$x 100%%""#);
        assert_eq!(quoted(r"/a\b"), r#""/a\\\\b""#);
    }

    #[test]
    fn of_what_the_user_manager_knows_the_display_alone_is_taken() {
        // As systemd 252 says it.
        let told = r#"{"HOME":"/home/ada","DISPLAY":":0","XAUTHORITY":"/run/my $x'\\ä auth","PATH":"/bin"}"#;
        let taken = of_display(told);
        assert_eq!(taken[0], ("DISPLAY".to_owned(), ":0".to_owned()));
        assert_eq!(taken[1], ("XAUTHORITY".to_owned(), r"/run/my $x'\ä auth".to_owned()));
        assert_eq!(taken.len(), 2);
        for nothing in ["", "HOME=/home/ada", "{", "[]"] {
            assert!(of_display(nothing).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn an_entry_is_on_until_a_desktop_switches_it_off() {
        let entry = autostart(Path::new("/usr/bin/runner-tray"), "--in-tray");
        assert!(entry.contains("\nExec=\"/usr/bin/runner-tray\" --in-tray\n"), "{entry}");
        assert!(is_autostart_on(&entry));
        assert!(!is_autostart_on(&format!("{entry}Hidden=true\n")));
        let off = entry.replace("Autostart-enabled=true", "Autostart-enabled=false");
        assert!(!is_autostart_on(&off));
    }
}
