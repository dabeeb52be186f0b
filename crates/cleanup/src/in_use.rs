//! Whether something is in use: told by a kernel lock that a living process holds, never by age.

use std::fs::{File, TryLockError};
use std::path::Path;

/// What a lock says.
#[derive(Debug)]
pub enum InUse {
    /// Nobody holds it; as long as this lives nobody can take it alone.
    Free(Option<File>),
    Held,
    /// It cannot be asked; counts as held.
    Unknown(std::io::Error),
}

/// Asks the lock at `lock`. One that is not there is held by nobody.
pub fn in_use(lock: &Path) -> InUse {
    let file = match File::open(lock) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return InUse::Free(None),
        Err(error) => return InUse::Unknown(error),
    };
    match file.try_lock_shared() {
        Ok(()) => InUse::Free(Some(file)),
        Err(TryLockError::WouldBlock) => InUse::Held,
        Err(TryLockError::Error(error)) => InUse::Unknown(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_as_long_as_its_holder_has_it_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("task.lock");
        assert!(matches!(in_use(&path), InUse::Free(None)));
        let holder = File::create(&path).unwrap();
        holder.lock().unwrap();
        assert!(matches!(in_use(&path), InUse::Held));
        drop(holder);
        assert!(matches!(in_use(&path), InUse::Free(Some(_))));
        // A folder in its place can be locked as well, and a file in the path tells nothing.
        assert!(matches!(in_use(&path.join("x")), InUse::Unknown(_)));
    }
}
