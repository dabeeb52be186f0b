//! What the core promises, told as short scenes in the words of people and machines.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod after_task;
mod agents_end;
mod cancelling;
mod clocks;
mod healing;
mod installing;
mod keeping_awake;
mod making_room;
mod pausing;
mod preinstalling;
mod proving;
mod reaching;
mod reading;
mod recording;
mod rotating;
mod scene;
mod settings;
mod showing;
mod telling;
