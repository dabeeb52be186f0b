//! What the readers of generated files say of them, for tests.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::generated;

/// What `reader` says of a file of that name and content, which it must accept; none where this machine does not have
/// that reader.
pub(crate) fn read_by(reader: &str, args: &[&str], name: &Path, bytes: &[u8]) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name.file_name().expect("a name"));
    generated::write(&path, bytes).expect("a file in a folder of ours");
    let output = Command::new(reader).args(args).arg(&path).stdin(Stdio::null()).output();
    let Ok(output) = output else {
        skipped::skipped(&format!("{reader} is not installed"));
        return None;
    };
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{reader} {}: {said}", name.display());
    Some(said)
}
