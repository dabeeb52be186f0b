//! `docs/presets.md`: the clean-up presets, as a page.

use std::fmt::Write as _;
use std::path::Path;

use cleanup::preset::{Limits, Platform, Preset, Risk, What, When, built_in};

use crate::generated::Generated;

const HEAD: &str = "\
# Clean-up presets

<!-- Generated from crates/cleanup/presets by `cargo xtask generated write`. -->

What clean-up can do. Nothing goes before a draft has listed it. Limits are those that hold until you set others; yours
replace all of a preset's own, so that to lift one is to say the others (`runnerctl presets set ID --usual-limits` takes yours
back). An entry goes if one limit names it, never while its lock is held, and never if you marked it.

Where a disk has less room than tasks want, what is least recently used goes first until there is enough, of all presets
that are on and delete files. Before a task that means a cache, too (of those \"only while no task runs\"), where no other
runner has a task: then nobody can be using it. Whether one has, a job user cannot ask; its caches wait until no task runs.

Risk: **low**, it is made or loaded again by itself; **medium**, it can be made again, which takes time or a network;
**high**, it may be the only one.
";

const OWN: &str = r#"
## Your own

In `settings.toml`, with the same fields; `id` and `what` are needed, all else has a careful default (only while no
task runs, medium risk, both systems):

```toml
[[cleanup.preset]]
id = "ccache"
title = "Compiler cache"
limits = { unused_days = 10, at_most_bytes = 5_000_000_000 }
what = { folders = [{ root = "~/.ccache", names = ["*"], entries = "all" }] }

[[cleanup.preset]]
id = "bazel"
what = { command = { script = "bazel clean", time_limit_seconds = 60 } }
```

A root is absolute, or begins with `~` or `{temp}`; a part that is `*` stands for each folder there. `names` are patterns of
the entries' names, `entries` is `all`, `folders`, `files` or `stale_sockets`, and `lock` may name a file whose lock is held
while they are in use. `/`, homes and what is above them are refused. Limits are `keep_last`, `unused_days` and
`at_most_bytes`.
"#;

pub(crate) fn files(root: &Path) -> Vec<Generated> {
    vec![Generated {
        path: root.join("docs/presets.md"),
        bytes: page().into_bytes(),
        same: |old, new| old == new,
    }]
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for preset in built_in() {
        let _ = write!(
            page,
            "\n## `{}`\n\n**{}.** {}\n\n- Touches: {}\n- Risk: {}. On {}, {}; {}.\n- Limits: {}.\n",
            preset.id,
            preset.title,
            preset.why,
            preset.touches,
            risk(preset.risk),
            platforms(&preset.platforms),
            when(preset.when),
            if preset.default { "on by itself" } else { "off until you choose it" },
            limits(preset),
        );
    }
    page.push_str(OWN);
    page
}

fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "low",
        Risk::Medium => "medium",
        Risk::High => "high",
    }
}

fn when(when: When) -> &'static str {
    match when {
        When::BeforeTask => "before a task and at any other time",
        When::IdleOnly => "only while no task runs",
    }
}

fn platforms(platforms: &[Platform]) -> String {
    let name = |platform: &Platform| match platform {
        Platform::Linux => "Linux",
        Platform::Macos => "macOS",
    };
    platforms.iter().map(name).collect::<Vec<_>>().join(" and ")
}

fn limits(preset: &Preset) -> String {
    let Limits { keep_last, unused_days, at_most_bytes } = preset.limits;
    let told = [
        keep_last.map(|count| format!("the last {count} stay")),
        unused_days.map(|days| match days {
            1 => "not used for a day".to_owned(),
            days => format!("not used for {days} days"),
        }),
        at_most_bytes.map(|bytes| format!("{} GB together", bytes / 1_000_000_000)),
    ];
    let told: Vec<String> = told.into_iter().flatten().collect();
    match &preset.what {
        What::Tool(tool) => {
            let command = format!("`{} {}`", tool.program, tool.run.join(" "));
            let unit = unused_days.map_or(String::new(), |days| format!(", {days} days"));
            format!("those of {command}{unit}")
        }
        What::Fresh | What::Kept | What::Folders(_) | What::Processes | What::Command(_) => {
            if told.is_empty() { "none".to_owned() } else { told.join(", ") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_has_its_place_on_the_page() {
        let page = page();
        for preset in built_in() {
            assert!(page.contains(&format!("\n## `{}`\n", preset.id)), "{}", preset.id);
        }
    }
}
