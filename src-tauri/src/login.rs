//! What starts when the user logs in: the app, by the desktop's own means. The app starts the
//! supervisor when it starts.

use serde::Serialize;

use crate::IN_TRAY;
use crate::reply::Refusal;

/// `Login` in `ui/src/answers.ts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Login {
    service: Service,
    supervisor: bool,
    app: bool,
}

/// What would start the supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Service {
    None,
}

/// What is so now.
pub(crate) fn login() -> Login {
    Login { service: Service::None, supervisor: false, app: host::starts_at_login() }
}

/// Makes it so, and says what is so then.
pub(crate) fn set_login(app: Option<bool>) -> Result<Login, Refusal> {
    if let Some(on) = app {
        let set =
            std::env::current_exe().and_then(|program| host::start_at_login(&program, IN_TRAY, on));
        set.map_err(|error| {
            let title = "Whether the app starts at login could not be changed.";
            Refusal::failed(title, &error, "Change it in your desktop's own settings.")
        })?;
    }
    Ok(login())
}
