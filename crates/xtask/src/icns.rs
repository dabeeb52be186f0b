//! The app's icon as macOS wants it, one file with every size, from `icons/app.svg`. Its form is simple: a name of four
//! letters and a length before each PNG, and before them all.

use std::path::Path;

use anyhow::Context;

use crate::generated::Generated;
use crate::icons;

/// Names of the sizes in pixels that take a PNG; `@2x` is the same picture for a sharp screen.
const SIZES: [(&[u8; 4], u32); 8] = [
    (b"ic11", 32),   // 16@2x
    (b"ic12", 64),   // 32@2x
    (b"ic07", 128),  // 128
    (b"ic13", 256),  // 128@2x
    (b"ic08", 256),  // 256
    (b"ic14", 512),  // 256@2x
    (b"ic09", 512),  // 512
    (b"ic10", 1024), // 512@2x
];

/// `installers/generated/macos/runner-tray.icns`.
pub(crate) fn icns(root: &Path) -> anyhow::Result<Generated> {
    let app = icons::picture(&root.join("icons/app.svg"))?;
    let mut body = Vec::new();
    for (name, size) in SIZES {
        let png = icons::draw(&app, size)?.encode_png().context("encode a picture")?;
        push(&mut body, *name, &png)?;
    }
    let mut bytes = Vec::new();
    push(&mut bytes, *b"icns", &body)?;
    let path = root.join("installers/generated/macos/runner-tray.icns");
    Ok(Generated { path, bytes, same: |old, new| old == new })
}

/// A name, the length of all of it, and the content.
fn push(bytes: &mut Vec<u8>, name: [u8; 4], content: &[u8]) -> anyhow::Result<()> {
    let length = u32::try_from(content.len() + 8).context("a picture is too large")?;
    bytes.extend_from_slice(&name);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(content);
    Ok(())
}

#[cfg(test)]
mod tests {
    use resvg::tiny_skia::Pixmap;

    use super::*;

    /// The name and the content of what begins there, and what comes after it.
    fn first(bytes: &[u8]) -> ([u8; 4], &[u8], &[u8]) {
        let (head, rest) = bytes.split_at(8);
        let length = u32::from_be_bytes(head[4..].try_into().expect("four bytes")) as usize;
        let (content, after) = rest.split_at(length - 8);
        (head[..4].try_into().expect("four bytes"), content, after)
    }

    #[test]
    fn the_icon_for_macos_holds_a_picture_of_each_size_it_names() {
        let file = icns(&crate::root()).expect("drawn");
        let (name, mut rest, after) = first(&file.bytes);
        assert_eq!((&name, after.len()), (b"icns", 0));
        for (wanted, size) in SIZES {
            let (name, png, after) = first(rest);
            let picture = Pixmap::decode_png(png).expect("a PNG");
            assert_eq!((&name, picture.width(), picture.height()), (wanted, size, size));
            assert!(picture.pixels().iter().any(|pixel| pixel.alpha() == 255), "{size}: empty");
            rest = after;
        }
        assert!(rest.is_empty());
    }
}
