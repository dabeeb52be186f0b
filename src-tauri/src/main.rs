//! The tray and the window of Runner Tray: a client like any other. It holds no state of its own, and
//! runners, agents and tasks never notice whether it is there.

mod ask;
mod call;
mod carry_out;
mod controller;
mod directories;
mod examined;
mod folder;
mod geometry;
mod icon;
mod line;
mod link;
mod links;
mod login;
mod menu;
mod notifying;
mod reopen;
#[cfg(test)]
mod replies;
mod reply;
mod said;
#[cfg(test)]
mod scenes;
mod tray;
mod view;
mod window;
mod words;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use host::notification::Notification;
use tauri::{AppHandle, Manager, RunEvent, State, WindowEvent};
use tokio::sync::{mpsc, oneshot, watch};

use ask::Ask;
use carry_out::Hands;
use controller::{Controller, Happened};
use link::News;
use reply::Reply;
use said::Said;

/// What the desktop's own start at login says.
pub(crate) const IN_TRAY: &str = "--in-tray";

const USAGE: &str = "usage: runner-tray [--window | --in-tray]

  --window    open the window at once
  --in-tray   open no window, not even where there is no runner yet

environment:
  RUNNER_TRAY_HOME    keep everything below this folder
  RUNNER_TRAY_MANY    1: do not hand over to an instance that runs already";

/// Which window is there at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opens {
    Nothing,
    /// The set-up, where this machine has no runner.
    IfNew,
    Window,
}

fn main() -> ExitCode {
    host::keep_little_memory();
    host::calm_web_view();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let opens = match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Opens::IfNew,
        ["--window"] => Opens::Window,
        [IN_TRAY] => Opens::Nothing,
        ["--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    if !host::has_display() {
        eprintln!(
            "runner-tray needs a desktop: neither DISPLAY nor WAYLAND_DISPLAY is set. \
             Start it in a desktop session, or use runnerctl in this terminal."
        );
        return ExitCode::FAILURE;
    }
    match start(opens) {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Err(error) => {
            eprintln!("runner-tray cannot start: {error:#}");
            // Whoever started it by a click has no terminal to read.
            let title = "Runner Tray cannot start".to_owned();
            Notification { title, body: format!("{error:#}"), buttons: Vec::new() }.tell();
            ExitCode::FAILURE
        }
    }
}

/// Runs the desktop's loop until the user quits.
fn start(opens: Opens) -> anyhow::Result<i32> {
    // Before an upgrade can have moved it: what starts at login and beside it is named by where it lies.
    host::this_program().context("find this program")?;
    let folders = host::Folders::find()?;
    folders.ensure()?;
    let pictures = folders.state.join("tray");
    let place = window::Place::below(&folders.state);
    let client = client::Client::connect(folders.socket()?)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the app's own loop")?;
    tauri::async_runtime::set(runtime.handle().clone());

    let (news, happened) = mpsc::unbounded_channel::<Happened>();
    let hands = Hands {
        client: client.clone(),
        news: news.clone(),
        folders: folders.clone(),
        open: |address| {
            tauri_plugin_opener::open_url(address, None::<&str>).map_err(|error| error.to_string())
        },
    };
    let (orders, link) = link::new(client, folders, news.clone());
    let mut builder = tauri::Builder::default();
    if std::env::var_os("RUNNER_TRAY_MANY").is_none_or(|value| value != "1") {
        let news = news.clone();
        builder = builder.plugin(tauri_plugin_single_instance::init(move |_, said, _| {
            // A login that starts it a second time asks for nothing.
            if !said.iter().any(|word| word == IN_TRAY) {
                say(&news, Ask::OpenWindow);
            }
        }));
    }
    let for_windows = news.clone();
    let app = builder
        .manage(news.clone())
        .manage(hands)
        .manage(place)
        .invoke_handler(tauri::generate_handler![ask_app])
        .on_menu_event(|app: &AppHandle, event| {
            if let Ok(ask) = serde_json::from_str(event.id().as_ref()) {
                say(&app.state::<News>(), ask);
            }
        })
        .setup(move |app| {
            if opens == Opens::Window {
                say(&news, Ask::OpenWindow);
            }
            let tray = tray::Tray::new(app.handle(), &pictures)?;
            let notifies = !host::SHOWS_NOTIFICATIONS;
            let controller = Controller::new(tray, orders, opens == Opens::IfNew, notifies);
            let ends = EndsTheApp(app.handle().clone());
            std::thread::Builder::new().name("controller".to_owned()).spawn(move || {
                let _ends = ends;
                runtime.spawn(link.follow());
                runtime.spawn(follow_tray(news, opens == Opens::Nothing));
                runtime.block_on(controller.run(happened));
            })?;
            Ok(())
        })
        .build(tauri::generate_context!())
        .context("start the desktop part")?;
    Ok(app.run_return(move |app, event| {
        if reopen::is_second_start(&event) {
            say(&for_windows, Ask::OpenWindow);
        } else if let RunEvent::ExitRequested { code: None, api, .. } = event {
            // Closing the window is not quitting.
            api.prevent_exit();
        } else if let RunEvent::WindowEvent { event, .. } = event {
            if let WindowEvent::CloseRequested { .. } = event {
                window::remember(app);
            } else if let WindowEvent::Destroyed = event {
                let _ = for_windows.send(Happened::WindowClosed);
            }
        }
    }))
}

/// Tells that nobody shows tray icons, and that somebody does again. Only whoever started the app by hand is
/// shown a window for it, and only at the start.
async fn follow_tray(news: News, mut quietly: bool) {
    /// At login the app may be there before the panel is, and a panel may start anew.
    const PATIENCE: Duration = Duration::from_secs(5);
    let (tell, mut told) = watch::channel(false);
    tokio::spawn(host::watch_tray(move |is_shown| {
        let _ = tell.send(is_shown);
    }));
    // Silence says nothing of the panel; where it lasts, nobody will answer.
    let _ = tokio::time::timeout(PATIENCE * 4, told.changed()).await;
    let mut is_missed = false;
    loop {
        let is_shown = *told.borrow_and_update();
        if is_shown && std::mem::take(&mut is_missed) {
            let _ = news.send(Happened::TrayCame);
        } else if !is_shown && !is_missed {
            let comes = told.wait_for(|is_shown| *is_shown);
            // Where nobody can be asked any more it is over at once.
            if !matches!(tokio::time::timeout(PATIENCE, comes).await, Ok(Ok(_))) {
                is_missed = true;
                let _ = news.send(Happened::NoTray { quietly });
            }
        }
        quietly = true;
        if told.changed().await.is_err() {
            return;
        }
    }
}

/// A tray without its controller would show old news for ever, so the app ends with it.
struct EndsTheApp(AppHandle);

impl Drop for EndsTheApp {
    fn drop(&mut self) {
        self.0.exit(1);
    }
}

/// The window's one command; it returns when the wish was answered. A call gives its reply.
#[tauri::command(rename = "ask")]
async fn ask_app(
    ask: serde_json::Value,
    news: State<'_, News>,
    hands: State<'_, Hands>,
) -> Result<Option<Reply>, String> {
    match Said::read(ask) {
        Err(why) => Ok(Some(Reply::Refused(why))),
        Ok(Said::Call(call)) => Ok(Some(hands.carry_out(call).await)),
        Ok(Said::Ask(ask)) => {
            let (done, answered) = oneshot::channel();
            let _ = news.send(Happened::Asked(ask, Some(done)));
            // An error is how a dropped sender says that it is done.
            let _ = answered.await;
            Ok(None)
        }
    }
}

fn say(news: &News, ask: Ask) {
    let _ = news.send(Happened::Asked(ask, None));
}
