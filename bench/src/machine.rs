//! The head of the report: what was measured where, when and with which versions.

use std::fs;
use std::process::Command;

use anyhow::Result;

use crate::Bench;
use crate::numbers::{short, whole};

pub(crate) fn told(bench: &Bench) -> Result<String> {
    let about = bench.about;
    let line = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let found = text.lines().find(|line| line.starts_with(name));
        found
            .and_then(|line| line.split([':', '=']).nth(1))
            .unwrap_or("?")
            .trim()
            .trim_matches('"')
            .to_owned()
    };
    let memory: f64 =
        line("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or_default();
    let cpus = std::thread::available_parallelism()?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let build = if cfg!(debug_assertions) {
        "a DEBUG build: not to be published"
    } else {
        "a release build"
    };
    let peers = bench.peers.versions().join(", ");
    Ok(format!(
        "# {}\n\n\
         Written by `./dev bench {} --write {}`; nothing here is edited by hand. All contenders are measured in\n\
         the same run, by turns. {}\n\n\
         | | |\n| --- | --- |\n\
         | when | {} |\n\
         | machine | {}, {cpus} CPUs, {} GB memory, Linux {}, {} |\n\
         | Runner Tray | {} ({}), {build}: {} |\n\
         | compared with | {peers} |\n\
         | as | {} |\n\
         | repetitions | {} |\n",
        about.title,
        about.name,
        about.file,
        about.note,
        now(),
        line("/proc/cpuinfo", "model name"),
        short(memory / 1e6),
        kernel.trim(),
        line("/etc/os-release", "PRETTY_NAME"),
        env!("CARGO_PKG_VERSION"),
        commit(),
        sizes(about.programs),
        if trials::is_root() { "root" } else { "an ordinary user" },
        if bench.quick { "few (--quick): not to be published" } else { "as each table says" },
    ))
}

/// Of our own, as they are measured.
fn sizes(programs: &[&str]) -> String {
    let size = |name: &&str| {
        let size = fs::metadata(trials::program(name)).map_or(0, |file| file.len());
        format!("{name} {} MB", short(whole(size) / 1e6))
    };
    programs.iter().map(size).collect::<Vec<_>>().join(", ")
}

#[expect(clippy::disallowed_methods, reason = "a report has a date")]
pub(crate) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string()
}

pub(crate) fn commit() -> String {
    let output = Command::new("git").args(["describe", "--always", "--dirty"]).output();
    output
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .unwrap_or_default()
        .trim()
        .to_owned()
}
