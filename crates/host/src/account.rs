//! Who runs this, from the system's list of users: under cron, ssh and launchd the environment may
//! say something else, or nothing.

use std::{
    ffi::{CStr, CString, OsStr, c_char, c_int},
    io,
    mem::MaybeUninit,
    os::unix::ffi::OsStrExt,
    path::PathBuf,
    ptr,
};

use rustix::process::geteuid;

/// An entry of the list of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub uid: u32,
    pub user: String,
    pub home: PathBuf,
    /// The login shell.
    pub shell: PathBuf,
}

impl Account {
    /// Of the user whose rights this process has; None where the list does not have it (containers).
    pub fn mine() -> io::Result<Option<Self>> {
        Self::of(geteuid().as_raw())
    }

    /// Of that name; None where the list does not have it.
    #[expect(unsafe_code, reason = "the list of users has no safe interface")]
    pub fn named(user: &str) -> io::Result<Option<Self>> {
        let Ok(user) = CString::new(user) else { return Ok(None) };
        Self::read(|entry, room, length, found| {
            // SAFETY: the name ends with a zero and is still here; the rest is as `read` promises.
            unsafe { libc::getpwnam_r(user.as_ptr(), entry, room, length, found) }
        })
    }

    #[expect(unsafe_code, reason = "the list of users has no safe interface")]
    fn of(uid: u32) -> io::Result<Option<Self>> {
        Self::read(|entry, room, length, found| {
            // SAFETY: as `read` promises.
            unsafe { libc::getpwuid_r(uid, entry, room, length, found) }
        })
    }

    /// Every pointer that `ask` is given is to memory of ours that outlives it, and the length is that of the
    /// characters.
    #[expect(unsafe_code, reason = "the list of users has no safe interface")]
    fn read(
        ask: impl Fn(*mut libc::passwd, *mut c_char, usize, *mut *mut libc::passwd) -> c_int,
    ) -> io::Result<Option<Self>> {
        let mut room = vec![0 as c_char; 1024];
        loop {
            let mut entry = MaybeUninit::<libc::passwd>::uninit();
            let mut found = ptr::null_mut();
            match ask(entry.as_mut_ptr(), room.as_mut_ptr(), room.len(), &raw mut found) {
                libc::EINTR => {}
                libc::ERANGE if room.len() < 1 << 20 => room.resize(room.len() * 2, 0),
                0 if found.is_null() => return Ok(None),
                0 => {
                    // SAFETY: a result was found, so `entry` is filled and its pointers are to
                    // strings in `room`, or null.
                    let entry = unsafe { entry.assume_init() };
                    let text = |at: *mut c_char| {
                        let at = if at.is_null() { c"".as_ptr() } else { at.cast_const() };
                        // SAFETY: not null, and ended by a zero within `room`, which is still here.
                        OsStr::from_bytes(unsafe { CStr::from_ptr(at) }.to_bytes()).to_owned()
                    };
                    return Ok(Some(Self {
                        uid: entry.pw_uid,
                        user: text(entry.pw_name).to_string_lossy().into_owned(),
                        home: text(entry.pw_dir).into(),
                        shell: text(entry.pw_shell).into(),
                    }));
                }
                code => return Err(io::Error::from_raw_os_error(code)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_on_every_list_and_a_made_up_user_on_none() {
        let root = Account::of(0).unwrap().unwrap();
        assert_eq!((root.uid, root.user.as_str()), (0, "root"));
        assert!(root.home.is_absolute() && root.shell.is_absolute());
        assert_eq!(Account::of(3_999_999_999).unwrap(), None);
        assert_eq!(Account::named("root").unwrap(), Some(root));
        for nobody in ["no-such-user", "ro\0ot"] {
            assert_eq!(Account::named(nobody).unwrap(), None, "{nobody}");
        }
        assert!(Account::mine().is_ok());
    }
}
