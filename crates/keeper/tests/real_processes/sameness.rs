//! A task behind the wrapper is set up as the same task without it, in all that can be inherited.

use std::process::Command;

use crate::home::{Home, KEEPER, TOKEN, fs};

/// Writes down all that a process inherits, into the file it is given.
const PROBE: &str = r#"#!/bin/bash
exec 3>"$1"
{
    ulimit -a; ulimit -Ha; umask; nice; pwd
    grep -E '^(Sig|Shd|Groups|NoNewPrivs|Cpus_allowed)' /proc/self/status | grep -v '^SigQ'
    cat /proc/self/oom_score_adj /proc/self/timerslack_ns 2>/dev/null
    ps -o sid= -p $$
    find /proc/$$/fd -type l -printf 'fd %f %l\n'
    tr '\0' '\n' </proc/$$/environ
} >&3
"#;

/// Stands for an agent with odd habits: starts a command twice, bare and behind the wrapper, with
/// limits, umask, nice, signals and descriptors as nobody would have them.
const AGENT: &str = r#"
import os, resource, signal, subprocess, sys
keeper, run, probe, here, token = sys.argv[1:]
pipe = os.pipe()
extra = os.open("/dev/zero", os.O_RDONLY)
for fd in (*pipe, extra):
    os.set_inheritable(fd, True)
os.dup2(extra, 77, inheritable=True)
def odd():
    os.umask(0o027)
    os.nice(3)
    resource.setrlimit(resource.RLIMIT_NOFILE, (333, 444))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 4096))
    for name in IGNORED:
        signal.signal(getattr(signal, "SIG" + name), signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, [getattr(signal, "SIG" + name) for name in BLOCKED])
environment = {"ZULU": "1", "PATH": os.environ["PATH"], "ALPHA": "two words"}
cases = [
    ([], []), (["PIPE"], []), (["HUP", "INT", "QUIT"], []), (["CHLD"], []), (["USR1", "XFSZ"], ["USR2"]),
    ([], ["TERM", "CHLD", "PIPE"]),
]
for n, (IGNORED, BLOCKED) in enumerate(cases):
    for name, prefix, more in (("bare", [], {}), ("wrapped", [keeper, "task", run, "--"],
                               {"CIRCLECI_RUNNER_API_AUTH_TOKEN": token})):
        out = "%s/%s%d" % (here, name, n)
        env = {"ZULU": "1", **more, "PATH": environment["PATH"], "ALPHA": "two words"}
        subprocess.run([*prefix, probe, out], env=env, cwd=here, close_fds=False, restore_signals=False,
                       stdin=subprocess.DEVNULL, preexec_fn=odd, check=True)
print(len(cases))
"#;

#[test]
fn limits_umask_nice_signals_descriptors_and_environment_are_the_same() {
    let home = Home::new();
    let (run, _lock) = home.run(&home.plan());
    let probe = home.script("probe", PROBE);
    let agent = home.script("odd-agent.py", AGENT);
    let output = Command::new("python3")
        .arg(agent)
        .arg(KEEPER)
        .arg(run.path())
        .arg(probe)
        .arg(home.folder.path())
        .arg(TOKEN)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let cases: usize = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    for case in 0..cases {
        let [bare, wrapped] = ["bare", "wrapped"].map(|name| {
            let report = home.path(&format!("{name}{case}"));
            let text = fs::read(&report).unwrap();
            text.replace(report.to_str().unwrap(), "the report")
        });
        assert!(bare.contains("fd 77 /dev/zero") && bare.contains("ZULU=1"), "{bare}");
        assert_eq!(bare, wrapped, "case {case}");
    }
}
