//! Every preset with real files, or with the real program where there is one to be had.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod around;
mod caches;
mod commands;
mod containers;
mod fresh;
mod goals;
mod kept;
mod own;
mod scene;
mod shared;
mod undo;
