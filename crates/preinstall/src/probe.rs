//! Looks whether items are there: each tool's own version command, many at once, each with a time
//! limit, as the user that jobs run as and with their PATH.

use std::cmp::{Ordering, Reverse};
use std::path::Path;
use std::time::Duration;

use futures::StreamExt;
use protocol::{ItemChecked, ItemState};

use crate::calls::quoted;
use crate::item::{Check, Item, Plist};
use crate::jobs::Jobs;
use crate::limited::{Ran, run};
use crate::machine::{Machine, Os};
use crate::together::Together;
use crate::version::version_in;

/// What version commands have in their environment beyond what jobs have: they speak one language and
/// do nothing besides.
pub const LOOKS_WITH: [(&str, &str); 5] = [
    ("LC_ALL", "C.UTF-8"),
    ("NO_COLOR", "1"),
    ("NO_UPDATE_NOTIFIER", "1"),
    ("HOMEBREW_NO_AUTO_UPDATE", "1"),
    ("COREPACK_ENABLE_DOWNLOAD_PROMPT", "0"),
];

/// What Java's tools say of themselves needs none of what makes a long build fast: they begin sooner
/// without. What jobs have set themselves stays.
const BEGIN_SOONER: &str = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData";
const OPTIONS_OF_JAVA: &str = "JAVA_TOOL_OPTIONS";
/// With which every Java says that it heeds them.
const JAVA_HEEDS: &str = "Picked up JAVA_TOOL_OPTIONS:";

const WITHIN_SECONDS: u32 = 10;
/// A first line is told up to here.
const LONGEST_LINE: usize = 160;

/// In the order of `items`. `advanced` is told how many are done.
pub async fn check(
    items: &[&Item],
    machine: &Machine,
    jobs: &Jobs,
    mut advanced: impl FnMut(usize),
) -> Vec<ItemChecked> {
    // What may take longest begins first, so that nobody waits for it alone in the end.
    let mut order: Vec<(usize, &Item)> = items.iter().copied().enumerate().collect();
    order.sort_by_key(|(_, item)| Reverse(within(item.check_on(machine))));
    let longest = items.iter().map(|item| within(item.check_on(machine))).max().unwrap_or_default();
    let together = Together::of(items, machine, jobs, looks_with(jobs), longest);
    let mut looks = Vec::with_capacity(items.len());
    for (at, item) in order {
        let together = together.clone();
        looks.push(async move { (at, look(item, machine, jobs, &together).await) });
    }
    let mut found = futures::stream::iter(looks).buffer_unordered(at_once());
    let mut all = Vec::with_capacity(items.len());
    while let Some(one) = found.next().await {
        all.push(one);
        advanced(all.len());
    }
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, checked)| checked).collect()
}

/// Some wait for a disk or a daemon; too many at once would keep the slowest from its core.
fn at_once() -> usize {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    (cores * 2).clamp(4, 24)
}

/// What was found, before it has an item's name.
struct Found {
    state: ItemState,
    reading: String,
    version: Option<String>,
    at: Option<String>,
}

impl Found {
    fn new(state: ItemState, reading: impl Into<String>) -> Self {
        Self { state, reading: reading.into(), version: None, at: None }
    }
}

async fn look(item: &Item, machine: &Machine, jobs: &Jobs, together: &Together<'_>) -> ItemChecked {
    let check = item.check_on(machine);
    let found = if let Some(why) = item.not_needed(machine) {
        Found::new(ItemState::Present, format!("not needed here: {why}"))
    } else if let Some(why) = item.not_here(machine) {
        Found::new(ItemState::Missing, format!("not on this system: {why}"))
    } else if let Some(plist) = &check.plist {
        let argv = value_of(plist);
        match machine.os {
            Os::Macos if Path::new(&plist.file).exists() => Found {
                at: Some(plist.file.clone()),
                ..asked(check, &argv, None, jobs, together).await
            },
            Os::Macos | Os::Linux => {
                Found::new(ItemState::Missing, format!("there is no {}", plist.file))
            }
        }
    } else if check.command.is_empty() {
        paths(check, jobs).await
    } else {
        command(check, machine, jobs, together).await
    };
    ItemChecked {
        id: item.id.clone(),
        title: item.title.clone(),
        state: found.state,
        reading: found.reading,
        version: found.version,
        found_at: found.at,
        wants: check.range().words(),
    }
}

/// Prints the first of its arguments that is there.
const FIRST_THERE: &str = r#"for it do [ -e "$it" ] && { printf %s "$it"; exit 0; }; done; exit 1"#;

/// Where a shell finds the program. What it reads are our own words; the rest are its arguments.
pub(crate) fn where_is(program: &str) -> Vec<String> {
    ["/bin/sh", "-c", "command -v -- \"$0\"", program].map(str::to_owned).into()
}

/// Which of them is there first, asked of a shell in the same way.
pub(crate) fn first_there(paths: impl Iterator<Item = String>) -> Vec<String> {
    let shell = ["/bin/sh", "-c", FIRST_THERE, "sh"].into_iter().map(str::to_owned);
    shell.chain(paths).collect()
}

/// On macOS.
pub(crate) fn value_of(plist: &Plist) -> Vec<String> {
    let plutil = ["/usr/bin/plutil", "-extract", &plist.key, "raw", "-o", "-", &plist.file];
    plutil.map(str::to_owned).into()
}

async fn paths(check: &Check, jobs: &Jobs) -> Found {
    let mut all = check.paths.iter().map(|path| jobs.below_home(path).display().to_string());
    let there = if jobs.is_job_user {
        // All at once: they have one time limit.
        let argv = first_there(all);
        match run(jobs.command(&argv, &[]), within(check), jobs.other_user()).await {
            Ran::Ended { said, .. } if said.starts_with("sudo:") => {
                return Found::new(ItemState::Unknown, first_line(&said));
            }
            Ran::Ended { code, said } => (code == Some(0)).then_some(said),
            Ran::NotStarted(error) => return Found::new(ItemState::Unknown, error.to_string()),
            Ran::TooLong => return too_long(check, &check.paths),
        }
    } else {
        all.find(|path| Path::new(path).exists())
    };
    match there {
        Some(path) => is_there_at(path),
        None => {
            Found::new(ItemState::Missing, format!("there is no {}", check.paths.join(", nor ")))
        }
    }
}

fn is_there_at(path: String) -> Found {
    let found = Found::new(ItemState::Present, format!("{path} is there"));
    Found { at: Some(path), ..found }
}

async fn command(check: &Check, machine: &Machine, jobs: &Jobs, together: &Together<'_>) -> Found {
    let program = check.command.first().map_or("", String::as_str);
    let nowhere = || {
        let why = if program.contains('/') {
            format!("there is no program {program}")
        } else {
            format!("{program} is in no folder of the PATH of jobs")
        };
        Found::new(ItemState::Missing, why)
    };
    let at = if jobs.is_job_user {
        if check.only_there {
            let shell = where_is(program);
            let ran = run(jobs.command(&shell, &[]), within(check), jobs.other_user()).await;
            return match ran {
                Ran::Ended { code: Some(0), said } => is_there(said),
                Ran::Ended { said, .. } if said.starts_with("sudo:") => {
                    Found::new(ItemState::Unknown, first_line(&said))
                }
                Ran::Ended { .. } => nowhere(),
                Ran::NotStarted(error) => Found::new(ItemState::Unknown, error.to_string()),
                Ran::TooLong => too_long(check, &shell),
            };
        }
        None
    } else {
        let Some(file) = jobs.find(program) else { return nowhere() };
        Some(file.display().to_string())
    };
    let in_usr_bin = at.as_ref().is_none_or(|at| at.starts_with("/usr/bin/"));
    if machine.os == Os::Macos && machine.stubs && check.mac_stub && in_usr_bin {
        let why = format!("{program} is only a stub: the command line tools are missing");
        return Found::new(ItemState::Missing, why);
    }
    match at {
        Some(at) if check.only_there => is_there(at),
        at => asked(check, &check.command, at, jobs, together).await,
    }
}

fn is_there(at: String) -> Found {
    Found { at: Some(at.clone()), ..Found::new(ItemState::Present, at) }
}

fn looks_with(jobs: &Jobs) -> Vec<(String, String)> {
    let sooner = (!jobs.environment.contains_key(OPTIONS_OF_JAVA))
        .then_some((OPTIONS_OF_JAVA, BEGIN_SOONER));
    let more = LOOKS_WITH.into_iter().chain(sooner);
    more.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A tool may have options of its own that do not go with ours.
async fn run_by_itself(check: &Check, argv: &[String], jobs: &Jobs) -> Ran {
    let with = looks_with(jobs);
    let ran = run(jobs.command(argv, &with), within(check), jobs.other_user()).await;
    match &ran {
        Ran::Ended { code, said } if *code != Some(0) && said.contains(JAVA_HEEDS) => {
            let without: Vec<_> =
                with.into_iter().filter(|(name, _)| name != OPTIONS_OF_JAVA).collect();
            run(jobs.command(argv, &without), within(check), jobs.other_user()).await
        }
        Ran::Ended { .. } | Ran::NotStarted(_) | Ran::TooLong => ran,
    }
}

fn without_java_s_word(said: &str) -> String {
    let lines = said.lines().filter(|line| !line.trim_start().starts_with(JAVA_HEEDS));
    lines.collect::<Vec<_>>().join("\n")
}

/// Runs the command and judges what it says.
async fn asked(
    check: &Check,
    argv: &[String],
    at: Option<String>,
    jobs: &Jobs,
    together: &Together<'_>,
) -> Found {
    let shown = quoted(argv);
    let ran = match together.answer(argv).await {
        Some((code, said)) => Ran::Ended { code: Some(code), said },
        None => run_by_itself(check, argv, jobs).await,
    };
    let (code, said) = match ran {
        Ran::TooLong => return Found { at, ..too_long(check, argv) },
        Ran::NotStarted(error) => {
            let why = format!("`{shown}` cannot be started: {error}");
            // Of another user's it is sudo that cannot, which says nothing of the tool.
            let state = if jobs.is_job_user { ItemState::Unknown } else { ItemState::Broken };
            return Found { at, ..Found::new(state, why) };
        }
        Ran::Ended { code, said } => (code, without_java_s_word(&said)),
    };
    let line = first_line(&said);
    let told = if line.is_empty() { String::new() } else { format!(": {line}") };
    if jobs.is_job_user && code != Some(0) {
        if said.starts_with("sudo:") {
            return Found::new(ItemState::Unknown, line);
        }
        let program = argv.first().map_or("", String::as_str);
        // A script whose interpreter is not there is there itself.
        if code == Some(127) && not_found(&said) == Some(program) {
            let why = format!("{program} is in no folder of the PATH of jobs");
            return Found::new(ItemState::Missing, why);
        }
    }
    if code.is_some() && code == check.missing_exit {
        return Found::new(ItemState::Missing, format!("`{shown}` says so{told}"));
    }
    let Some(0) = code else {
        let how = code.map_or("was ended by a signal".into(), |code| format!("failed ({code})"));
        return Found { at, ..Found::new(ItemState::Broken, format!("`{shown}` {how}{told}")) };
    };
    judged(check, &shown, &said, at)
}

/// What env(1) looked for in vain, without the quotes that some put around it.
fn not_found(said: &str) -> Option<&str> {
    let line = said.lines().next()?;
    let of_env = line.strip_prefix("/usr/bin/env: ").or_else(|| line.strip_prefix("env: "))?;
    let (name, _why) = of_env.rsplit_once(": ")?;
    Some(name.trim_matches(['\'', '"', '`', '\u{2018}', '\u{2019}']))
}

fn judged(check: &Check, shown: &str, said: &str, at: Option<String>) -> Found {
    let place = at.as_ref().map_or(String::new(), |at| format!(", {at}"));
    let version = check.version.as_deref().and_then(|pattern| version_in(said, pattern));
    let Some(version) = version else {
        let line = first_line(said);
        let range = check.range().words();
        let found = if check.version.is_some() && check.missing_exit.is_some() {
            // It asks somebody else about it, who knows of none.
            Found::new(ItemState::Missing, format!("`{shown}` says: {line}"))
        } else if range.is_some() {
            Found::new(ItemState::Unknown, format!("`{shown}` says no version: {line}"))
        } else {
            Found::new(ItemState::Present, format!("`{shown}` works{place}"))
        };
        return Found { at, ..found };
    };
    let range = check.range();
    let wants = range.words().unwrap_or_default();
    let (state, reading) = match range.judge(&version) {
        Ordering::Equal => (ItemState::Present, format!("{version}{place}")),
        Ordering::Less => (ItemState::TooOld, format!("{version}{place}; wanted is {wants}")),
        Ordering::Greater => (ItemState::TooNew, format!("{version}{place}; wanted is {wants}")),
    };
    Found { state, reading, version: Some(version.to_string()), at }
}

fn within(check: &Check) -> Duration {
    Duration::from_secs(check.within_seconds.unwrap_or(WITHIN_SECONDS).into())
}

/// It may work for all that is known, so nothing is installed for it.
fn too_long(check: &Check, argv: &[String]) -> Found {
    let seconds = within(check).as_secs();
    Found::new(
        ItemState::Unknown,
        format!("`{}` had no end within {seconds} s and was ended", quoted(argv)),
    )
}

fn first_line(said: &str) -> String {
    let line = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    match line.char_indices().nth(LONGEST_LINE) {
        Some((at, _)) => format!("{}...", &line[..at]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
