//! A user of its own for jobs: whether it can be used, what an admin has to do where it cannot, and
//! the folders it needs. Proves by doing: every claim is tried with `sudo -n`.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use host::{Account, Folders};
use protocol::{AdminStep, ApiError, JobUserCheck, RunnerName};

use crate::api::refusal;
use crate::as_user::{as_user, run, soon};
use crate::cleanup::lock_of;
use crate::earlier_users::{Stays, WORK, jobs_of, make_room};
use crate::start_run::Places;

/// Why jobs cannot run as that user: what was found, and what to do, commands included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unusable {
    pub(crate) found: String,
    pub(crate) way_out: String,
    steps: Steps,
}

/// Whether an admin's steps mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Steps {
    /// There is no such user.
    MakeAndAllow,
    /// It is there, and the owner may not run commands as it.
    Allow,
    None,
}

impl Unusable {
    fn new(found: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self { found: found.into(), way_out: way_out.into(), steps: Steps::None }
    }

    fn for_an_admin(steps: Steps, found: impl Into<String>, user: &str) -> Self {
        let way_out = admin_steps(user, &owner());
        Self { steps, ..Self::new(found, way_out) }
    }
}

/// Where a runner's things lie when its jobs have a user of their own.
pub(crate) fn places(name: &RunnerName, working_directory: Option<&Path>, shared: &Path) -> Places {
    let own = shared.join("runners").join(name.as_str());
    Places {
        working_directory: working_directory
            .map_or_else(|| jobs_of(name, shared).join(WORK), Path::to_owned),
        task_agent_directory: own.join("task-agent"),
        helper: PathBuf::new(),
        commands: shared.join(crate::places::COMMANDS),
    }
}

/// Whether tasks can be run as `user`; the call's refusal says what to do where they cannot.
pub(crate) async fn check(user: String) -> Result<(), ApiError> {
    let tried = tokio::task::spawn_blocking(move || try_user(&user, soon())).await;
    match tried {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(unusable)) => {
            Err(refusal::error(409, "job-user-unusable", unusable.found, &unusable.way_out))
        }
        Err(error) => Err(refusal::failed(&error.to_string())),
    }
}

/// The same, told in full: for whoever is about to choose one, and may mend what is missing.
pub(crate) async fn look(user: String) -> Result<JobUserCheck, ApiError> {
    let tried = tokio::task::spawn_blocking({
        let user = user.clone();
        move || try_user(&user, soon())
    });
    match tried.await {
        Ok(Ok(_)) => Ok(JobUserCheck { user, usable: true, found: None, steps: Vec::new() }),
        Ok(Err(unusable)) => {
            let (steps, way_out) = (unusable.steps, unusable.way_out);
            let steps = match steps {
                Steps::MakeAndAllow => vec![making(&user), allowing(&user)],
                Steps::Allow => vec![allowing(&user)],
                Steps::None => vec![AdminStep { words: way_out, command: None, line: None }],
            };
            Ok(JobUserCheck { user, usable: false, found: Some(unusable.found), steps })
        }
        Err(error) => Err(refusal::failed(&error.to_string())),
    }
}

/// Makes the folders and proves that the user reaches them. Blocking.
pub(crate) fn prepare(
    user: &str,
    name: &RunnerName,
    working_directory: Option<&Path>,
    folders: &Folders,
) -> Result<Places, Unusable> {
    let id = try_user(user, soon())?;
    let shared = folders.shared();
    make_shared(&shared)?;
    let mut places = places(name, working_directory, &shared);
    places.helper = crate::helpers::keeper(&shared.join("helpers"))
        .map_err(|error| Unusable::new(format!("{error:#}"), "Mend that, then try again."))?;
    open_to_all(&places.task_agent_directory, 0o755)?;
    if working_directory.is_none() {
        let jobs = jobs_of(name, &shared);
        make_room(&jobs, id, &lock_of(name, folders)).map_err(|stays| in_the_way(&jobs, &stays))?;
        // Sticky: others may add names, and take none away.
        open_to_all(&jobs, 0o1777)?;
    }
    make_working_directory(user, &places.working_directory)?;
    for reached in [&places.helper, &places.task_agent_directory] {
        let seen = as_user(user, &["/usr/bin/test", "-x", &reached.display().to_string()], soon());
        if !seen.is_ok_and(|output| output.status.success()) {
            return Err(Unusable::new(
                format!("The user {user} cannot reach {}.", reached.display()),
                "Open the folders above it to all users (chmod a+x), then try again.",
            ));
        }
    }
    Ok(places)
}

/// The user's number, if commands can be run as it.
pub(crate) fn try_user(user: &str, until: Instant) -> Result<u32, Unusable> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if user.is_empty() || user.starts_with('-') || !user.chars().all(plain) {
        return Err(Unusable::new(
            format!("'{user}' cannot be a user's name."),
            "Give the short name of a user of this machine.",
        ));
    }
    let id = run(Command::new("id").args(["-u", user]), None, until)
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8_lossy(&output.stdout).trim().parse().ok());
    let Some(id) = id else {
        return Err(Unusable::for_an_admin(
            Steps::MakeAndAllow,
            format!("There is no user {user} on this machine."),
            user,
        ));
    };
    if id == 0 || id == rustix::process::getuid().as_raw() {
        return Err(Unusable::new(
            format!("{user} is no user of its own: jobs would have your rights or more."),
            "Make a user for jobs alone, for example ci.",
        ));
    }
    match as_user(user, &["/usr/bin/true"], until) {
        Ok(output) if output.status.success() => Ok(id),
        Ok(output) => Err(Unusable::for_an_admin(
            Steps::Allow,
            format!(
                "sudo does not run commands as {user} without a password ({}).",
                String::from_utf8_lossy(&output.stderr).trim()
            ),
            user,
        )),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(Unusable::new(
            format!("A command as {user} did not end ({error})."),
            format!(
                "A login profile of that user may hang: see what `sudo -niHu {user} -- /usr/bin/true` \
                 waits for, and mend it. Then try again."
            ),
        )),
        Err(error) => Err(Unusable::for_an_admin(
            Steps::Allow,
            format!("sudo cannot be started: {error}."),
            user,
        )),
    }
}

fn owner() -> String {
    let owner = Account::mine().ok().flatten();
    owner.map_or_else(|| "you".to_owned(), |account| account.user)
}

fn making(user: &str) -> AdminStep {
    AdminStep {
        words: "An admin makes the user, without a password.".into(),
        command: Some(host::make_user_command(user)),
        line: None,
    }
}

fn allowing(user: &str) -> AdminStep {
    AdminStep {
        words: "An admin lets you run commands as it, and as nobody else, with this line.".into(),
        command: Some("sudo visudo -f /etc/sudoers.d/runner-tray".into()),
        line: Some(sudoers_line(user, &owner())),
    }
}

fn sudoers_line(user: &str, owner: &str) -> String {
    format!("{owner} ALL=({user}) NOPASSWD: ALL")
}

/// What an admin does once, to be pasted into a terminal.
fn admin_steps(user: &str, owner: &str) -> String {
    format!(
        "An admin does this once. Make the user, without a password: `sudo useradd --create-home \
         --shell /bin/bash {user}` (macOS: `sudo sysadminctl -addUser {user}`). Let you run commands \
         as it, and as nobody else, with this line in /etc/sudoers.d/runner-tray (edit it with \
         `sudo visudo -f /etc/sudoers.d/runner-tray`): `{line}`. Then try again.",
        line = sudoers_line(user, owner)
    )
}

fn make_shared(shared: &Path) -> Result<(), Unusable> {
    let owner = rustix::process::getuid().as_raw();
    open_to_all(shared, 0o755).map_err(|unusable| {
        Unusable::new(
            unusable.found,
            format!(
                "An admin makes the folder once: `sudo install -d -o {owner} -m 0755 {}`. Then try \
                 again.",
                shared.display()
            ),
        )
    })
}

fn in_the_way(jobs: &Path, stays: &Stays) -> Unusable {
    let path = jobs.display();
    match stays {
        Stays::ATaskWorksThere => Unusable::new(
            format!("A task, or a clean-up, of an earlier job user works in {path} still."),
            "Wait for its end: what is there is moved aside then, and stays whole.",
        ),
        Stays::Unknown(error) => Unusable::new(
            format!(
                "{path} is of an earlier job user, and whether a task works there cannot be told \
                 ({error}), so it stays."
            ),
            "Mend that, then try again.",
        ),
        Stays::Failed { aside, error } => Unusable::new(
            format!("What an earlier job user has in {path} cannot be moved aside: {error}."),
            format!(
                "Move it yourself: `sudo mv -- {} {}`. Then try again.",
                cleanup::quoted(&jobs.into()),
                cleanup::quoted(&aside.as_path().into())
            ),
        ),
    }
}

/// A folder of the owner's that others may enter.
fn open_to_all(folder: &Path, mode: u32) -> Result<(), Unusable> {
    let failed = |error: io::Error| {
        Unusable::new(
            format!("The folder {} cannot be made: {error}.", folder.display()),
            "Mend the folder's permissions, then try again.",
        )
    };
    fs::create_dir_all(folder).map_err(failed)?;
    let about = fs::symlink_metadata(folder).map_err(failed)?;
    if !about.is_dir() || about.uid() != rustix::process::getuid().as_raw() {
        return Err(failed(io::Error::other("it belongs to somebody else")));
    }
    if about.mode() & 0o7777 != mode {
        fs::set_permissions(folder, Permissions::from_mode(mode)).map_err(failed)?;
    }
    Ok(())
}

/// Made by the job user, and its own: somebody else's by that name is refused.
fn make_working_directory(user: &str, folder: &Path) -> Result<(), Unusable> {
    let path = folder.display().to_string();
    let failed = |why: &str| {
        Unusable::new(
            format!("The user {user} cannot work in {path}: {why}."),
            "Choose a working directory that this user owns, or none, then try again.",
        )
    };
    let made = as_user(user, &["/bin/mkdir", "-p", "-m", "0755", &path], soon());
    let made = made.map_err(|error| failed(&error.to_string()))?;
    if !made.status.success() {
        return Err(failed(String::from_utf8_lossy(&made.stderr).trim()));
    }
    let owned = as_user(user, &["/usr/bin/test", "-O", &path, "-a", "-w", &path], soon());
    match owned {
        Ok(output) if output.status.success() => Ok(()),
        Ok(_) => Err(failed("it belongs to somebody else")),
        Err(error) => Err(failed(&error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_an_option_or_a_command_is_refused_before_anything_runs() {
        for bad in ["", "-n", "a b", "a;b", "$(id)", "../x"] {
            assert!(
                try_user(bad, soon()).unwrap_err().found.contains("cannot be a user's name"),
                "{bad}"
            );
        }
    }

    #[test]
    fn the_owner_and_root_are_no_boundary() {
        let root = try_user("root", soon()).unwrap_err();
        assert!(root.found.contains("no user of its own"), "{}", root.found);
    }

    #[test]
    fn a_user_that_is_missing_is_named_with_the_exact_admin_steps() {
        let missing = try_user("nobody-has-this-name", soon()).unwrap_err();
        assert!(missing.found.contains("nobody-has-this-name"));
        assert!(missing.way_out.contains("ALL=(nobody-has-this-name) NOPASSWD: ALL"));
    }
}
