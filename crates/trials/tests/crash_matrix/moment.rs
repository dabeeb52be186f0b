//! The moments of a runner's life at which something is killed.

/// Where its task, its agent and its signals stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The keeper holds the lock and has started nothing yet.
    Starting,
    /// The gate is on record and has not been told to become the agent.
    BetweenSpawnAndGo,
    Idle,
    InATask,
    /// drain.json is written, and the TERM is not sent.
    BetweenDrainAndTerm,
    /// The agent has its TERM and finishes a task.
    Draining,
    /// The keeper has read the owner's cancel and has sent nothing yet.
    Cancelling,
    /// The agent has the first TERM of a cancel and not yet the second.
    BetweenTheTwoTerms,
    /// The agent ended at its start, and another is to be tried later.
    BackingOff,
}

impl Moment {
    pub(crate) const ALL: [Self; 9] = [
        Self::Starting,
        Self::BetweenSpawnAndGo,
        Self::Idle,
        Self::InATask,
        Self::BetweenDrainAndTerm,
        Self::Draining,
        Self::Cancelling,
        Self::BetweenTheTwoTerms,
        Self::BackingOff,
    ];

    /// Where the keeper is to stop itself, so that the moment lasts.
    pub(crate) fn hold_at(self) -> Option<&'static str> {
        match self {
            Self::Starting => Some("lock-taken"),
            Self::BetweenSpawnAndGo => Some("started-written"),
            Self::BetweenDrainAndTerm => Some("drain-written"),
            Self::Cancelling => Some("cancel-seen"),
            Self::BetweenTheTwoTerms => Some("between-the-terms"),
            Self::Idle | Self::InATask | Self::Draining | Self::BackingOff => None,
        }
    }

    /// The agent does not exist yet.
    pub(crate) fn is_before_the_agent(self) -> bool {
        matches!(self, Self::Starting | Self::BetweenSpawnAndGo)
    }

    /// The owner wants the task to end.
    pub(crate) fn is_a_cancel(self) -> bool {
        matches!(self, Self::Cancelling | Self::BetweenTheTwoTerms)
    }

    /// The owner wants no further task.
    pub(crate) fn is_a_pause(self) -> bool {
        matches!(self, Self::BetweenDrainAndTerm | Self::Draining)
    }
}
