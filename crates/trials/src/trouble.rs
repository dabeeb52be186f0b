//! What every fault is held against: it has a name that people and scripts see, and once it is over
//! the runner works as before.

use local_circleci::control::Fault;
use protocol::{Problem, ProblemCode, Runner};

use crate::{DEADLINE, Rig, until, until_some};

impl Rig {
    /// The runner and its problem, once that is told: to scripts by its code, to people by a sentence
    /// and a way out.
    #[track_caller]
    pub fn until_problem(&self, code: ProblemCode) -> (Runner, Problem) {
        let runner = self.until_runner(&format!("the problem {code:?} is told"), |runner| {
            runner.problems.iter().any(|problem| problem.code == code)
        });
        let problem = runner.problems.iter().find(|problem| problem.code == code).cloned();
        let problem = problem.expect("just seen");
        self.assert_told(&problem);
        (runner, problem)
    }

    /// The same for a problem that is not one runner's.
    #[track_caller]
    pub fn until_common_problem(&self, code: ProblemCode) -> Problem {
        let problem = until_some(DEADLINE, &format!("the problem {code:?} is told"), || {
            self.api.snapshot().ok()?.problems.into_iter().find(|problem| problem.code == code)
        });
        self.assert_told(&problem);
        problem
    }

    #[track_caller]
    fn assert_told(&self, problem: &Problem) {
        assert!(!problem.summary.is_empty() && !problem.hint.is_empty(), "{problem:?}");
        let code = serde_json::to_string(&problem.code).expect("a code has a name");
        // It may be over by then.
        let told = self.place.runnerctl(&["status", "--json"]);
        if told.contains(&code) {
            let words = self.place.runnerctl(&["status"]);
            let is_shown = words.contains(&problem.summary);
            let still = self.place.runnerctl(&["status", "--json"]).contains(&code);
            assert!(is_shown || !still, "{problem:?} is not in:\n{words}");
        }
        assert_inert(&told);
    }

    /// No problem of any kind is told.
    #[track_caller]
    pub fn until_well(&self) {
        until(DEADLINE, "no problem is told any more", || {
            self.api.snapshot().is_ok_and(|snapshot| {
                snapshot.problems.is_empty()
                    && snapshot.runners.iter().all(|runner| runner.problems.is_empty())
            })
        });
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
    let obeyed = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t'));
    assert!(obeyed.is_none(), "{obeyed:?} is in what is shown: {text:?}");
}
