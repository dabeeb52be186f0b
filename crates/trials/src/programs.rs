//! Where our programs lie: beside the test that runs, in `target/<profile>`.

use std::path::PathBuf;

/// The program of that name, e.g. `runnerctl`.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test has a path");
    let beside = test.ancestors().skip(1).take(2).map(|folder| folder.join(name));
    beside.into_iter().find(|path| path.is_file()).unwrap_or_else(|| {
        panic!("there is no {name} near {}; run: cargo build --workspace --bins", test.display())
    })
}
