//! As little as a Tauri app with a tray can be: an icon, a menu of two items, a window with one page
//! that is made when it is opened and destroyed when it is closed. It does nothing else.

use tauri::menu::{Menu, MenuItem};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, RunEvent, WebviewUrl, WebviewWindowBuilder};

fn main() -> tauri::Result<()> {
    let app = tauri::Builder::default()
        .setup(|app| {
            let open = MenuItem::with_id(app, "open", "Open", true, None::<&str>)?;
            let quit = MenuItem::with_id(app, "quit", "Quit", true, None::<&str>)?;
            TrayIconBuilder::new()
                .icon(tauri::include_image!("../../icons/tray/idle.png"))
                .menu(&Menu::with_items(app, &[&open, &quit])?)
                .on_menu_event(|app, event| match event.id().as_ref() {
                    "open" => open_window(app),
                    _ => app.exit(0),
                })
                .build(app)?;
            Ok(())
        })
        .build(tauri::generate_context!())?;
    app.run(|_, event| {
        if let RunEvent::ExitRequested { code: None, api, .. } = event {
            // Closing the window is not quitting.
            api.prevent_exit();
        }
    });
    Ok(())
}

fn open_window(app: &AppHandle) {
    let window = WebviewWindowBuilder::new(app, "main", WebviewUrl::default());
    if let Err(error) = window.title("Smallest app").inner_size(900.0, 600.0).build() {
        eprintln!("smallest-app: could not open the window: {error}");
    }
}
