//! The tray's picture of a state; the drawings are those in icons/state.

use host::TrayPicture;
use protocol::RunnerState;
use tauri::image::Image;

/// 32 pixels square.
pub(crate) fn picture(state: RunnerState, kind: TrayPicture) -> tauri::Result<Image<'static>> {
    match kind {
        TrayPicture::Template => Image::from_bytes(drawing(state)),
        TrayPicture::AsItIs => {
            Image::from_bytes(drawing(state)).map(|it| tinted(&it, colour(state)))
        }
    }
}

macro_rules! black {
    ($name:literal) => {
        include_bytes!(concat!("../../icons/tray/", $name, ".png")).as_slice()
    };
}

fn drawing(state: RunnerState) -> &'static [u8] {
    match state {
        RunnerState::Problem => black!("problem"),
        RunnerState::Offline => black!("offline"),
        RunnerState::Unknown => black!("unknown"),
        RunnerState::Draining => black!("draining"),
        RunnerState::Busy => black!("busy"),
        RunnerState::Updating => black!("updating"),
        RunnerState::Paused => black!("paused"),
        RunnerState::Idle => black!("idle"),
    }
}

/// The drawing in the colour of its state.
fn tinted(drawing: &Image<'_>, [red, green, blue]: [u8; 3]) -> Image<'static> {
    let alpha = drawing.rgba().chunks(4).filter_map(|pixel| pixel.last());
    let rgba = alpha.flat_map(|&alpha| [red, green, blue, alpha]).collect();
    Image::new_owned(rgba, drawing.width(), drawing.height())
}

/// The window's colours in the middle between light and dark: 3:1 or better on either panel.
fn colour(state: RunnerState) -> [u8; 3] {
    const GOOD: [u8; 3] = [0x2e, 0x9a, 0x55];
    const ACCENT: [u8; 3] = [0x3d, 0x86, 0xe0];
    const WARNING: [u8; 3] = [0xc0, 0x7a, 0x10];
    const BAD: [u8; 3] = [0xe5, 0x53, 0x4b];
    const QUIET: [u8; 3] = [0x85, 0x8a, 0x91];
    match state {
        RunnerState::Problem => BAD,
        RunnerState::Offline | RunnerState::Unknown => WARNING,
        RunnerState::Draining | RunnerState::Busy | RunnerState::Updating => ACCENT,
        RunnerState::Paused => QUIET,
        RunnerState::Idle => GOOD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [RunnerState; 8] = [
        RunnerState::Problem,
        RunnerState::Offline,
        RunnerState::Unknown,
        RunnerState::Draining,
        RunnerState::Busy,
        RunnerState::Updating,
        RunnerState::Paused,
        RunnerState::Idle,
    ];

    /// Of a colour, as WCAG 2.2 defines it.
    fn luminance(colour: [u8; 3]) -> f64 {
        let [red, green, blue] = colour.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    #[test]
    fn every_state_can_be_told_on_a_light_and_on_a_dark_panel() {
        let panels = [[0xff; 3], [0xef, 0xf0, 0xf1], [0x31, 0x36, 0x3b], [0x2b; 3], [0; 3]];
        for (state, panel) in ALL.into_iter().flat_map(|state| panels.map(|panel| (state, panel))) {
            let (one, other) = (luminance(colour(state)) + 0.05, luminance(panel) + 0.05);
            let contrast = one.max(other) / one.min(other);
            assert!(contrast >= 3.0, "{state:?} on {panel:x?}: {contrast:.2}");
        }
    }

    #[test]
    fn every_state_has_a_shape_of_its_own_whatever_its_colour() {
        let mut shapes: Vec<Vec<u8>> = Vec::new();
        for state in ALL {
            let image = picture(state, TrayPicture::AsItIs).expect("a picture");
            let shape: Vec<u8> = image.rgba().chunks(4).map(|pixel| pixel[3]).collect();
            assert_eq!(shape.len(), 32 * 32, "{state:?}");
            let same = |other: &Vec<u8>| {
                other.iter().zip(&shape).filter(|(a, b)| a.abs_diff(**b) > 100).count() < 60
            };
            assert!(!shapes.iter().any(same), "{state:?} looks like another");
            shapes.push(shape);
        }
    }

    #[test]
    fn a_template_is_black_and_nothing_else() {
        for state in ALL {
            let image = picture(state, TrayPicture::Template).expect("a picture");
            let is_black = |pixel: &[u8]| pixel[3] == 0 || pixel[..3] == [0, 0, 0];
            assert!(image.rgba().chunks(4).all(is_black), "{state:?}");
        }
    }
}
