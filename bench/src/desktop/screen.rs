//! The display, looked at from outside: when a window is there, and when something is painted in it.
//! It waits for the X server's own notices of changes (DAMAGE), so looking costs nothing meanwhile.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, poll};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::damage::{ConnectionExt as _, Damage, ReportLevel};
use x11rb::protocol::xproto::{
    ClientMessageEvent, ConnectionExt as _, EventMask, ImageFormat, MapState, Window,
};
use x11rb::rust_connection::RustConnection;

/// Longer than the slowest window takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// Text has many shades; a blank window and the frame around it have few colours.
const COLOURS: usize = 8;
/// In pixels, each way: smaller windows are never shown to a user.
const SMALL: u16 = 200;

pub(crate) struct Screen {
    x: RustConnection,
    root: Window,
    changes: Damage,
}

/// What a user saw after a click.
pub(crate) struct Seen {
    pub(crate) window: Window,
    /// It came, blank.
    pub(crate) there: Instant,
    pub(crate) painted: Instant,
}

impl Screen {
    pub(crate) fn of(display: &str) -> Result<Self> {
        let (x, number) = x11rb::connect(Some(display)).context("connecting to the display")?;
        let root = x.setup().roots.get(number).context("the display has a screen")?.root;
        x.damage_query_version(1, 1)?.reply().context("the display tells of changes")?;
        let changes = x.generate_id()?;
        x.damage_create(changes, root, ReportLevel::NON_EMPTY)?.check()?;
        Ok(Self { x, root, changes })
    }

    /// Waits for a window with something in it.
    pub(crate) fn until_painted(&self) -> Result<Seen> {
        let begun = Instant::now();
        let mut there = None;
        loop {
            self.until_changed(begun)?;
            let Some(window) = self.window()? else { continue };
            let there = *there.get_or_insert_with(Instant::now);
            if self.has_text(window)? {
                return Ok(Seen { window, there, painted: Instant::now() });
            }
        }
    }

    /// Waits until no window is left.
    pub(crate) fn until_blank(&self) -> Result<()> {
        let begun = Instant::now();
        while self.window()?.is_some() {
            self.until_changed(begun)?;
        }
        Ok(())
    }

    fn until_changed(&self, begun: Instant) -> Result<()> {
        loop {
            let mut changed = false;
            while let Some(event) = self.x.poll_for_event()? {
                changed |= matches!(event, Event::DamageNotify(_));
            }
            if changed {
                self.x.damage_subtract(self.changes, x11rb::NONE, x11rb::NONE)?.check()?;
                return Ok(());
            }
            let Some(left) = PATIENCE.checked_sub(begun.elapsed()) else {
                bail!("nothing was painted within {} s", PATIENCE.as_secs());
            };
            let left = rustix::event::Timespec::try_from(left)?;
            poll(&mut [PollFd::new(self.x.stream(), PollFlags::IN)], Some(&left))?;
        }
    }

    /// The first window that is shown.
    fn window(&self) -> Result<Option<Window>> {
        for window in self.x.query_tree(self.root)?.reply()?.children {
            // Any of them may be gone by now.
            let Ok(attributes) = self.x.get_window_attributes(window)?.reply() else { continue };
            let Ok(place) = self.x.get_geometry(window)?.reply() else { continue };
            if attributes.map_state == MapState::VIEWABLE && place.width.min(place.height) > SMALL {
                return Ok(Some(window));
            }
        }
        Ok(None)
    }

    fn has_text(&self, window: Window) -> Result<bool> {
        let Ok(place) = self.x.get_geometry(window)?.reply() else { return Ok(false) };
        let image = self.x.get_image(
            ImageFormat::Z_PIXMAP,
            self.root,
            place.x,
            place.y,
            place.width,
            place.height,
            u32::MAX,
        )?;
        let Ok(image) = image.reply() else { return Ok(false) };
        let mut colours = BTreeSet::new();
        for pixel in image.data.chunks_exact(4) {
            colours.insert(&pixel[..3]);
            if colours.len() >= COLOURS {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What a window manager sends when the close button is pressed (ICCCM, `WM_DELETE_WINDOW`).
    pub(crate) fn close(&self, window: Window) -> Result<()> {
        let protocols = self.x.intern_atom(false, b"WM_PROTOCOLS")?.reply()?.atom;
        let delete = self.x.intern_atom(false, b"WM_DELETE_WINDOW")?.reply()?.atom;
        let message = ClientMessageEvent::new(32, window, protocols, [delete, 0, 0, 0, 0]);
        Ok(self.x.send_event(false, window, EventMask::NO_EVENT, message)?.check()?)
    }
}
