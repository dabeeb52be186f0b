//! Every decision of the supervisor, and nothing else: events in, effects out.
//!
//! [`Core`] keeps two things apart. What is *wanted* is what people and rules asked for; it is on disk
//! before it counts. *Facts* are what was read: run directories, processes, log lines. After every
//! event one function derives from both what to do next, so the order in which news arrives, and how
//! often, does not matter.
//!
//! The supervisor around it carries out the effects in their order and reports back with events.
//! No file, process, socket or clock is touched here; the time of an event comes with it.

mod after_task;
mod asked;
mod back_off;
mod cleaning;
mod core;
mod decide;
mod disk;
mod effect;
mod event;
mod facts;
mod headline;
mod keep_awake;
mod notice;
mod pause;
mod preinstalling;
mod problems;
mod rotation;
mod run;
mod runner;
mod snapshot;
mod take;
mod task;
mod voices;
mod wanted;
mod wish;

pub use core::{Core, StateFile};
pub use effect::Effect;
pub use event::Event;
pub use facts::{
    AgentSeen, Cancelled, Drained, ExitSeen, Heard, Link, LockSeen, Phase, Power, Processes, Read,
    RotationFacts, RotationSeen, RunFacts, RunnerFacts, TaskEnd, TaskFacts, TokenCopy, VolumeFacts,
};
pub use notice::NewNotice;
pub use wanted::{StoppedInstall, Wanted, WantedAfterTask, WantedRunner};
pub use wish::{Refusal, Wish};
