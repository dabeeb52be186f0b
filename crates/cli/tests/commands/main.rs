//! runnerctl as its users meet it: each command against a scripted supervisor.

mod asking;
mod cleaning;
mod doctoring;
mod fake;
mod help;
mod holding;
mod looking;
mod machine;
mod preinstalling;
mod setting_up;
mod supervising;
mod terminal;
