//! The program `runnerctl`; all of it is in the library beside, where its reference is made from too.

use std::process::ExitCode;

fn main() -> ExitCode {
    runner_tray_cli::main()
}
