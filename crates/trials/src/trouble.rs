//! What every fault is held against: it has a name that people and scripts see, and once it is over
//! the runner works as before.

use std::time::Instant;

use local_circleci::control::Fault;
use protocol::{Problem, ProblemCode, Runner, Snapshot};

use crate::until::holds_within;
use crate::{DEADLINE, Place, Rig, nap};

const BETWEEN_LOOKS: std::time::Duration = std::time::Duration::from_millis(15);

/// A problem as it is told, and the runner that it is one of; none for what is not one runner's.
#[derive(Clone, Debug)]
pub struct Told {
    pub runner: Option<Runner>,
    pub problem: Problem,
}

impl Place {
    /// The problem, once it is told: to scripts by its code in `runnerctl status --json`, and with it to
    /// people in `runnerctl status`, by a sentence, a reading where it has one, and a way out. `about`
    /// is part of the reading or of the way out.
    #[track_caller]
    pub fn until_told(&self, code: ProblemCode, about: &str) -> Told {
        let end = Instant::now() + DEADLINE;
        let mut seen = Vec::new();
        loop {
            if let Some(told) = self.told(code, about, &mut seen) {
                let problem = &told.problem;
                assert!(!problem.summary.is_empty() && !problem.hint.is_empty(), "{problem:?}");
                return told;
            }
            assert!(
                Instant::now() < end,
                "waited in vain until {code:?} is told with {about:?}: {seen:#?}"
            );
            nap(BETWEEN_LOOKS);
        }
    }

    /// Nothing while it is not told in both, nor while nobody answers.
    fn told(&self, code: ProblemCode, about: &str, seen: &mut Vec<Problem>) -> Option<Told> {
        let json = self.status(&["--json"])?;
        let snapshot: Snapshot = serde_json::from_str(&json).expect("a snapshot");
        let all = all_told(snapshot);
        *seen = all.iter().map(|told| told.problem.clone()).collect();
        let told = all.into_iter().find(|Told { problem, .. }| {
            let words = [problem.reading.as_deref().unwrap_or_default(), &problem.hint];
            problem.code == code && words.iter().any(|words| words.contains(about))
        })?;
        let words = on_one_line(&self.status(&[])?);
        let Problem { summary, reading, hint, .. } = &told.problem;
        // What a terminal would obey is left out of the words.
        let reading = reading.as_ref().filter(|reading| !reading.contains(is_obeyed));
        let mut parts = [Some(summary), reading, Some(hint)].into_iter().flatten();
        let in_words = parts.all(|part| words.contains(&on_one_line(part)));
        in_words.then(|| told.clone())
    }

    /// What `runnerctl status` prints, which no terminal would obey.
    #[track_caller]
    fn status(&self, arguments: &[&str]) -> Option<String> {
        let mut command = self.command("runnerctl");
        let output = command.arg("status").args(arguments).output().expect("runnerctl runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_inert(&text);
        output.status.success().then_some(text)
    }
}

fn all_told(snapshot: Snapshot) -> Vec<Told> {
    let common = snapshot.problems.into_iter().map(|problem| Told { runner: None, problem });
    let of_runners = snapshot.runners.into_iter().flat_map(|runner| {
        let problems = runner.problems.clone();
        problems.into_iter().map(move |problem| Told { runner: Some(runner.clone()), problem })
    });
    common.chain(of_runners).collect()
}

/// However lines are broken.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Rig {
    /// The runner and its problem, once that is told to scripts and to people.
    #[track_caller]
    pub fn until_problem(&self, code: ProblemCode) -> (Runner, Problem) {
        let Told { runner, problem } = self.place.until_told(code, "");
        (runner.expect("it is a runner's"), problem)
    }

    /// The same for a problem that is not one runner's.
    #[track_caller]
    pub fn until_common_problem(&self, code: ProblemCode) -> Problem {
        let Told { runner, problem } = self.place.until_told(code, "");
        assert!(runner.is_none(), "it is not one runner's: {problem:?}");
        problem
    }

    /// No problem of any kind is told.
    #[track_caller]
    pub fn until_well(&self) {
        let mut told = Vec::new();
        let is_well = || {
            let Ok(snapshot) = self.api.snapshot() else { return false };
            told = snapshot.problems;
            told.extend(snapshot.runners.into_iter().flat_map(|runner| runner.problems));
            told.is_empty()
        };
        assert!(holds_within(DEADLINE, is_well), "these are told still: {told:?}");
    }

    /// A job runs to its own end, and no problem is told any more.
    #[track_caller]
    pub fn assert_works_again(&mut self) {
        let job = self.short_job();
        self.assert_ended_well(&job);
        self.until_well();
    }

    /// Spoils all calls below this path, until the faults are cleared.
    pub fn spoil(&self, path: &str, fault: Fault) {
        let fault = Fault { path: path.to_owned(), ..fault };
        self.circle.control().add_fault(&fault).expect("the server takes a fault");
    }

    pub fn spoil_nothing(&self) {
        self.circle.control().clear_faults().expect("the server forgets its faults");
    }
}

/// No terminal that shows the text would obey it.
#[track_caller]
pub fn assert_inert(text: &str) {
    let obeyed = text.chars().find(|c| is_obeyed(*c));
    assert!(obeyed.is_none(), "{obeyed:?} is in what is shown: {text:?}");
}

fn is_obeyed(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
}
