//! The engine of preinstall as a program of its own, so that it is timed as a script is: from its start
//! to its end.
//!
//! ```text
//! bench-preinstall check            looks at the whole catalogue
//! bench-preinstall script           the same commands, one after another, for bash
//! bench-preinstall codes            that script, which says how each command ends
//! bench-preinstall works            what a look makes of each: 0 where its command works
//! bench-preinstall largest          the largest preset
//! bench-preinstall lacks FOLDER     writes stand-ins for what this machine lacks of it
//! ```

use std::collections::BTreeMap;
use std::io::{Error, Result, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use preinstall::{Catalogue, Item, Jobs, Machine, Preset, quoted};
use protocol::{ItemChecked, ItemState};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let all = Catalogue::built_in();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["check"] => {
            let items: Vec<&Item> = all.items.iter().collect();
            let found = check(&items, &jobs())?;
            let there = found.iter().filter(|item| item.state == ItemState::Present).count();
            println!("items\t{}\nthere\t{there}", found.len());
        }
        ["script"] => print!("{}", script(all, false)),
        ["codes"] => print!("{}", script(all, true)),
        ["works"] => {
            let items: Vec<&Item> = all.items.iter().collect();
            for item in check(&items, &jobs())? {
                if let Some(works) = works(item.state) {
                    println!("{}\t{}", item.id, i32::from(!works));
                }
            }
        }
        ["largest"] => {
            let preset = largest(all);
            println!("preset\t{}\nitems\t{}", preset.id, preset.items.len());
        }
        ["lacks", folder] => lacks(all, folder)?,
        _ => {
            return Err(Error::other(
                "usage: bench-preinstall check|script|codes|works|largest|lacks FOLDER",
            ));
        }
    }
    Ok(())
}

fn jobs() -> Jobs {
    let environment: BTreeMap<String, String> =
        std::env::vars().filter(|(name, _)| name == "HOME" || name == "PATH").collect();
    let home = environment.get("HOME").cloned().unwrap_or_default().into();
    Jobs { runner: None, user: "bench".into(), is_job_user: false, home, environment }
}

fn machine(jobs: &Jobs) -> Machine {
    Machine::this(jobs.path(), false)
}

fn check(items: &[&Item], jobs: &Jobs) -> Result<Vec<ItemChecked>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(preinstall::check(items, &machine(jobs), jobs, |_| ())))
}

fn largest(all: &Catalogue) -> &Preset {
    all.presets.iter().max_by_key(|preset| preset.items.len()).expect("there are presets")
}

fn items_of<'a>(all: &'a Catalogue, preset: &Preset) -> Vec<&'a Item> {
    preset.items.iter().filter_map(|id| all.item(id)).collect()
}

/// Whether the command of one that was found so ended well; none where it had no end.
fn works(state: ItemState) -> Option<bool> {
    match state {
        ItemState::Present | ItemState::TooOld | ItemState::TooNew => Some(true),
        ItemState::Missing | ItemState::Broken => Some(false),
        ItemState::Unknown => None,
    }
}

/// Each check as one would write it, in the same environment; what it says is thrown away.
fn script(all: &Catalogue, codes: bool) -> String {
    let machine = machine(&jobs());
    let set = preinstall::LOOKS_WITH.map(|(name, value)| format!("export {name}={value}\n"));
    let code = |item: &Item| {
        if codes { format!("printf '%s\\t%s\\n' {} $?\n", item.id) } else { String::new() }
    };
    let line = |item: &Item| {
        let check = item.check_on(&machine);
        let program = check.command.first().cloned().unwrap_or_default();
        if check.only_there {
            return format!("command -v {} >/dev/null 2>&1\n", quoted(&[program]));
        }
        if !check.command.is_empty() {
            return format!("{} </dev/null >/dev/null 2>&1\n", quoted(&check.command));
        }
        let plist = check.plist.iter().map(|plist| &plist.file);
        let paths: Vec<String> = check.paths.iter().chain(plist).cloned().collect();
        // `~` is the shell's where it stands by itself.
        let shown = |path: &String| match path.strip_prefix("~/") {
            Some(rest) => format!("~/{}", quoted(&[rest.to_owned()])),
            None => quoted(std::slice::from_ref(path)),
        };
        let tests: Vec<String> =
            paths.iter().map(|path| format!("[ -e {} ]", shown(path))).collect();
        tests.join(" || ") + "\n"
    };
    let lines: Vec<String> = all.items.iter().map(|item| line(item) + &code(item)).collect();
    format!("cd /\n{}{}true\n", set.concat(), lines.concat())
}

/// A program for each item of the largest preset that is not there, which prints what its check wants.
fn lacks(all: &Catalogue, folder: &str) -> Result<()> {
    let jobs = jobs();
    let machine = machine(&jobs);
    let items = items_of(all, largest(all));
    for item in check(&items, &jobs)?.iter().filter(|item| item.state != ItemState::Present) {
        let check = all.item(&item.id).map(|item| item.check_on(&machine).clone());
        let check = check.unwrap_or_default();
        let name = check.command.first().cloned().unwrap_or_default();
        let says = check.version.unwrap_or_default().replace("{version}", "99.0");
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o755)
            .open(Path::new(folder).join(&name))?;
        writeln!(file, "#!/bin/sh\necho '{says}'")?;
        file.set_permissions(std::fs::Permissions::from_mode(0o755))?;
        println!("lacks\t{}", item.id);
    }
    Ok(())
}
