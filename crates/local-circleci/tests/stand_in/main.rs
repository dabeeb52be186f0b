//! The stand-in's promises, with real processes on loopback: one test for each documented line (the
//! table in README.md). Every test has its own server, folders and runners.

#![expect(clippy::unwrap_used, reason = "tests and their helpers fail by panicking")]

mod configuration;
mod draining;
mod ends;
mod lifecycle;
mod logs;
mod prefix;
mod server;
mod server_process;
mod tasks;
mod trouble;
mod user_api;
mod variants;
mod world;
