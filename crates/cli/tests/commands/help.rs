//! Every command says what it does, with examples that are commands.

use insta::assert_snapshot;

use crate::fake::Fake;

const COMMANDS: &[&[&str]] = &[
    &[],
    &["setup"],
    &["status"],
    &["tasks"],
    &["history"],
    &["logs"],
    &["doctor"],
    &["pause"],
    &["resume"],
    &["after-task"],
    &["notices"],
    &["preferences"],
    &["preferences", "show"],
    &["preferences", "set"],
    &["cancel-task"],
    &["remove"],
    &["token"],
    &["token", "set"],
    &["token", "move"],
    &["token", "forget"],
    &["token", "create"],
    &["token", "list"],
    &["token", "rotate"],
    &["token", "delete"],
    &["class"],
    &["class", "list"],
    &["class", "show"],
    &["class", "create"],
    &["class", "delete"],
    &["agent"],
    &["agent", "list"],
    &["agent", "install"],
    &["agent", "stop-install"],
    &["supervisor"],
    &["supervisor", "start"],
    &["supervisor", "stop"],
    &["supervisor", "status"],
    &["supervisor", "enable"],
    &["supervisor", "disable"],
    &["config"],
    &["config", "path"],
    &["config", "show"],
    &["config", "snippet"],
    &["config", "job-path"],
    &["workdirs"],
    &["workdirs", "keep"],
    &["workdirs", "release"],
    &["clean"],
    &["presets"],
    &["presets", "set"],
    &["preinstall"],
    &["preinstall", "list"],
    &["preinstall", "check"],
    &["preinstall", "plan"],
    &["preinstall", "install"],
    &["preinstall", "last"],
    &["preinstall", "report"],
    &["preinstall", "import"],
    &["preinstall", "export"],
    &["completions"],
];

#[test]
fn every_command_explains_itself() {
    let nowhere = Fake::absent();
    for command in COMMANDS {
        let name = if command.is_empty() { "runnerctl".to_owned() } else { command.join("-") };
        assert_snapshot!(format!("help-{name}"), nowhere.run(&[command, &["--help"][..]].concat()));
    }
}

#[test]
fn every_example_is_a_command_line_that_is_understood() {
    let nowhere = Fake::absent();
    for command in COMMANDS {
        let help = nowhere.run(&[command, &["--help"][..]].concat());
        let examples: Vec<&str> = help.lines().filter_map(example).collect();
        assert!(!examples.is_empty(), "{command:?} has examples");
        for example in examples {
            let words: Vec<String> = words(example);
            let args: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
            // Any answer but "wrong usage" will do where nothing runs: `cancel-task` without --yes
            // and a token without input are not reached.
            let seen = nowhere.transcript(
                nowhere
                    .command(&args)
                    .env("RUNNER_TRAY_SUPERVISOR", "/nowhere")
                    .write_stdin("t0ken"),
            );
            assert!(!seen.starts_with("exit code 2"), "{example}\n{seen}");
        }
    }
}

/// The runnerctl part of an example's line.
fn example(line: &str) -> Option<&str> {
    let line = line.strip_prefix("  ")?;
    let start = line.find("runnerctl ").filter(|&at| at == 0 || line.contains("| runnerctl"))?;
    let command = &line[start..];
    let end = ["  ", " |", " <", " >"].iter().filter_map(|end| command.find(end)).min();
    Some(&command[..end.unwrap_or(command.len())])
}

/// As a shell splits them, as far as the examples need it.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in command.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().expect("a word").push(c),
        }
    }
    words
}

#[test]
fn completions_are_printed_for_each_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let seen = Fake::absent().run(&["completions", shell]);
        assert!(seen.starts_with("exit code 0\n--- output\n"), "{seen}");
        assert!(seen.contains("cancel-task"), "{shell} completes the commands");
    }
}
