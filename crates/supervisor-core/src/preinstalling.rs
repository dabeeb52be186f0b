//! While what jobs need is installed no task is claimed: one that began in the middle would find half
//! of it. A task that runs already goes on.

use protocol::{PauseBy, PauseReason, PreinstallNow, PreinstallReceipt, PreinstallRuns};

#[derive(Debug, Default, Clone)]
pub(crate) struct Preinstalling(Option<PreinstallNow>);

impl Preinstalling {
    /// What is to be told of it: one that ended, or one that was interrupted and cannot be read. What was
    /// known before this supervisor began is no news.
    pub(crate) fn seen(&mut self, now: Option<PreinstallNow>) -> Option<(PreinstallReceipt, bool)> {
        let before = std::mem::replace(&mut self.0, now);
        let Some(PreinstallNow::Done(receipt)) = &self.0 else { return None };
        match before {
            Some(PreinstallNow::Installing(runs)) => Some((receipt.clone(), runs.cancelling)),
            None if receipt.id.is_empty() => Some((receipt.clone(), false)),
            Some(
                PreinstallNow::Checking { .. } | PreinstallNow::Done(_) | PreinstallNow::Other,
            )
            | None => None,
        }
    }

    /// One that only a newer version knows changes nothing that this one would have to wait for.
    pub(crate) fn hold(&self) -> Option<PauseReason> {
        match self.0.as_ref()? {
            PreinstallNow::Installing(runs) => Some(PauseReason {
                by: PauseBy::Preinstall,
                since: runs.since,
                until: None,
                note: None,
                reading: Some(reading(runs)),
            }),
            PreinstallNow::Checking { .. } | PreinstallNow::Done(_) | PreinstallNow::Other => None,
        }
    }

    pub(crate) fn shown(&self) -> Option<PreinstallNow> {
        self.0.clone()
    }
}

fn reading(runs: &PreinstallRuns) -> String {
    let waits = runs.waits.as_ref().map(|waits| format!("; it waits: {waits}"));
    format!("what jobs need is installed{}", waits.unwrap_or_default())
}
