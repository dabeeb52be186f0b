//! Which version this runner says it is: a stamp behind the end of its own executable, so that the
//! server can offer one program as many releases.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use anyhow::ensure;

const MARK: &str = "\nlocal-circleci release: ";
const STAMP: usize = 96;

/// Refuses what no version looks like, or what has no room.
pub(crate) fn check(release: &str) -> anyhow::Result<()> {
    let fits = !release.is_empty() && release.len() <= STAMP - MARK.len();
    let plain = release.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    ensure!(fits && plain, "{release:?} is not a version like 3.1.11");
    Ok(())
}

/// `program` with a checked `release` behind its end.
pub(crate) fn stamped(program: &[u8], release: &str) -> Vec<u8> {
    let mut stamped = program.to_vec();
    stamped.extend_from_slice(format!("{:<STAMP$}", format!("{MARK}{release}")).as_bytes());
    stamped
}

/// The running executable's release; `0.0.0-local` where it has no stamp.
pub(super) fn of_this_executable() -> String {
    read().unwrap_or_else(|| "0.0.0-local".to_owned())
}

fn read() -> Option<String> {
    let mut file = File::open(std::env::current_exe().ok()?).ok()?;
    file.seek(SeekFrom::End(-i64::try_from(STAMP).ok()?)).ok()?;
    let mut stamp = String::new();
    file.read_to_string(&mut stamp).ok()?;
    Some(stamp.strip_prefix(MARK)?.trim_end().to_owned())
}
