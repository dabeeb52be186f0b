//! What starts when the user logs in: the app by the desktop's own means, the supervisor by the system's
//! service manager. Where there is none the app starts the supervisor when it starts. It remembers nothing.

use host::Folders;
use serde::Serialize;

use crate::IN_TRAY;
use crate::reply::Refusal;

/// `Login` in `ui/src/answers.ts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub(crate) struct Login {
    service: Service,
    supervisor: bool,
    app: bool,
}

/// What starts the supervisor, where that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
#[serde(rename_all = "kebab-case")]
enum Service {
    Systemd,
    Launchd,
    None,
}

/// What is so now, by the word of the service manager and of the desktop.
pub(crate) async fn login() -> Login {
    let state = client::login_state().await;
    let service = match (&state, std::env::consts::OS) {
        (None, _) => Service::None,
        (Some(_), "macos") => Service::Launchd,
        (Some(_), _) => Service::Systemd,
    };
    let supervisor = state.is_some_and(|state| state.enabled);
    Login { service, supervisor, app: host::starts_at_login() }
}

/// Makes it so, and says what is so then; what is absent stays.
pub(crate) async fn set_login(
    folders: &Folders,
    supervisor: Option<bool>,
    app: Option<bool>,
) -> Result<Login, Refusal> {
    if let Some(on) = app {
        let set =
            host::this_program().and_then(|program| host::start_at_login(&program, IN_TRAY, on));
        set.map_err(|error| {
            let title = "Whether the app starts at login could not be changed.";
            Refusal::failed(title, &error, "Change it in your desktop's own settings.")
        })?;
    }
    let now = login().await;
    match supervisor {
        // Without a service manager the app starts it, so there is nothing to switch.
        Some(on) if now.service != Service::None && now.supervisor != on => {
            hand_over(folders, on).await?;
            Ok(login().await)
        }
        Some(_) | None => Ok(now),
    }
}

/// To the service manager, or back.
async fn hand_over(folders: &Folders, on: bool) -> Result<(), Refusal> {
    let (done, verb) = if on {
        (client::enable_at_login(folders).await, "enable")
    } else {
        (client::disable_at_login(folders).await, "disable")
    };
    done.map(drop).map_err(|error| {
        let title = "Whether the supervisor starts at login could not be changed.";
        let hint = format!("Look at what the system says: runnerctl supervisor {verb}");
        Refusal::failed(title, &error, &hint)
    })
}
