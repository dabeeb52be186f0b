//! Where the window was when it was closed: a small file beside the app's state, written then and read
//! when the next window is made. Nothing is kept in between.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The size as it is without a word of anybody's, and the least; in logical pixels.
pub(crate) const SIZE: (f64, f64) = (900.0, 600.0);
pub(crate) const LEAST: (f64, f64) = (640.0, 480.0);
/// So much of the title bar has to be on a screen, in physical pixels, so that it can be taken hold of.
const TO_HOLD: (i32, i32) = (120, 24);

/// As it is where the window is not as large as its screen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Geometry {
    /// Of its frame, in physical pixels over all screens.
    pub(crate) x: i32,
    pub(crate) y: i32,
    /// Of what is in its frame, in logical pixels.
    pub(crate) width: f64,
    pub(crate) height: f64,
    #[serde(default)]
    pub(crate) maximized: bool,
}

/// A screen, in physical pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) width: i32,
    pub(crate) height: i32,
    /// Physical pixels to a logical one.
    pub(crate) scale: f64,
}

/// What to make of a remembered geometry on the screens there are now: the size, and the position where
/// the window can be taken hold of there.
pub(crate) fn fitted(it: Geometry, screens: &[Screen]) -> ((f64, f64), Option<(i32, i32)>) {
    let wanted = (sane(it.width, LEAST.0, SIZE.0), sane(it.height, LEAST.1, SIZE.1));
    let Some(screen) = screens.iter().find(|screen| holds(screen, it)) else {
        return (wanted, None);
    };
    let most = |pixels: i32, least: f64| (f64::from(pixels) / screen.scale.max(0.5)).max(least);
    let size =
        (wanted.0.min(most(screen.width, LEAST.0)), wanted.1.min(most(screen.height, LEAST.1)));
    (size, Some((it.x, it.y)))
}

/// Where nothing sensible stands: as it is at first.
fn sane(length: f64, least: f64, first: f64) -> f64 {
    if length.is_finite() { length.clamp(least, 16_384.0) } else { first }
}

fn holds(screen: &Screen, it: Geometry) -> bool {
    let right = screen.x.saturating_add(screen.width);
    let bottom = screen.y.saturating_add(screen.height);
    // Its left end may stand a little outside; its upper edge may not.
    it.x > screen.x.saturating_sub(TO_HOLD.0)
        && it.x < right.saturating_sub(TO_HOLD.0)
        && it.y >= screen.y
        && it.y < bottom.saturating_sub(TO_HOLD.1)
}

/// None: there is none, or it cannot be read; then the desktop chooses.
pub(crate) fn read(file: &Path) -> Option<Geometry> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

/// Whole or not at all.
pub(crate) fn write(file: &Path, it: Geometry) -> io::Result<()> {
    let new = file.with_extension("new");
    let mut text = serde_json::to_vec(&it)?;
    text.push(b'\n');
    File::create(&new)?.write_all(&text)?;
    std::fs::rename(&new, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCREEN: Screen = Screen { x: 0, y: 0, width: 1920, height: 1080, scale: 1.0 };
    const BESIDE: Screen = Screen { x: 1920, y: 0, width: 2560, height: 1440, scale: 2.0 };
    const WAS: Geometry =
        Geometry { x: 200, y: 100, width: 1000.0, height: 700.0, maximized: false };

    #[test]
    fn it_opens_where_and_as_large_as_it_was() {
        assert_eq!(fitted(WAS, &[SCREEN]), ((1000.0, 700.0), Some((200, 100))));
        let beside = Geometry { x: 2000, ..WAS };
        assert_eq!(fitted(beside, &[SCREEN, BESIDE]), ((1000.0, 700.0), Some((2000, 100))));
    }

    #[test]
    fn a_screen_that_is_gone_takes_no_window_with_it() {
        let beside = Geometry { x: 2000, ..WAS };
        assert_eq!(fitted(beside, &[SCREEN]), ((1000.0, 700.0), None));
        assert_eq!(fitted(WAS, &[]), ((1000.0, 700.0), None));
        for out in
            [Geometry { y: -1, ..WAS }, Geometry { y: 1070, ..WAS }, Geometry { x: -130, ..WAS }]
        {
            assert_eq!(fitted(out, &[SCREEN]).1, None, "{out:?}");
        }
    }

    #[test]
    fn it_is_never_larger_than_its_screen_nor_smaller_than_it_works() {
        let large = Geometry { x: 1920, width: 3000.0, height: 3000.0, ..WAS };
        assert_eq!(fitted(large, &[SCREEN, BESIDE]).0, (1280.0, 720.0));
        let small = Geometry { width: 1.0, height: f64::NAN, ..WAS };
        assert_eq!(fitted(small, &[SCREEN]).0, (LEAST.0, SIZE.1));
    }

    #[test]
    fn what_is_written_is_read_and_what_is_spoilt_is_not_believed() {
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("window.json");
        assert_eq!(read(&file), None);
        write(&file, WAS).expect("written");
        assert_eq!(read(&file), Some(WAS));
        File::create(&file).expect("a file").write_all(b"{\"x\": 1").expect("written");
        assert_eq!(read(&file), None);
        write(Path::new("/no/such/folder/window.json"), WAS).expect_err("there is no such folder");
    }
}
