//! A user of its own for jobs: whether it works, and whether it is a boundary.

use protocol::{Check, Finding, Level};

use crate::unknown;
use crate::words::list;

/// Groups whose members are as good as root, by whatever name.
const MIGHTY: [&str; 7] = ["docker", "lxd", "incus", "sudo", "wheel", "admin", "root"];

/// A job user that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobUser {
    pub name: String,
    /// Why commands do not run as that user, and the admin's steps.
    pub usable: Result<(), (String, String)>,
    /// The groups it is in; read only where it is usable.
    pub groups: Result<Vec<String>, String>,
    /// Whether it becomes root by `sudo` without being asked anything.
    pub becomes_root: Result<bool, String>,
}

pub fn job_user(read: &JobUser) -> Vec<Finding> {
    let name = &read.name;
    let finding =
        |level, reading: String| Finding::new(Check::JobUser, level, name.clone(), reading);
    if let Err((found, way_out)) = &read.usable {
        let reading = found.trim_end_matches('.').to_owned();
        return vec![finding(Level::Bad, reading).mend(way_out.clone())];
    }
    let mut findings = Vec::new();
    match &read.becomes_root {
        Ok(false) => {}
        Ok(true) => findings.push(
            finding(Level::Bad, "becomes root by sudo, so jobs can do anything".into()).mend(
                format!("Take {name} out of sudoers: `sudo -l -U {name}` shows what lets it."),
            ),
        ),
        Err(why) => findings.push(unknown(Check::JobUser, name.clone(), why)),
    }
    match &read.groups {
        Ok(groups) => {
            let mighty: Vec<&str> =
                MIGHTY.into_iter().filter(|group| groups.iter().any(|it| it == group)).collect();
            if !mighty.is_empty() {
                let reading = format!("is in {}, which is as good as root", list(&mighty));
                findings.push(finding(Level::Warn, reading).mend(format!(
                    "Where jobs can do without: `sudo gpasswd --delete {name} {}`",
                    mighty[0]
                )));
            }
        }
        Err(why) => findings.push(unknown(Check::JobUser, name.clone(), why)),
    }
    if findings.is_empty() {
        findings.push(finding(Level::Ok, "commands run as it, and it is nobody mighty".into()));
    }
    findings
}

/// For runners whose jobs run as the owner.
pub fn no_job_user(runners: &[&str]) -> Finding {
    let reading = "jobs run as you and can read what you can, tokens and keys included";
    Finding::new(Check::JobUser, Level::Note, list(runners), reading).mend(
        "Give them a user of their own: `runnerctl setup --job-user USER ...` (not for iOS builds, \
         which need your session and keychain).",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::levels;

    fn user(groups: &[&str], becomes_root: Result<bool, String>) -> JobUser {
        let groups = Ok(groups.iter().map(ToString::to_string).collect());
        JobUser { name: "ci".into(), usable: Ok(()), groups, becomes_root }
    }

    #[test]
    fn a_user_is_a_boundary_only_where_it_is_nobody_mighty() {
        for (read, wanted) in [
            (user(&["ci"], Ok(false)), &[Level::Ok][..]),
            (user(&["ci", "docker"], Ok(false)), &[Level::Warn]),
            (user(&["ci"], Ok(true)), &[Level::Bad]),
            (user(&["ci", "sudo"], Ok(true)), &[Level::Bad, Level::Warn]),
            (user(&["ci"], Err("no answer".into())), &[Level::Unknown]),
            (
                JobUser { groups: Err("no answer".into()), ..user(&[], Ok(false)) },
                &[Level::Unknown],
            ),
        ] {
            assert_eq!(levels(&job_user(&read)), wanted, "{read:?}");
        }
    }

    #[test]
    fn a_user_that_cannot_be_used_is_bad_with_the_admin_s_steps() {
        let usable = Err(("There is no user ci on this machine.".into(), "sudo useradd ci".into()));
        let found = job_user(&JobUser { usable, ..user(&["ci"], Ok(false)) });
        assert_eq!(levels(&found), [Level::Bad]);
        assert_eq!(found[0].mend.as_deref(), Some("sudo useradd ci"));
        assert_eq!(found[0].reading, "There is no user ci on this machine");
    }

    #[test]
    fn without_one_it_is_said_what_that_means() {
        let finding = no_job_user(&["mini", "maxi"]);
        assert_eq!((finding.level, finding.subject.as_str()), (Level::Note, "mini and maxi"));
    }
}
