//! Takes the one expected file out of a release's archive. Never writes to a path that the archive
//! names, never reads more of it than an honest one holds, and refuses the whole archive for anything
//! that has no business in it.

use std::{
    cell::Cell,
    fs::{OpenOptions, Permissions},
    io::{self, BufRead, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Component, Path},
};

use flate2::bufread::MultiGzDecoder;
use tar::{Archive, Entry};

use crate::{AGENT_BINARY, ReleaseError, hashing::Hashing, room};

/// Why an archive was refused, or what the disk said.
#[derive(Debug)]
pub(crate) enum UnpackError {
    Refused(String),
    NoRoom(ReleaseError),
    Io(io::Error),
}

/// An agent's archive holds one file, or a few more with words about it.
const MOST_ENTRIES: usize = 1000;
/// What it may hold beside the agent, in bytes.
const MOST_BESIDE: u64 = 64 << 20;
/// What stands before a file's content: its header, and longer names for it.
const MOST_HEADERS: u64 = 1 << 20;
const BLOCK: u64 = 512;
const PIECE: usize = 256 << 10;

/// Writes the archive's `circleci-runner` to the new file `binary` (0755) and gives its SHA-256.
/// `limit` is the most the file may hold, in bytes. It is not waited for until all is on the disk:
/// whoever starts the file compares its hash.
pub(crate) fn unpack(
    archive: impl BufRead,
    binary: &Path,
    limit: u64,
) -> Result<String, UnpackError> {
    let allowed = Cell::new(0);
    let bytes = Rationed { inner: MultiGzDecoder::new(archive), allowed: &allowed };
    let mut archive = Archive::new(bytes);
    let mut entries = archive.entries().map_err(unreadable)?;
    let (mut seen, mut beside, mut unread, mut found) = (0, 0_u64, 0_u64, None);
    loop {
        allowed.set(unread.saturating_add(MOST_HEADERS));
        let Some(entry) = entries.next() else { break };
        let mut entry = entry.map_err(unreadable)?;
        seen += 1;
        if seen > MOST_ENTRIES {
            return refuse(format!("it holds more than {MOST_ENTRIES} files"));
        }
        if !is_the_agent(&entry)? {
            unread = entry.size().saturating_add(BLOCK);
            beside = beside.saturating_add(entry.size());
            if beside > MOST_BESIDE {
                return refuse(format!("it holds more than {MOST_BESIDE} bytes beside the agent"));
            }
            continue;
        }
        if found.is_some() {
            return refuse(format!("it holds {AGENT_BINARY} twice"));
        }
        if entry.size() > limit {
            return refuse(format!(
                "its {AGENT_BINARY} is larger than the {limit} bytes that are taken"
            ));
        }
        let folder = binary.parent().unwrap_or(binary);
        room::for_bytes(folder, entry.size()).map_err(UnpackError::NoRoom)?;
        allowed.set(entry.size());
        found = Some(write(&mut entry, binary)?);
        unread = BLOCK;
    }
    found.map_or_else(|| refuse(format!("it holds no {AGENT_BINARY}")), Ok)
}

fn refuse<T>(why: String) -> Result<T, UnpackError> {
    Err(UnpackError::Refused(why))
}

/// Whether an entry is the file that is looked for; other plain files and folders are passed over.
fn is_the_agent<R: Read>(entry: &Entry<'_, R>) -> Result<bool, UnpackError> {
    let path = entry.path().map_err(unreadable)?;
    let kind = entry.header().entry_type();
    if kind.is_pax_global_extensions() {
        return Ok(false);
    }
    let shown: String = path.to_string_lossy().chars().take(200).collect();
    let refuse = |what: &str| refuse(format!("its entry {shown:?} {what}"));
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
    let mut hashing = Hashing::start().map_err(UnpackError::Io)?;
    loop {
        let mut piece = hashing.empty(PIECE);
        let length = entry.read(&mut piece).map_err(unreadable)?;
        if length == 0 {
            break;
        }
        file.write_all(&piece[..length]).map_err(UnpackError::Io)?;
        hashing.add(piece, length);
    }
    // Whatever the umask was.
    file.set_permissions(Permissions::from_mode(0o755)).map_err(UnpackError::Io)?;
    // Nothing is said of bytes that a power cut could still take.
    file.sync_all().map_err(UnpackError::Io)?;
    hashing.end().map_err(UnpackError::Io)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn unreadable(error: io::Error) -> UnpackError {
    UnpackError::Refused(format!("it cannot be read ({error})"))
}

/// Gives no more than it is allowed to: a few bytes of an archive can stand for a name of gigabytes.
struct Rationed<'a, R> {
    inner: R,
    allowed: &'a Cell<u64>,
}

impl<R: Read> Read for Rationed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let allowed = usize::try_from(self.allowed.get()).unwrap_or(usize::MAX);
        if allowed == 0 && !buffer.is_empty() {
            return Err(io::Error::other("it holds more than it says"));
        }
        let most = buffer.len().min(allowed);
        let length = self.inner.read(&mut buffer[..most])?;
        self.allowed.set(self.allowed.get() - length as u64);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use tar::{EntryType, Header};

    use super::*;

    const LIMIT: u64 = 1 << 20;

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
        gz.write_all(bytes).unwrap();
        gz.finish().unwrap()
    }

    /// A header that says what an honest tool would not.
    fn header(name: &str, kind: EntryType, size: u64) -> Vec<u8> {
        let mut header = Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o755);
        header.set_size(size);
        header.set_cksum();
        header.as_bytes().to_vec()
    }

    fn tried(archive: &[u8]) -> Result<String, UnpackError> {
        let folder = tempfile::tempdir().unwrap();
        let done = unpack(archive, &folder.path().join("agent"), LIMIT);
        assert!(fs::read_dir(folder.path()).unwrap().count() <= 1);
        done
    }

    #[track_caller]
    fn refused(archive: &[u8]) -> String {
        match tried(archive) {
            Err(UnpackError::Refused(why)) => why,
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn a_name_of_gigabytes_is_not_read_into_memory() {
        for kind in [EntryType::GNULongName, EntryType::GNULongLink, EntryType::XHeader] {
            let bomb = [header("x", kind, 4 << 30), vec![b'a'; 8 << 20]].concat();
            assert!(refused(&gz(&bomb)).contains("more than it says"), "{kind:?}");
        }
    }

    #[test]
    fn a_size_that_is_only_said_is_refused_before_anything_is_written() {
        let huge = header(AGENT_BINARY, EntryType::Regular, 8 << 30);
        assert!(refused(&gz(&huge)).contains("larger than"));
        let beside = header("readme", EntryType::Regular, 8 << 30);
        assert!(refused(&gz(&beside)).contains("beside the agent"));
    }

    #[test]
    fn thousands_of_entries_are_refused() {
        let many: Vec<u8> =
            (0..3000).flat_map(|at| header(&format!("{at}"), EntryType::Regular, 0)).collect();
        assert!(refused(&gz(&many)).contains("more than 1000 files"));
    }

    #[test]
    fn a_bomb_of_zeros_ends_at_the_limit() {
        let mut bomb = header(AGENT_BINARY, EntryType::Regular, LIMIT + 1);
        bomb.extend(vec![0; 64 << 20]);
        assert!(refused(&gz(&bomb)).contains("larger than"));
        let mut beside: Vec<u8> = Vec::new();
        for at in 0..9 {
            beside.extend(header(&format!("{at}"), EntryType::Regular, 8 << 20));
            beside.extend(vec![0; 8 << 20]);
        }
        assert!(refused(&gz(&beside)).contains("beside the agent"));
    }

    #[test]
    fn sparse_files_links_pipes_and_devices_are_refused() {
        for kind in [
            EntryType::GNUSparse,
            EntryType::Symlink,
            EntryType::Link,
            EntryType::Char,
            EntryType::Block,
            EntryType::Fifo,
            EntryType::Continuous,
        ] {
            refused(&gz(&header(AGENT_BINARY, kind, 0)));
        }
    }

    #[test]
    fn a_longer_name_for_the_agent_counts_and_one_that_leads_out_is_refused() {
        let named = |name: &str| {
            let mut bytes = header("././@LongLink", EntryType::GNULongName, name.len() as u64);
            bytes.extend(name.as_bytes());
            bytes.resize(bytes.len().next_multiple_of(512), 0);
            bytes.extend(header("short", EntryType::Regular, 2));
            bytes.extend(b"hi");
            bytes.resize(bytes.len().next_multiple_of(512) + 1024, 0);
            gz(&bytes)
        };
        tried(&named("./circleci-runner")).unwrap();
        assert!(refused(&named("../circleci-runner")).contains("leads out"));
        assert!(refused(&named("/circleci-runner")).contains("absolute"));
    }

    fn honest() -> Vec<u8> {
        let mut bytes = header(AGENT_BINARY, EntryType::Regular, 5);
        bytes.extend(b"agent");
        bytes.resize(bytes.len().next_multiple_of(512) + 1024, 0);
        bytes
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_write_elsewhere(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let _ = tried(&bytes);
            let _ = tried(&gz(&bytes));
        }

        #[test]
        fn an_archive_with_some_bytes_changed_is_taken_or_refused(
            changes in prop::collection::vec((0..2048_usize, any::<u8>()), 0..12),
        ) {
            let mut bytes = honest();
            for (at, byte) in changes {
                bytes[at] = byte;
            }
            let _ = tried(&gz(&bytes));
        }

        #[test]
        fn headers_of_any_kind_and_size_are_taken_or_refused(
            entries in prop::collection::vec((0..8_usize, any::<u8>(), any::<u64>(), 0..700_usize), 0..6),
        ) {
            const NAMES: [&str; 8] = ["circleci-runner", "../x", "/x", "a/b", "", ".", "././@LongLink", "\u{1b}[2J"];
            let mut bytes = Vec::new();
            for (name, kind, size, content) in entries {
                bytes.extend(header(NAMES[name], EntryType::new(kind), size));
                bytes.extend(vec![b'7'; content]);
            }
            let _ = tried(&gz(&bytes));
        }
    }
}
