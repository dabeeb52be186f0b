//! The programs that every job needs, in the PATH that jobs get: the same checks that preinstall makes.

use protocol::{Check, Finding, ItemChecked, ItemState, Level};

use crate::unknown;
use crate::words::list;

/// What CircleCI's runner documentation asks for ("prerequisites"), by the ids of the catalogue: steps
/// run in bash; the others check out, cache and unpack.
pub const TOOLS: [&str; 6] = ["bash", "git", "tar", "gzip", "coreutils", "ssh"];

/// What a check found of [`TOOLS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolsFound {
    /// Whose PATH: "you", or a job user's name.
    pub whose: String,
    pub found: Result<Vec<ItemChecked>, String>,
}

pub fn tools(read: &ToolsFound) -> Vec<Finding> {
    let subject = format!("jobs that run as {}", read.whose);
    let found = match &read.found {
        Ok(found) => found,
        Err(why) => return vec![unknown(Check::Tools, subject, why)],
    };
    let (mut there, mut not, mut not_known) = (Vec::new(), Vec::new(), Vec::new());
    for item in found {
        match item.state {
            ItemState::Present | ItemState::TooNew => there.push(item),
            ItemState::Missing | ItemState::Broken | ItemState::TooOld => not.push(item),
            ItemState::Unknown => not_known.push(item),
        }
    }
    let mut all: Vec<Finding> = not_known
        .iter()
        .map(|item| unknown(Check::Tools, format!("{}, {subject}", item.title), &item.reading))
        .collect();
    let finding =
        |level, reading: String| Finding::new(Check::Tools, level, subject.clone(), reading);
    let titles = |items: &[&ItemChecked]| -> Vec<String> {
        items.iter().map(|item| item.title.clone()).collect()
    };
    match not[..] {
        [] if there.is_empty() => {}
        [] => all.push(finding(Level::Ok, format!("{} are there", list(&titles(&there))))),
        [only] if only.id == "ssh" => all.push(
            finding(Level::Warn, format!("{}: code is checked out by https alone", only.reading))
                .mend(MEND),
        ),
        _ => {
            let readings: Vec<String> =
                not.iter().map(|item| format!("{}: {}", item.title, item.reading)).collect();
            all.push(finding(Level::Bad, readings.join("; ")).mend(MEND));
        }
    }
    all
}

const MEND: &str = "Have them installed: `runnerctl preinstall install essentials`. Where they are there \
    and in another folder, put that first: `runnerctl config job-path --first FOLDER`";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::levels;

    fn with(odd: &[(&str, ItemState)]) -> Vec<Finding> {
        let state = |id: &str| {
            odd.iter().find(|(it, _)| *it == id).map_or(ItemState::Present, |(_, state)| *state)
        };
        let item = |id: &&str| ItemChecked {
            id: (*id).to_owned(),
            title: id.to_uppercase(),
            state: state(id),
            reading: format!("{id} as it was read"),
            version: None,
            found_at: None,
            wants: None,
        };
        let found = Ok(TOOLS.iter().map(item).collect());
        tools(&ToolsFound { whose: "ci".into(), found })
    }

    #[test]
    fn a_job_cannot_do_without_most_of_them() {
        assert_eq!(levels(&with(&[])), [Level::Ok]);
        assert_eq!(levels(&with(&[("ssh", ItemState::Missing)])), [Level::Warn]);
        assert_eq!(levels(&with(&[("git", ItemState::TooOld)])), [Level::Bad]);
        let found = with(&[("git", ItemState::Broken), ("ssh", ItemState::Missing)]);
        assert_eq!(levels(&found), [Level::Bad]);
        assert!(found[0].reading.contains("GIT: git as it was read; SSH: "), "{found:?}");
        assert!(found[0].mend.as_ref().unwrap().contains("preinstall install essentials"));
    }

    #[test]
    fn what_could_not_be_told_is_unknown_beside_what_could() {
        let found = with(&[("git", ItemState::Unknown), ("tar", ItemState::Missing)]);
        assert_eq!(levels(&found), [Level::Unknown, Level::Bad]);
    }
}
