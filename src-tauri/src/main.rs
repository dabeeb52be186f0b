//! The tray and the window of Runner Tray: a client like any other. It holds no state of its own, and
//! runners, agents and tasks never notice whether it is there.

mod ask;
mod controller;
mod desktop;
mod icon;
mod line;
mod link;
mod menu;
#[cfg(test)]
mod scenes;
mod tray;
mod view;
mod window;
mod words;

use std::process::ExitCode;

use anyhow::Context;
use tauri::{AppHandle, Manager, RunEvent, State, WindowEvent};
use tokio::sync::{mpsc, oneshot};

use ask::Ask;
use controller::{Controller, Happened};
use link::News;

const USAGE: &str = "usage: runner-tray [--window]

  --window    open the window at once

environment:
  RUNNER_TRAY_HOME    keep everything below this folder
  RUNNER_TRAY_MANY    1: do not hand over to an instance that runs already";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let opens_window = match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--window"] => true,
        ["--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    if !desktop::has_display() {
        eprintln!(
            "runner-tray needs a desktop: neither DISPLAY nor WAYLAND_DISPLAY is set. \
             Start it in a desktop session, or use runnerctl in this terminal."
        );
        return ExitCode::FAILURE;
    }
    match start(opens_window) {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Err(error) => {
            eprintln!("runner-tray cannot start: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the desktop's loop until the user quits.
fn start(opens_window: bool) -> anyhow::Result<i32> {
    let folders = host::Folders::find()?;
    folders.ensure()?;
    let pictures = folders.state.join("tray");
    let client = client::Client::connect(folders.socket()?)?;

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the app's own loop")?;
    tauri::async_runtime::set(runtime.handle().clone());

    let (news, happened) = mpsc::unbounded_channel::<Happened>();
    let (orders, link) = link::new(client, folders, news.clone());
    let mut builder = tauri::Builder::default();
    if std::env::var_os("RUNNER_TRAY_MANY").is_none_or(|value| value != "1") {
        let news = news.clone();
        builder = builder.plugin(tauri_plugin_single_instance::init(move |_, _, _| {
            say(&news, Ask::OpenWindow);
        }));
    }
    let for_windows = news.clone();
    let app = builder
        .manage(news.clone())
        .invoke_handler(tauri::generate_handler![ask_app])
        .on_menu_event(|app: &AppHandle, event| {
            if let Ok(ask) = serde_json::from_str(event.id().as_ref()) {
                say(&app.state::<News>(), ask);
            }
        })
        .setup(move |app| {
            if opens_window {
                say(&news, Ask::OpenWindow);
            }
            let tray = tray::Tray::new(app.handle(), &pictures)?;
            let controller = Controller::new(tray, orders);
            let ends = EndsTheApp(app.handle().clone());
            std::thread::Builder::new().name("controller".to_owned()).spawn(move || {
                let _ends = ends;
                runtime.spawn(link.follow());
                runtime.spawn(tell_if_no_tray(news));
                runtime.block_on(controller.run(happened));
            })?;
            Ok(())
        })
        .build(tauri::generate_context!())
        .context("start the desktop part")?;
    Ok(app.run_return(move |_, event| {
        if let RunEvent::ExitRequested { code: None, api, .. } = event {
            // Closing the window is not quitting.
            api.prevent_exit();
        } else if let RunEvent::WindowEvent { event: WindowEvent::Destroyed, .. } = event {
            let _ = for_windows.send(Happened::WindowClosed);
        }
    }))
}

async fn tell_if_no_tray(news: News) {
    if !desktop::shows_tray_icons().await {
        let _ = news.send(Happened::NoTray);
    }
}

/// A tray without its controller would show old news for ever, so the app ends with it.
struct EndsTheApp(AppHandle);

impl Drop for EndsTheApp {
    fn drop(&mut self) {
        self.0.exit(1);
    }
}

/// The window's one command; it returns when the wish was answered.
#[tauri::command(rename = "ask")]
async fn ask_app(ask: Ask, news: State<'_, News>) -> Result<(), String> {
    let (done, answered) = oneshot::channel();
    let _ = news.send(Happened::Asked(ask, Some(done)));
    // An error is how a dropped sender says that it is done.
    let _ = answered.await;
    Ok(())
}

fn say(news: &News, ask: Ask) {
    let _ = news.send(Happened::Asked(ask, None));
}
