//! The desktop as Tauri gives it: the tray's menu and icon, the window, the browser. It decides nothing.

use std::path::Path;

use host::TrayPicture;
use protocol::RunnerState;
use tauri::menu::{IsMenuItem, MenuItem, PredefinedMenuItem, Submenu};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager, Wry};

use crate::controller::Screen;
use crate::folder;
use crate::icon::picture;
use crate::link::News;
use crate::menu::{Item, Menu};
use crate::notifying;
use crate::view::View;
use crate::window;

pub(crate) struct Tray {
    app: AppHandle,
    icon: TrayIcon,
    shown: Option<(Menu, Vec<Built>)>,
}

/// An item on the screen.
enum Built {
    Entry(MenuItem<Wry>),
    Submenu(Submenu<Wry>, Vec<Built>),
    Separator(PredefinedMenuItem<Wry>),
}

impl Tray {
    /// `pictures` is a folder of the tray alone, below a private one: on Linux the icon is handed
    /// over as a file.
    pub(crate) fn new(app: &AppHandle, pictures: &Path) -> tauri::Result<Self> {
        // An app that was killed left its last picture.
        let _ = std::fs::remove_dir_all(pictures);
        let kind = TrayPicture::of_this_system();
        let icon = TrayIconBuilder::with_id("runner-tray")
            .icon(picture(RunnerState::Unknown, kind)?)
            .icon_as_template(kind == TrayPicture::Template)
            .temp_dir_path(pictures)
            .tooltip("Runner Tray")
            .build(app)?;
        Ok(Self { app: app.clone(), icon, shown: None })
    }

    /// Changes the words of the items that are there, or builds the menu anew where it has another
    /// shape: a menu that is replaced closes under the user's hand.
    fn set_menu(&mut self, menu: &Menu) -> tauri::Result<()> {
        if let Some((shown, built)) = &mut self.shown
            && same_shape(&shown.items, &menu.items)
        {
            set_words(built, &shown.items, &menu.items)?;
            *shown = menu.clone();
            return Ok(());
        }
        let built = build(&self.app, &menu.items)?;
        self.icon.set_menu(Some(tauri::menu::Menu::with_items(&self.app, &as_items(&built))?))?;
        self.shown = Some((menu.clone(), built));
        Ok(())
    }
}

impl Screen for Tray {
    fn show_menu(&mut self, menu: &Menu) {
        let result = self.set_menu(menu);
        if result.is_err() {
            // What is on the screen is not known any more.
            self.shown = None;
        }
        note("show the menu", result);
    }

    fn show_face(&mut self, face: RunnerState) {
        let kind = TrayPicture::of_this_system();
        let result = picture(face, kind).and_then(|picture| {
            self.icon.set_icon_with_as_template(Some(picture), kind == TrayPicture::Template)
        });
        note("show the icon", result);
    }

    fn show_view(&mut self, view: &View) {
        note("show the view", window::emit(&self.app, "snapshot", view));
    }

    fn open_window(&mut self) {
        note("open the window", window::open(&self.app));
    }

    fn open_link(&mut self, link: &str) {
        note("open the browser", tauri_plugin_opener::open_url(link, None::<&str>));
    }

    fn open_folder(&mut self, path: &str) -> Result<(), String> {
        folder::open(Path::new(path))
    }

    fn notify(&mut self, notice: &protocol::Notice) {
        let news = self.app.state::<News>().inner().clone();
        note("show a notification", notifying::show(notice.clone(), news));
    }

    fn quit(&mut self) {
        window::remember(&self.app);
        self.app.exit(0);
    }
}

fn build(app: &AppHandle, items: &[Item]) -> tauri::Result<Vec<Built>> {
    items
        .iter()
        .map(|item| match item {
            Item::Entry { label, action } => {
                // The id is the action itself, so a click needs no table to be understood.
                let id = serde_json::to_string(action).map_err(tauri::Error::from)?;
                MenuItem::with_id(app, id, escaped(label), action.is_some(), None::<&str>)
                    .map(Built::Entry)
            }
            Item::Submenu { label, items } => {
                let built = build(app, items)?;
                Submenu::with_items(app, escaped(label), true, &as_items(&built))
                    .map(|submenu| Built::Submenu(submenu, built))
            }
            Item::Separator => PredefinedMenuItem::separator(app).map(Built::Separator),
        })
        .collect()
}

fn as_items(built: &[Built]) -> Vec<&dyn IsMenuItem<Wry>> {
    built
        .iter()
        .map(|item| match item {
            Built::Entry(entry) => entry as &dyn IsMenuItem<Wry>,
            Built::Submenu(submenu, _) => submenu,
            Built::Separator(separator) => separator,
        })
        .collect()
}

/// Whether two menus differ in their words at most.
fn same_shape(old: &[Item], new: &[Item]) -> bool {
    old.len() == new.len()
        && old.iter().zip(new).all(|pair| match pair {
            (Item::Entry { action: old, .. }, Item::Entry { action: new, .. }) => old == new,
            (Item::Submenu { items: old, .. }, Item::Submenu { items: new, .. }) => {
                same_shape(old, new)
            }
            (Item::Separator, Item::Separator) => true,
            (Item::Entry { .. } | Item::Submenu { .. } | Item::Separator, _) => false,
        })
}

fn set_words(built: &[Built], old: &[Item], new: &[Item]) -> tauri::Result<()> {
    for ((built, old), new) in built.iter().zip(old).zip(new) {
        match (built, old, new) {
            (Built::Entry(entry), Item::Entry { label: old, .. }, Item::Entry { label, .. }) => {
                if old != label {
                    entry.set_text(escaped(label))?;
                }
            }
            (
                Built::Submenu(submenu, built),
                Item::Submenu { label: old, items: old_items },
                Item::Submenu { label, items },
            ) => {
                if old != label {
                    submenu.set_text(escaped(label))?;
                }
                set_words(built, old_items, items)?;
            }
            // Separators have no words, and the shapes are the same.
            (Built::Entry(_) | Built::Submenu(..) | Built::Separator(_), _, _) => {}
        }
    }
    Ok(())
}

/// In a label "&" would underline the letter behind it.
fn escaped(label: &str) -> String {
    label.replace('&', "&&")
}

/// The tray goes on; what could not be shown is said where a terminal or a journal listens.
fn note<E: std::fmt::Display>(what: &str, result: Result<(), E>) {
    if let Err(error) = result {
        eprintln!("runner-tray: could not {what}: {error}");
    }
}
