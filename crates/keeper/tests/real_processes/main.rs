//! The keeper with real processes: agents and tasks are small scripts that note what they get.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod adopt;
mod agent;
mod cancel;
mod clean_up;
mod drain;
mod full_disk;
mod gate;
mod home;
mod job_user;
mod log_bound;
mod random_kills;
mod sameness;
mod task;
mod task_killed;
mod token;
