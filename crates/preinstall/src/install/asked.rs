//! Steps that somebody has to allow: `pkexec` asks. One question is for all of a step, a no is for all
//! steps that need an admin, and nobody is asked who did not just begin it.

use tokio::sync::watch;

use super::{Installation, LAST_LINES, Stop, Told};
use crate::calls::{ALONE, Call, Rights};
use crate::output::last_of;
use crate::plan::{Step, What};

/// pkexec(1): the question was closed; nobody may, or nobody could be asked.
const NOT_ALLOWED: [Option<i32>; 2] = [Some(126), Some(127)];
/// What is told of a step that needs an admin's rights and was refused them.
const NO: &str = "You did not allow it. Install again and you are asked again, or run the command in \
    a terminal and check again.";
const INTERRUPTED: &str = "It was interrupted, and nobody is asked for an admin's rights who did not \
    just begin it. For the rest, install again.";

impl Installation {
    /// Somebody is asked for each call that needs an admin.
    pub(super) fn asks(&self) -> bool {
        self.record.rights == Rights::Pkexec
    }

    /// A step that somebody has to allow, by one question for all of it. Where the answer is no it is not
    /// asked again, for no step.
    pub(super) async fn at_once(
        &mut self,
        at: usize,
        step: &Step,
        cancel: &mut watch::Receiver<bool>,
        told: &mut Told<'_>,
    ) -> Result<(), Stop> {
        let before = at.checked_sub(1).and_then(|before| self.record.steps.get(before));
        let refresh = before.is_some_and(|before| before.step.what == What::Refresh);
        // apt's lists are refreshed with what needs them.
        let Some(call) = Call::at_once(step, refresh) else { return Ok(()) };
        let from = self.output.end();
        let (code, said) = self.call(at, step, &call, cancel, told).await?;
        if NOT_ALLOWED.contains(&code) {
            self.refused(step, &said);
            return Ok(());
        }
        // Told of what is not there though it ended well, too.
        let all = self.output.after(from);
        let command = call.shown(self.record.rights, &self.jobs);
        for item in &step.items {
            let alone = said_of(&all, &item.names).unwrap_or_else(|| said.clone());
            self.failed(&step.only(std::slice::from_ref(&item.id)), &command, &alone);
        }
        Ok(())
    }

    /// `said`: by whoever asked, where anybody was asked.
    pub(super) fn refused(&mut self, step: &Step, said: &str) {
        let calls = Call::of(step, &self.jobs.home);
        let command: Vec<String> =
            calls.iter().map(|call| call.shown(self.record.rights, &self.jobs)).collect();
        let words = if said.is_empty() { NO.to_owned() } else { format!("{NO}\n{said}") };
        self.failed(step, &command.join("\n"), &words);
        self.record.not_allowed.extend(step.items.iter().map(|item| item.id.clone()));
    }

    /// Whoever would be asked may have begun it at another time, and not be there.
    pub(super) fn may_ask_for(&self, step: &Step) -> Result<(), Stop> {
        let is_asked = self.asks() && step.runs_as_admin() && !step.items.is_empty();
        if is_asked && self.record.taken_up > 0 {
            return Err(Stop::Cannot(INTERRUPTED.to_owned()));
        }
        Ok(())
    }
}

/// What was said last of packages that were tried by themselves.
fn said_of(all: &str, names: &[String]) -> Option<String> {
    let mut is_of_it = false;
    let mut lines = Vec::new();
    for line in all.lines() {
        match line.strip_prefix(ALONE) {
            Some(name) => is_of_it = names.iter().any(|it| it == name),
            None if is_of_it => lines.push(line),
            None => {}
        }
    }
    last_of(&lines.join("\n"), LAST_LINES)
}

#[cfg(test)]
#[path = "asked_tests.rs"]
mod tests;
