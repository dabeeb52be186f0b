//! Where everything lies. The folders are named here and nowhere else, and never depend on where a
//! program was started from: a shell, cron, ssh and the desktop find the same ones.

use std::{
    env, fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use directories::ProjectDirs;
use rustix::process::geteuid;
use sha2::{Digest, Sha256};

use crate::{
    FoldersError, os,
    private_folder::{make_among_strangers, make_private},
};

/// When set, everything lies below this folder.
pub const HOME_VARIABLE: &str = "RUNNER_TRAY_HOME";

/// The longest path of a socket that both systems take (macOS: 103 bytes and a zero).
const SOCKET_LONGEST: usize = 103;

/// The four folders of one installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// Wishes, history, locks, socket, run directories: 0700.
    pub state: PathBuf,
    /// Agents and helpers: nothing private, so that a job user may run what lies there.
    pub data: PathBuf,
    /// What people edit: 0700.
    pub config: PathBuf,
    /// The supervisor's own log files: 0700.
    pub logs: PathBuf,
}

impl Folders {
    /// Below `RUNNER_TRAY_HOME` where that is set, else where this system keeps such things.
    /// Nothing is made yet.
    pub fn find() -> Result<Self, FoldersError> {
        match env::var_os(HOME_VARIABLE).filter(|home| !home.is_empty()) {
            Some(home) if Path::new(&home).is_absolute() => Ok(Self::below(Path::new(&home))),
            Some(home) => Err(FoldersError::NotAbsolute { path: home.into() }),
            None => {
                let [qualifier, organization, application] = os::NAME;
                ProjectDirs::from(qualifier, organization, application)
                    .map(|dirs| os::folders(&dirs))
                    .ok_or(FoldersError::NoHome)
            }
        }
    }

    /// Everything below `home`.
    pub fn below(home: &Path) -> Self {
        // Rebuilt from its parts: "/a//b/" and "/a/b" are one home, and so must have one socket.
        let home: PathBuf = home.components().collect();
        let state = home.join("state");
        let logs = state.join("logs");
        Self { state, data: home.join("data"), config: home.join("config"), logs }
    }

    /// Makes what is missing, and refuses a folder that is a link or somebody else's.
    pub fn ensure(&self) -> Result<(), FoldersError> {
        for folder in [&self.data, &self.agents(), &self.helpers()] {
            fs::create_dir_all(folder).map_err(FoldersError::io("making the folder", folder))?;
        }
        for folder in [&self.state, &self.config, &self.logs, &self.runs()] {
            make_private(folder)?;
        }
        Ok(())
    }

    pub fn settings_file(&self) -> PathBuf {
        self.config.join("settings.toml")
    }

    pub fn wanted_file(&self) -> PathBuf {
        self.state.join("wanted.json")
    }

    pub fn history_file(&self) -> PathBuf {
        self.state.join("history.sqlite")
    }

    /// Held by the supervisor as long as it lives.
    pub fn lock_file(&self) -> PathBuf {
        self.state.join("supervisor.lock")
    }

    /// One directory for each agent run.
    pub fn runs(&self) -> PathBuf {
        self.state.join("runs")
    }

    /// One folder for each installed agent.
    pub fn agents(&self) -> PathBuf {
        self.data.join("agents")
    }

    /// One folder for each version of the keeper.
    pub fn helpers(&self) -> PathBuf {
        self.data.join("helpers")
    }

    /// Tokens that their owner chose to keep in files; see [`crate::token_file`].
    pub fn tokens(&self) -> PathBuf {
        self.state.join("tokens")
    }

    /// The path of the supervisor's socket: `supervisor.sock` in the state folder or, where that
    /// path is too long for a socket, in `/tmp/runner-tray-<uid>-<home id>`. That folder is made
    /// (0700) and checked here, by the supervisor and by every client: whoever else had made it
    /// could listen in.
    pub fn socket(&self) -> Result<PathBuf, FoldersError> {
        let socket = self.state.join("supervisor.sock");
        if socket.as_os_str().len() <= SOCKET_LONGEST {
            return Ok(socket);
        }
        let name = format!("runner-tray-{}-{}", geteuid().as_raw(), self.home_id());
        let short = Path::new("/tmp").join(name);
        make_among_strangers(&short)?;
        Ok(short.join("supervisor.sock"))
    }

    /// The keychain account of a runner's token: another home's runner of the same name is another.
    pub fn keychain_account(&self, runner: &str) -> String {
        format!("{}/{runner}", self.home_id())
    }

    /// Eight hex digits that stay the same for a state folder's path.
    fn home_id(&self) -> String {
        hex::encode(&Sha256::digest(self.state.as_os_str().as_bytes())[..4])
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn what_is_private_is_closed_and_what_a_job_user_runs_is_not() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::below(&home.path().join("ein Heim für Läufer"));
        folders.ensure().unwrap();
        folders.ensure().unwrap();
        for private in [&folders.state, &folders.config, &folders.logs, &folders.runs()] {
            assert_eq!(mode(private), 0o700, "{}", private.display());
        }
        assert!(folders.agents().is_dir() && folders.helpers().is_dir());
    }

    #[test]
    fn a_state_folder_behind_a_link_is_refused_with_the_reason() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::below(home.path());
        fs::create_dir(home.path().join("elsewhere")).unwrap();
        symlink(home.path().join("elsewhere"), &folders.state).unwrap();
        let refused = folders.ensure().unwrap_err();
        assert!(matches!(refused, FoldersError::Symlink { .. }), "{refused}");
        assert!(refused.to_string().contains("RUNNER_TRAY_HOME"), "{refused}");
    }

    #[test]
    fn two_spellings_of_a_home_are_one_home() {
        let folders = Folders::below(Path::new("/srv/ci"));
        assert_eq!(folders, Folders::below(Path::new("/srv//ci/./")));
        assert_ne!(
            folders.keychain_account("mac-mini"),
            Folders::below(Path::new("/srv/ci2")).keychain_account("mac-mini")
        );
    }

    #[test]
    fn a_long_home_has_a_short_socket_that_is_its_own() {
        let home = tempfile::tempdir().unwrap();
        let short = Folders::below(home.path());
        assert_eq!(short.socket().unwrap(), short.state.join("supervisor.sock"));

        let long = Folders::below(&home.path().join("x".repeat(100)));
        let socket = long.socket().unwrap();
        let folder = socket.parent().unwrap();
        assert!(socket.as_os_str().len() <= SOCKET_LONGEST);
        assert_eq!((mode(folder), long.socket().unwrap()), (0o700, socket.clone()));
        let other = Folders::below(&home.path().join("y".repeat(100)));
        assert_ne!(other.socket().unwrap(), socket);

        fs::remove_dir(folder).unwrap();
        symlink(home.path(), folder).unwrap();
        assert!(matches!(long.socket(), Err(FoldersError::Symlink { .. })));
        fs::remove_file(folder).unwrap();
        fs::remove_dir(other.socket().unwrap().parent().unwrap()).unwrap();
    }

    #[test]
    fn a_socket_path_of_103_bytes_is_not_too_long() {
        let room = SOCKET_LONGEST - "//state/supervisor.sock".len();
        let folders = Folders::below(Path::new(&format!("/{}", "x".repeat(room))));
        let socket = folders.socket().unwrap();
        assert_eq!(socket.as_os_str().len(), SOCKET_LONGEST);
        assert!(socket.starts_with(&folders.state));
    }
}
