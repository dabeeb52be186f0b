//! agent.log stays within its limit, and what is moved aside holds no token.

use std::os::unix::fs::PermissionsExt;

use crate::home::{Home, TOKEN, fs, secrets, until, wait};

const LIMIT: u64 = 64 * 1024;

#[test]
fn the_log_is_redacted_and_cut_while_the_agent_goes_on_writing() {
    let mut home = Home::new();
    let writer = format!(
        r#"#!/usr/bin/env python3
import os, sys, time
here = os.path.dirname(os.path.abspath(__file__))
n = 0
while not os.path.exists(here + "/finish"):
    for _ in range(50):
        print("line", n, "with {TOKEN} in it", flush=False)
        n += 1
    sys.stdout.flush()
    time.sleep(0.01)
print("the last line", flush=True)
"#
    );
    home.script("writer", &writer);
    let mut plan = home.plan();
    plan.argv = vec![home.path("writer").to_str().unwrap().to_owned()];
    plan.log_limit = LIMIT;
    let (run, lock) = home.run(&plan);
    let mut keeper = home.keeper(&run, lock, &[], &secrets());
    until("the log was moved aside twice", || {
        let aside = fs::read(&run.agent_log_before()).unwrap_or_default();
        aside.lines().next().is_some_and(|first| !first.starts_with("line 0 "))
    });
    home.finish_agent(0);
    wait(&mut keeper);

    let aside = fs::read(&run.agent_log_before()).unwrap();
    assert!(!aside.contains(TOKEN));
    let covered = format!(" with [token]{} in it\n", "*".repeat(TOKEN.len() - "[token]".len()));
    assert!(
        aside.contains(&covered),
        "a token is covered by as many bytes, so that all keep their place"
    );
    let mode = std::fs::metadata(run.agent_log_before()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let log = fs::read(&run.agent_log()).unwrap();
    let both = format!("{aside}{log}");
    assert!(both.contains("the last line\n"), "the agent writes on into the same file");
    assert!(!log.contains('\0'), "at its end, and not where it was before");
}

#[test]
fn a_quiet_log_wakes_nobody() {
    let mut home = Home::new();
    let (_run, mut keeper) = home.running();
    let switches = |pid| {
        let status = fs::read(std::path::Path::new(&format!("/proc/{pid}/status"))).unwrap();
        let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches")).unwrap();
        line.rsplit('\t').next().unwrap().parse::<u64>().unwrap()
    };
    // What it still has to do once its agent is up may take its time.
    let mut before = switches(keeper.id());
    until("it sleeps through a while", || {
        std::thread::park_timeout(std::time::Duration::from_millis(1500));
        let after = switches(keeper.id());
        std::mem::replace(&mut before, after) == after
    });
    home.finish_agent(0);
    wait(&mut keeper);
}
