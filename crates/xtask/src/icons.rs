//! Draws the PNGs of the tray and the app from their SVG sources; the sources are drawn by hand.

use std::path::{Path, PathBuf};

use anyhow::Context;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use crate::generated::Generated;

/// Of a tray icon on a sharp panel; plain ones make it smaller.
const TRAY_SIZE: u32 = 32;
const APP_SIZES: [u32; 5] = [16, 32, 48, 128, 256];
/// `icon.png`: the source of all that bundlers make.
const APP_LARGEST: u32 = 512;

/// Processors round differently in the last bits; a shade this close is the same picture.
const SAME_SHADE: u8 = 3;

pub(crate) fn files(root: &Path) -> anyhow::Result<Vec<Generated>> {
    let icons = root.join("icons");
    let app = picture(&icons.join("app.svg"))?;
    let mut files = vec![png(icons.join("icon.png"), &draw(&app, APP_LARGEST)?)?];
    for size in APP_SIZES {
        files.push(png(icons.join(format!("{size}x{size}.png")), &draw(&app, size)?)?);
    }
    for source in states(&icons.join("state"))? {
        let state = source.file_stem().unwrap_or_default().to_string_lossy();
        let shape = draw(&picture(&source)?, TRAY_SIZE)?;
        files.push(png(icons.join(format!("tray/{state}.png")), &shape)?);
    }
    Ok(files)
}

/// One SVG a state, black on transparent.
fn states(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut sources = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>())
        .with_context(|| format!("list {}", folder.display()))?;
    sources.retain(|path| path.extension().is_some_and(|it| it == "svg"));
    sources.sort();
    Ok(sources)
}

pub(crate) fn picture(source: &Path) -> anyhow::Result<Tree> {
    let svg = std::fs::read(source).with_context(|| format!("read {}", source.display()))?;
    Tree::from_data(&svg, &Options::default())
        .with_context(|| format!("parse {}", source.display()))
}

#[expect(clippy::cast_precision_loss, reason = "sizes of icons are small")]
pub(crate) fn draw(picture: &Tree, size: u32) -> anyhow::Result<Pixmap> {
    let mut canvas = Pixmap::new(size, size).context("make an empty picture")?;
    let drawn = picture.size();
    let scale = Transform::from_scale(size as f32 / drawn.width(), size as f32 / drawn.height());
    resvg::render(picture, scale, &mut canvas.as_mut());
    Ok(canvas)
}

fn png(path: PathBuf, picture: &Pixmap) -> anyhow::Result<Generated> {
    let bytes = picture.encode_png().with_context(|| format!("encode {}", path.display()))?;
    Ok(Generated { path, bytes, same: is_same_picture })
}

/// Compares what is seen, not how it was packed.
fn is_same_picture(old: &[u8], new: &[u8]) -> bool {
    let (Ok(old), Ok(new)) = (Pixmap::decode_png(old), Pixmap::decode_png(new)) else {
        return false;
    };
    let is_close = |(old, new): (&u8, &u8)| old.abs_diff(*new) <= SAME_SHADE;
    old.width() == new.width()
        && old.height() == new.height()
        && old.data().iter().zip(new.data()).all(is_close)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(svg: &str) -> Pixmap {
        draw(&Tree::from_str(svg, &Options::default()).expect("svg"), 16).expect("drawn")
    }

    fn bar(width: f32) -> Vec<u8> {
        let svg = format!(
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>\
             <path d='M2 2h{width}v12h-{width}z'/></svg>"
        );
        drawn(&svg).encode_png().expect("encode")
    }

    #[test]
    fn a_moved_edge_is_another_picture() {
        assert!(is_same_picture(&bar(4.0), &bar(4.0)));
        assert!(!is_same_picture(&bar(4.0), &bar(4.25)));
    }

    #[test]
    fn a_difference_nobody_sees_is_the_same_picture() {
        assert!(is_same_picture(&bar(4.0), &bar(4.005)));
    }

    #[test]
    fn what_is_no_picture_is_never_the_same() {
        assert!(!is_same_picture(b"", &bar(4.0)));
    }

    #[test]
    fn every_state_has_a_shape_of_its_own_even_at_sixteen_pixels() {
        let folder = crate::root().join("icons/state");
        let sources = states(&folder).expect("list");
        let names: Vec<_> = sources.iter().filter_map(|path| path.file_stem()?.to_str()).collect();
        let every = "busy draining idle offline paused problem unknown updating";
        assert_eq!(names.join(" "), every);

        let shapes: Vec<Pixmap> = sources
            .iter()
            .map(|source| draw(&picture(source).expect("svg"), 16).expect("drawn"))
            .collect();
        for (at, one) in shapes.iter().enumerate() {
            for (other_at, other) in shapes.iter().enumerate().skip(at + 1) {
                let pixels = one.pixels().iter().zip(other.pixels());
                let apart = pixels.filter(|(a, b)| a.alpha().abs_diff(b.alpha()) > 96).count();
                assert!(apart >= 12, "{} and {}: {apart} pixels", names[at], names[other_at]);
            }
        }
    }
}
