//! Trees that mean harm, made for real: whatever they do, the canaries outside of the root live.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod again;
mod full;
mod killed;
mod links;
mod mounts;
mod odd;
mod races;
mod stopped;
mod stuck;
mod yard;
