//! What is made from runnerctl's own description of itself: its reference `docs/cli.md`, and the man
//! pages and completions that packages ship. Words are the commands'; none is added here.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;
use clap::{Arg, Command};
use clap_complete::Shell;

use crate::generated::Generated;

const HEAD: &str = "\
# runnerctl

<!-- Generated from crates/cli by `cargo xtask generated write`. -->

Everything the app does, from a terminal. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the supervisor does not answer.
What is printed may change its wording; programs read `--json`.
";

/// `docs/cli.md`.
pub(crate) fn reference(root: &Path) -> Vec<Generated> {
    vec![file(root.join("docs/cli.md"), page().into_bytes())]
}

/// Below `installers/generated/`: one man page a command, one completion script a shell.
pub(crate) fn shipped(root: &Path) -> anyhow::Result<Vec<Generated>> {
    let folder = root.join("installers/generated");
    let mut files = Vec::new();
    for command in all() {
        let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .with_context(|| format!("writing the man page of {name}"))?;
        files.push(file(folder.join(format!("man/man1/{name}.1")), page));
    }
    for (shell, path) in [
        (Shell::Bash, "completions/bash/runnerctl"),
        (Shell::Zsh, "completions/zsh/_runnerctl"),
        (Shell::Fish, "completions/fish/runnerctl.fish"),
    ] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut cli::command(), "runnerctl", &mut script);
        files.push(file(folder.join(path), script));
    }
    Ok(files)
}

fn file(path: std::path::PathBuf, bytes: Vec<u8>) -> Generated {
    Generated { path, bytes, same: |old, new| old == new }
}

/// runnerctl and each command that it shows, parents first.
fn all() -> Vec<Command> {
    let mut root = cli::command();
    root.build();
    let mut all = Vec::new();
    collect(&root, &mut all);
    all
}

fn collect(command: &Command, all: &mut Vec<Command>) {
    all.push(command.clone());
    for below in command.get_subcommands() {
        if !below.is_hide_set() && below.get_name() != "help" {
            collect(below, all);
        }
    }
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for command in all() {
        let _ = chapter(&mut page, command);
    }
    page
}

fn chapter(page: &mut String, mut command: Command) -> std::fmt::Result {
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim();
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let about = command.get_long_about().or(command.get_about());
    writeln!(page, "\n## `{name}`\n")?;
    if let Some(about) = about {
        writeln!(page, "{}\n", about.to_string().trim())?;
    }
    writeln!(page, "```\n{usage}\n```")?;
    let shown =
        |arg: &&Arg| !arg.is_hide_set() && !["help", "version"].contains(&arg.get_id().as_str());
    let args: Vec<&Arg> = command.get_arguments().filter(shown).collect();
    if !args.is_empty() {
        writeln!(page)?;
    }
    for arg in args {
        let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string);
        writeln!(page, "- `{}`: {}", form(arg), help.unwrap_or_default().replace('\n', " "))?;
        let values: Vec<String> = arg
            .get_possible_values()
            .iter()
            .filter(|value| !value.is_hide_set())
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        if arg.get_action().takes_values() && !values.is_empty() {
            writeln!(page, "  One of {}.", values.join(", "))?;
        }
        let default: Vec<_> =
            arg.get_default_values().iter().map(|it| it.to_string_lossy()).collect();
        if arg.get_action().takes_values() && !default.is_empty() {
            writeln!(page, "  Default: `{}`.", default.join(" "))?;
        }
    }
    if let Some(after) = command.get_after_long_help().or(command.get_after_help()) {
        writeln!(page, "\n```\n{}\n```", after.to_string().trim())?;
    }
    Ok(())
}

/// `-n, --lines <COUNT>`, `<TASK>`.
fn form(arg: &Arg) -> String {
    let values: Vec<String> =
        arg.get_value_names().unwrap_or_default().iter().map(|name| format!("<{name}>")).collect();
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let flags = [short, long].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let values = if arg.get_action().takes_values() { values.join(" ") } else { String::new() };
    format!("{flags} {values}").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_by::read_by;

    #[test]
    fn every_command_has_its_chapter_its_man_page_and_examples() {
        let page = page();
        let shipped = shipped(Path::new("")).expect("pages");
        assert!(all().len() > 20, "{}", all().len());
        for command in all() {
            let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
            assert!(page.contains(&format!("\n## `{name}`\n")), "{name} has no chapter");
            let file = format!("{}.1", name.replace(' ', "-"));
            assert!(shipped.iter().any(|it| it.path.ends_with(&file)), "{name} has no man page");
        }
    }

    #[test]
    fn every_man_page_is_read_without_a_warning() {
        let pages = shipped(Path::new("")).expect("pages");
        for page in pages.iter().filter(|file| file.path.extension().is_some_and(|it| it == "1")) {
            let said = read_by("groff", &["-man", "-ww", "-z", "-Tutf8"], &page.path, &page.bytes);
            assert_eq!(said.unwrap_or_default(), "", "{}", page.path.display());
        }
    }

    #[test]
    fn every_completion_script_is_one_that_its_shell_reads() {
        for script in shipped(Path::new("")).expect("scripts") {
            let (reader, args): (&str, &[&str]) = if script.path.ends_with("bash/runnerctl") {
                ("bash", &["-n"])
            } else if script.path.ends_with("zsh/_runnerctl") {
                ("zsh", &["-n"])
            } else if script.path.ends_with("fish/runnerctl.fish") {
                ("fish", &["--no-execute"])
            } else {
                continue;
            };
            let said = read_by(reader, args, &script.path, &script.bytes);
            assert_eq!(said.unwrap_or_default(), "", "{}", script.path.display());
        }
    }
}
