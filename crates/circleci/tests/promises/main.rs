//! What the crate promises to those who use it: one binary, one file a subject.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene has failed")]

mod asking;
mod downloading;
mod installing;
mod real_lines;
mod release_server;
mod user_api;
mod user_api_server;
