//! Whom to kill.

use run_dir::Side;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Victim {
    /// `runnerctl`, with a call under way.
    Client,
    Supervisor,
    Keeper,
    SupervisorAndKeeper,
    /// The side of the wrapper that the agent knows.
    WrapperFront,
    /// The side of the wrapper that is the task agent's parent.
    WrapperGuard,
    /// Both sides.
    WrapperWhole,
}

impl Victim {
    pub(crate) const ALL: [Self; 7] = [
        Self::Client,
        Self::Supervisor,
        Self::Keeper,
        Self::SupervisorAndKeeper,
        Self::WrapperFront,
        Self::WrapperGuard,
        Self::WrapperWhole,
    ];

    pub(crate) fn is_keeper(self) -> bool {
        matches!(self, Self::Keeper | Self::SupervisorAndKeeper)
    }

    pub(crate) fn is_wrapper(self) -> bool {
        self.side().is_some()
    }

    /// Which side of the wrapper is gone, as the task's record has it.
    pub(crate) fn side(self) -> Option<Side> {
        match self {
            Self::WrapperFront => Some(Side::Front),
            Self::WrapperGuard => Some(Side::Guard),
            Self::WrapperWhole => Some(Side::Both),
            Self::Client | Self::Supervisor | Self::Keeper | Self::SupervisorAndKeeper => None,
        }
    }
}
