//! The one window: made when it is opened, destroyed when it is closed, so that a closed one costs nothing.

use serde::Serialize;
use tauri::utils::config::BackgroundThrottlingPolicy;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{AppHandle, Emitter, Manager, Url, WebviewUrl, WebviewWindowBuilder};

const LABEL: &str = "main";

/// Makes the window, or brings it to the front.
pub(crate) fn open(app: &AppHandle) -> tauri::Result<()> {
    if let Some(window) = app.get_webview_window(LABEL) {
        window.show()?;
        window.unminimize()?;
        return window.set_focus();
    }
    WebviewWindowBuilder::new(app, LABEL, WebviewUrl::default())
        .title("Runner Tray")
        .inner_size(900.0, 600.0)
        .min_inner_size(640.0, 480.0)
        // Shown once its page is there, so that it never flashes white.
        .visible(false)
        .on_page_load(|window, page| {
            if page.event() == PageLoadEvent::Finished {
                let _ = window.show().and_then(|()| window.set_focus());
            }
        })
        .on_navigation(is_ours)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .background_throttling(BackgroundThrottlingPolicy::Suspend)
        .build()?;
    Ok(())
}

/// To the window, if there is one.
pub(crate) fn emit(app: &AppHandle, event: &str, what: &impl Serialize) -> tauri::Result<()> {
    if app.get_webview_window(LABEL).is_none() {
        return Ok(());
    }
    app.emit_to(LABEL, event, what)
}

/// The page that is built in, or in development the one that Vite serves.
fn is_ours(url: &Url) -> bool {
    let is_built_in = url.scheme() == "tauri";
    is_built_in || tauri::is_dev() && url.host_str() == Some("localhost")
}
