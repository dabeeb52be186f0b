//! While what jobs need is installed no task is claimed: one that began in the middle would find half
//! of it. A task that runs already goes on.

use protocol::{PauseBy, PauseReason, PreinstallNow};

#[derive(Debug, Default, Clone)]
pub(crate) struct Preinstalling(Option<PreinstallNow>);

impl Preinstalling {
    pub(crate) fn seen(&mut self, now: Option<PreinstallNow>) {
        self.0 = now;
    }

    /// One that only a newer version knows changes nothing that this one would have to wait for.
    pub(crate) fn hold(&self) -> Option<PauseReason> {
        match self.0.as_ref()? {
            PreinstallNow::Installing(runs) => Some(PauseReason {
                by: PauseBy::Preinstall,
                since: runs.since,
                until: None,
                note: None,
                reading: Some("what jobs need is installed".to_owned()),
            }),
            PreinstallNow::Checking { .. } | PreinstallNow::Done(_) | PreinstallNow::Other => None,
        }
    }

    pub(crate) fn shown(&self) -> Option<PreinstallNow> {
        self.0.clone()
    }
}
