//! The work: a git repository made on the spot, and a job that clones it, compiles and tests it and
//! writes artefacts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use local_circleci::NewTask;

use crate::place::CLASS;

const SOURCE: &str = r#"#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    long sum = 0;
    for (int i = 1; i < argc; i++) sum += strtol(argv[i], NULL, 10);
    printf("%ld\n", sum);
    return 0;
}
"#;
const TEST: &str = r#"set -e
test "$(./sum 1 2 3)" = 6
test "$(./sum)" = 0
test "$(./sum -4 4)" = 0
echo "3 tests passed"
"#;

/// Makes the repository; its folder.
pub(crate) fn repository(within: &Path) -> Result<PathBuf> {
    let folder = within.join("sum");
    fs::create_dir_all(&folder)?;
    for (name, text) in [("sum.c", SOURCE), ("test.sh", TEST)] {
        let path = folder.join(name);
        fs::File::create(&path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
            .with_context(|| format!("writing {}", path.display()))?;
    }
    let identity = ["-c", "user.name=Demo", "-c", "user.email=demo@localhost"];
    git(&folder, &["init", "--quiet", "--initial-branch=main"])?;
    git(&folder, &["add", "."])?;
    git(&folder, &[&identity[..], &["commit", "--quiet", "-m", "A program that sums"]].concat())?;
    Ok(folder)
}

fn git(folder: &Path, arguments: &[&str]) -> Result<()> {
    let status = Command::new("git")
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .status()
        .context("starting git")?;
    ensure!(status.success(), "git {} failed", arguments.join(" "));
    Ok(())
}

/// A job that takes `seconds` beyond its real work, so that there is time to look.
pub(crate) fn job(name: &str, repository: &Path, seconds: u32) -> NewTask {
    NewTask::new(CLASS)
        .project("acme/sum")
        .branch("main")
        .job(name)
        .env("REPOSITORY", &repository.display().to_string())
        .step("checkout", "rm -rf sum && git clone --quiet \"$REPOSITORY\" sum && ls sum")
        .step("compile", "cd sum && ${CC:-cc} -O2 -Wall -o sum sum.c && ls -l sum")
        .step("test", &format!("cd sum && bash test.sh && sleep {seconds}"))
        .step("artefacts", "mkdir -p artefacts && cp sum/sum artefacts/ && ls -l artefacts")
}
