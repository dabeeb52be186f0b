//! The one window: made when it is opened, destroyed when it is closed, so that a closed one costs nothing.
//! Where it was is in a file meanwhile.

use std::path::{Path, PathBuf};

use serde::Serialize;
use tauri::utils::config::BackgroundThrottlingPolicy;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{
    AppHandle, Emitter, Manager, PhysicalPosition, Url, WebviewUrl, WebviewWindow,
    WebviewWindowBuilder,
};

use crate::geometry::{self, Geometry, LEAST, SIZE, Screen};

const LABEL: &str = "main";

/// The file that says where the window was.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn below(state: &Path) -> Self {
        Self(state.join("window.json"))
    }
}

/// Makes the window, or brings it to the front.
pub(crate) fn open(app: &AppHandle) -> tauri::Result<()> {
    if let Some(window) = app.get_webview_window(LABEL) {
        window.show()?;
        window.unminimize()?;
        return window.set_focus();
    }
    let was = geometry::read(&app.state::<Place>().0);
    let fitted = was.map(|was| geometry::fitted(was, &screens(app)));
    let (size, position) = fitted.unwrap_or((SIZE, None));
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::default())
        .title("Runner Tray")
        .inner_size(size.0, size.1)
        .min_inner_size(LEAST.0, LEAST.1)
        .maximized(was.is_some_and(|was| was.maximized))
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
    if let Some((x, y)) = position {
        window.set_position(PhysicalPosition::new(x, y))?;
    }
    Ok(())
}

/// Before the window goes: the next one is made where it was. What cannot be written is not missed.
pub(crate) fn remember(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    let file = &app.state::<Place>().0;
    let written = of(&window, geometry::read(file)).map(|it| geometry::write(file, it));
    match written {
        Ok(Ok(())) => {}
        Ok(Err(error)) => eprintln!("runner-tray: could not write {}: {error}", file.display()),
        Err(error) => eprintln!("runner-tray: could not tell where the window is: {error}"),
    }
}

/// One that fills its screen keeps the place to which it goes back.
fn of(window: &WebviewWindow, before: Option<Geometry>) -> tauri::Result<Geometry> {
    let maximized = window.is_maximized()? || window.is_fullscreen()?;
    if let Some(before) = before.filter(|_| maximized) {
        return Ok(Geometry { maximized, ..before });
    }
    let position = window.outer_position()?;
    let size = window.inner_size()?.to_logical::<f64>(window.scale_factor()?);
    let (width, height) = if maximized { SIZE } else { (size.width, size.height) };
    Ok(Geometry { x: position.x, y: position.y, width, height, maximized })
}

fn screens(app: &AppHandle) -> Vec<Screen> {
    let length = |pixels: u32| i32::try_from(pixels).unwrap_or(i32::MAX);
    let screen = |monitor: &tauri::Monitor| {
        let (at, size) = (monitor.position(), monitor.size());
        let (width, height) = (length(size.width), length(size.height));
        Screen { x: at.x, y: at.y, width, height, scale: monitor.scale_factor() }
    };
    app.available_monitors().unwrap_or_default().iter().map(screen).collect()
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
