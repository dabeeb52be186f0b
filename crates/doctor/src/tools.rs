//! The programs that every job needs, in the PATH that jobs get.

use protocol::{Check, Finding, Level};

use crate::unknown;
use crate::words::list;

/// What CircleCI's runner documentation asks for ("prerequisites"): steps run in bash; the others
/// check out, cache and unpack. Of coreutils, one stands for all.
pub const TOOLS: [&str; 6] = ["bash", "git", "tar", "gzip", "cat", "ssh"];

/// Which of [`TOOLS`] are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolsFound {
    /// Whose PATH: "you", or a job user's name.
    pub whose: String,
    /// The names that were found.
    pub found: Result<Vec<String>, String>,
    /// macOS: they only offer to install what they are named after.
    pub are_stubs: bool,
}

pub fn tools(read: &ToolsFound) -> Vec<Finding> {
    let subject = format!("jobs that run as {}", read.whose);
    let found = match &read.found {
        Ok(found) => found,
        Err(why) => return vec![unknown(Check::Tools, subject, why)],
    };
    let missing: Vec<&str> =
        TOOLS.into_iter().filter(|tool| !found.iter().any(|there| there == tool)).collect();
    let finding =
        |level, reading: String| Finding::new(Check::Tools, level, subject.clone(), reading);
    vec![match missing[..] {
        [] if read.are_stubs => {
            finding(Level::Bad, "git is only a stub: the command line tools are missing".into())
                .mend("Install them: xcode-select --install")
        }
        [] => finding(Level::Ok, format!("{} are there", list(&TOOLS))),
        ["ssh"] => finding(Level::Warn, "ssh is missing: code is checked out by https alone".into())
            .mend("Install OpenSSH's client (Debian and Ubuntu: sudo apt install openssh-client)."),
        _ => finding(Level::Bad, format!("missing: {}", list(&missing))).mend(format!(
            "Install them (Debian and Ubuntu: sudo apt install {}), or add their folder to PATH and \
             start the supervisor again.",
            missing.iter().map(|tool| package(tool)).collect::<Vec<_>>().join(" ")
        )),
    }]
}

fn package(tool: &str) -> &str {
    match tool {
        "cat" => "coreutils",
        "ssh" => "openssh-client",
        tool => tool,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::levels;

    fn without(missing: &[&str], are_stubs: bool) -> Vec<Finding> {
        let found = TOOLS.iter().filter(|tool| !missing.contains(tool));
        let found = Ok(found.map(ToString::to_string).collect());
        tools(&ToolsFound { whose: "ci".into(), found, are_stubs })
    }

    #[test]
    fn a_job_cannot_do_without_most_of_them() {
        assert_eq!(levels(&without(&[], false)), [Level::Ok]);
        assert_eq!(levels(&without(&["ssh"], false)), [Level::Warn]);
        assert_eq!(levels(&without(&[], true)), [Level::Bad]);
        let found = without(&["git", "ssh", "cat"], false);
        assert_eq!(levels(&found), [Level::Bad]);
        let mend = found[0].mend.as_ref().unwrap();
        assert!(mend.contains("apt install git coreutils openssh-client"), "{mend}");
    }
}
