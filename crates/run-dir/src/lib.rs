//! The on-disk contract of one agent run: what keeper and supervisor tell each other by files.
//!
//! It must never guess: what cannot be read is [`Record::Unreadable`] or [`Record::Newer`], and
//! never taken for absent. It reads no clock; callers pass the time.
//!
//! ```text
//! runs/.next/              reserved ahead, so that a start works on a full disk
//! runs/<run>/plan.json     before the spawn
//!            config.yaml   the agent's configuration, no token
//!            keeper.lock   locked from before the spawn to the keeper's end
//!            keeper.json   who the keeper is; rewritten by an adopter
//!            keeper.log    the keeper's own words
//!            started.json  the agent; durable before it exists
//!            drain.json  drain-sent.json  drain-lost.json  cancel.json  cancel-sent.json
//!            exit.json     how it ended
//!            agent.log     the agent's stdout and stderr, bounded; agent.log.1 is the part before
//!            tasks/.next/  reserved ahead
//!            clean-up.json what is done before each task
//!            tasks/<n>/    task.lock  started.json  finished.json  clean-up.json  clean-up.log
//! ```
//!
//! Record files are created at full size, filled with spaces, before they are needed, and written
//! in place: pause and exit code work on a full disk. The longer story is in each module.

mod agent_log;
mod block;
mod cover;
mod lock;
mod log_cut;
#[cfg(test)]
mod power_cut;
mod read_at_most;
mod record;
mod records;
mod run;
mod run_id;
mod runs;
mod spare;
mod state;
mod task;
mod token_mark;

pub use agent_log::AgentLog;
pub use cover::Covers;
pub use lock::{KeeperLock, TaskLock};
pub use read_at_most::read_at_most;
pub use record::{Record, VERSION};
pub use records::{
    Cancel, CancelOutcome, CancelSent, Drain, DrainLost, DrainSent, End, Ended, Exit, JobPath,
    KeeperRecord, Plan, Side, Started, TaskEnd, TaskFinished, TaskStarted,
};
pub use run::RunDir;
pub use run_id::{RunId, TaskNumber};
pub use runs::RunsFolder;
pub use spare::{Spare, write_atomically};
pub use state::{RunState, TaskState};
pub use task::TaskDir;
pub use token_mark::TokenMark;
