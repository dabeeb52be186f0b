//! Whether tokens can be read where they are kept.

use protocol::{Check, Finding, Level, Problem, ProblemCode, RunnerName};

/// A store that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRead {
    /// None: before any set-up, the keychain alone was tried.
    pub runner: Option<RunnerName>,
    /// "the keychain", "a file that only you can read".
    pub store: String,
    /// What is wrong; none: it was read.
    pub problem: Option<Problem>,
}

pub fn token(read: &TokenRead) -> Finding {
    let subject = match &read.runner {
        Some(runner) => format!("{runner}, in {}", read.store),
        None => read.store.clone(),
    };
    let finding = |level, reading: String| Finding::new(Check::Token, level, subject, reading);
    let Some(problem) = &read.problem else {
        return finding(Level::Ok, "it can be read".into());
    };
    if read.runner.is_none() && problem.code == ProblemCode::TokenMissing {
        return finding(Level::Ok, "it can be read; no token is in it yet".into());
    }
    let summary = problem.summary.trim_end_matches('.');
    let reading = match &problem.reading {
        Some(reading) => format!("{summary} ({reading})"),
        None => summary.to_owned(),
    };
    // Before a set-up there is a choice yet.
    let level = if read.runner.is_some() { Level::Bad } else { Level::Warn };
    finding(level, reading).mend(problem.hint.clone())
}

/// A token that may be in `store`, and whose runner the settings do not name (any more).
pub fn left_token(runner: &RunnerName, store: &str) -> Finding {
    let subject = format!("{runner}, in {store}");
    let reading = "the settings do not name this runner, and its token may still be there";
    let mend = format!("Forget it: `runnerctl token forget --runner {runner}`");
    Finding::new(Check::Token, Level::Warn, subject, reading).mend(mend)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn read(runner: Option<&str>, problem: Option<ProblemCode>) -> Finding {
        token(&TokenRead {
            runner: runner.map(|name| name.parse().unwrap()),
            store: "the keychain".into(),
            problem: problem.map(|code| Problem::of(code, Timestamp::UNIX_EPOCH)),
        })
    }

    #[test]
    fn a_runner_without_its_token_is_bad_and_a_machine_without_a_keychain_is_warned() {
        for (runner, problem, level) in [
            (Some("mini"), None, Level::Ok),
            (Some("mini"), Some(ProblemCode::TokenMissing), Level::Bad),
            (Some("mini"), Some(ProblemCode::KeychainLocked), Level::Bad),
            (Some("mini"), Some(ProblemCode::TokenFileUnusable), Level::Bad),
            (None, None, Level::Ok),
            (None, Some(ProblemCode::TokenMissing), Level::Ok),
            (None, Some(ProblemCode::KeychainAbsent), Level::Warn),
        ] {
            let finding = read(runner, problem);
            assert_eq!(finding.level, level, "{finding:?}");
            assert_eq!(finding.mend.is_some(), level != Level::Ok, "{finding:?}");
        }
    }

    #[test]
    fn a_token_whose_runner_is_gone_is_told_with_the_command_that_forgets_it() {
        let finding = left_token(&"mini".parse().unwrap(), "the keychain");
        assert_eq!(
            (finding.level, finding.subject.as_str()),
            (Level::Warn, "mini, in the keychain")
        );
        assert!(finding.mend.unwrap().ends_with("`runnerctl token forget --runner mini`"));
    }
}
