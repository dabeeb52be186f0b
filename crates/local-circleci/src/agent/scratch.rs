//! What a task agent leaves in the temporary folder while it runs, under the names that are known of
//! the real one; gone with it, unless it was killed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::private_file;

pub(super) struct Scratch {
    bash_env: PathBuf,
    task_data: PathBuf,
    ssh: PathBuf,
}

impl Scratch {
    pub(super) fn make(task_id: &str) -> std::io::Result<Self> {
        let folder = std::env::temp_dir();
        let scratch = Self {
            bash_env: folder.join(format!(".bash_env-{task_id}")),
            task_data: folder.join(format!(".circleci-task-data-{task_id}")),
            ssh: folder.join(format!("circleci-{}", std::process::id())),
        };
        private_file::replace(&scratch.bash_env, b"")?;
        private_file::make_folder(&scratch.task_data)?;
        private_file::make_folder(&scratch.ssh)?;
        Ok(scratch)
    }

    /// Read by every step's bash before its script.
    pub(super) fn bash_env(&self) -> &Path {
        &self.bash_env
    }

    pub(super) fn task_data(&self) -> &Path {
        &self.task_data
    }

    /// Where a socket would be; this stand-in has no SSH agent.
    pub(super) fn ssh_socket(&self) -> String {
        self.ssh.join("ssh_auth_sock").display().to_string()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.bash_env);
        let _ = fs::remove_dir_all(&self.task_data);
        let _ = fs::remove_dir_all(&self.ssh);
    }
}
