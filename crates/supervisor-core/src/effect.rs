//! Everything the supervisor may be told to do.

use jiff::Timestamp;
use protocol::{AfterTaskAct, FinishedTask, RunId, RunnerName, TaskId};

use crate::notice::NewNotice;
use crate::wanted::Wanted;

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Put the wants on disk, durably, then report [`crate::Event::Saved`] or `SaveFailed`.
    /// Nothing that follows from them is done before.
    Save { number: u64, wanted: Wanted },
    /// Have the agent's release at hand: find or download it, check it.
    Install(RunnerName),
    /// End the installation for this runner; what came so far is kept.
    CallOff(RunnerName),
    /// Read the token, make a run directory, start a keeper.
    StartRun(RunnerName),
    /// Put a keeper in charge of an agent that has none.
    Adopt(RunId),
    /// Tell the keeper to drain. It sends the agent one TERM, however often it is told.
    Drain(RunId),
    /// Record the proof that the drain signal was lost, and have it sent again.
    DrainAgain { run: RunId, proof: Vec<TaskId> },
    /// Record the user's word that this task ends now, and tell the keeper.
    Cancel { run: RunId, task: TaskId },
    /// Put a finished task into the history. After a restart a task may come again, known less well:
    /// what is there stays.
    Record(FinishedTask),
    /// A line that came late told more of a task that was recorded: put this in its place.
    Amend(FinishedTask),
    /// Ask the server at this address whether it is there; none is CircleCI's own.
    Probe(Option<String>),
    /// Look how the machine is powered, and tell it with [`crate::Event::PowerSeen`].
    LookAtPower,
    /// Look how full the disks are, and tell it with [`crate::Event::DisksSeen`].
    LookAtDisks,
    /// Keep the machine awake, and report [`crate::Event::KeptAwake`]; or let it sleep again.
    KeepAwake(bool),
    /// No task runs any more: do this, once, and report [`crate::Event::AfterTaskDone`].
    AfterTask(AfterTaskAct),
    /// Keep this notice, and show it where the owner looks.
    Tell(Box<NewNotice>),
    /// Send [`crate::Event::Woke`] then, by the wall clock; replaces the moment before.
    WakeAt(Option<Timestamp>),
    /// The snapshot has changed.
    Publish,
}
