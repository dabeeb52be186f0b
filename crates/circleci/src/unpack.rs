//! Takes the one expected file out of a release's archive. Never writes to a path that the archive
//! names, and refuses the whole archive for anything that has no business in it.

use std::{
    fs::{File, OpenOptions, Permissions},
    io::{self, BufReader, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Component, Path},
};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};
use tar::{Archive, Entry};

use crate::AGENT_BINARY;

/// Why an archive was refused, or what the disk said.
#[derive(Debug)]
pub(crate) enum UnpackError {
    Refused(String),
    Io(io::Error),
}

/// Writes the archive's `circleci-runner` to the new file `binary` (0755, on disk when this
/// returns) and gives its SHA-256. `limit` is the most the file may hold, in bytes.
pub(crate) fn unpack(archive: &Path, binary: &Path, limit: u64) -> Result<String, UnpackError> {
    let archive = File::open(archive).map_err(UnpackError::Io)?;
    // What the archive holds beside the file is read through, so it has a limit too.
    let bytes = MultiGzDecoder::new(BufReader::new(archive)).take(limit.saturating_mul(2));
    let mut found = None;
    for entry in Archive::new(bytes).entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        if !is_the_agent(&entry)? {
            continue;
        }
        if found.is_some() {
            return Err(UnpackError::Refused(format!("it holds {AGENT_BINARY} twice")));
        }
        if entry.size() > limit {
            let reason =
                format!("its {AGENT_BINARY} is larger than the {limit} bytes that are taken");
            return Err(UnpackError::Refused(reason));
        }
        found = Some(write(&mut entry, binary)?);
    }
    found.ok_or_else(|| UnpackError::Refused(format!("it holds no {AGENT_BINARY}")))
}

/// Whether an entry is the file that is looked for; other plain files and folders are passed over.
fn is_the_agent<R: Read>(entry: &Entry<'_, R>) -> Result<bool, UnpackError> {
    let path = entry.path().map_err(unreadable)?;
    let kind = entry.header().entry_type();
    if kind.is_pax_global_extensions() {
        return Ok(false);
    }
    let refuse =
        |what: &str| Err(UnpackError::Refused(format!("its entry \"{}\" {what}", path.display())));
    if !kind.is_file() && !kind.is_dir() {
        return refuse("is neither a plain file nor a folder");
    }
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => parts.push(name),
            Component::CurDir => {}
            Component::ParentDir => return refuse("leads out of the archive"),
            Component::RootDir | Component::Prefix(_) => return refuse("is an absolute path"),
        }
    }
    Ok(kind.is_file() && parts == [AGENT_BINARY])
}

fn write(entry: &mut impl Read, binary: &Path) -> Result<String, UnpackError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o755)
        .open(binary)
        .map_err(UnpackError::Io)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let length = entry.read(&mut buffer).map_err(unreadable)?;
        if length == 0 {
            break;
        }
        hash.update(&buffer[..length]);
        file.write_all(&buffer[..length]).map_err(UnpackError::Io)?;
    }
    // Whatever the umask was.
    file.set_permissions(Permissions::from_mode(0o755)).map_err(UnpackError::Io)?;
    file.sync_all().map_err(UnpackError::Io)?;
    Ok(hex::encode(hash.finalize()))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn unreadable(error: io::Error) -> UnpackError {
    UnpackError::Refused(format!("it cannot be read ({error})"))
}
