//! The engine of preinstall as a program of its own, so that it is timed as a script is: from its start
//! to its end.
//!
//! ```text
//! bench-preinstall check            looks at the whole catalogue
//! bench-preinstall script           the same commands, one after another, for bash
//! bench-preinstall no-op FOLDER     check and plan of the largest preset; FOLDER has what this machine
//!                                   lacks. Fails where anything would be installed
//! bench-preinstall lacks FOLDER     writes those stand-ins
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
            let jobs = jobs(None);
            let found = check(&items, &jobs)?;
            let there = found.iter().filter(|item| item.state == ItemState::Present).count();
            println!("items\t{}\nthere\t{there}", found.len());
        }
        ["script"] => print!("{}", script(all)),
        ["no-op", folder] => {
            let jobs = jobs(Some(folder));
            let items = items_of(all, largest(all));
            let machine = machine(&jobs);
            let needed = all.with_needs(&items, &machine);
            let found = check(&needed, &jobs)?;
            let draft = preinstall::plan(all, &items, &found, &machine, false);
            if !draft.steps.is_empty() || draft.already.len() != items.len() {
                return Err(Error::other(format!("there is something to do: {draft:?}")));
            }
            println!("items\t{}", items.len());
        }
        ["lacks", folder] => lacks(all, folder)?,
        _ => {
            return Err(Error::other(
                "usage: bench-preinstall check|script|no-op FOLDER|lacks FOLDER",
            ));
        }
    }
    Ok(())
}

fn jobs(first: Option<&str>) -> Jobs {
    let mut environment: BTreeMap<String, String> =
        std::env::vars().filter(|(name, _)| name == "HOME" || name == "PATH").collect();
    if let Some(first) = first {
        let path = environment.get("PATH").cloned().unwrap_or_default();
        environment.insert("PATH".into(), format!("{first}:{path}"));
    }
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

/// Each check as one would write it; what it says is thrown away.
fn script(all: &Catalogue) -> String {
    let machine = machine(&jobs(None));
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
        let line = |path: &String| format!("[ -e {} ]\n", quoted(std::slice::from_ref(path)));
        paths.iter().map(line).collect::<Vec<_>>().concat()
    };
    let lines: Vec<String> = all.items.iter().map(line).collect();
    lines.concat() + "true\n"
}

/// A program for each item of the largest preset that is not there, which prints what its check wants.
fn lacks(all: &Catalogue, folder: &str) -> Result<()> {
    let jobs = jobs(None);
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
