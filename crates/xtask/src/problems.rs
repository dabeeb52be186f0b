//! `docs/problems.md`: the lists of problems and of checks that the code is made from, as a page.

use std::fmt::Write as _;
use std::path::Path;

use protocol::{Check, ProblemCode};

use crate::generated::Generated;

const HEAD: &str = "\
# Problems

<!-- Generated from crates/protocol/src/problem/code.rs and doctor.rs by `cargo xtask generated write`. -->

Whatever is wrong has a code that stays the same for ever, a sentence, the reading behind it and a way
out. `runnerctl status` shows them in words, `runnerctl status --json` with their codes. What is wrong
with the machine itself, `runnerctl doctor` says; its checks are at the [end](#what-the-doctor-looks-at).
";

const CHECKS: &str = "
## What the doctor looks at

`runnerctl doctor` prints the worst first: **bad** (no task can run, or one may be lost), **warning** (it works now and
will not always), **unknown** (it could not be read, and is never taken for well), **note**, **well**. It exits with 1
if anything is bad, and changes nothing. `--json` has the same with these names.

| check | looks at | why it matters |
| --- | --- | --- |
";

pub(crate) fn files(root: &Path) -> Vec<Generated> {
    vec![Generated {
        path: root.join("docs/problems.md"),
        bytes: page().into_bytes(),
        same: |old, new| old == new,
    }]
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for code in ProblemCode::ALL {
        let about = code.about();
        let _ = write!(
            page,
            "\n## `{}`\n\n**{}** {}\n\n- When: {}\n- Reading: {}.\n- Goes away: {}.\n",
            name(code),
            about.summary,
            about.hint,
            about.meaning,
            about.reading,
            about.heals.words(),
        );
    }
    page.push_str(CHECKS);
    for check in Check::ALL {
        let about = check.about();
        let _ = writeln!(
            page,
            "| `{}` | {} | {} |",
            name(check),
            about.looks_at,
            about.matters.replace('|', "\\|"),
        );
    }
    page
}

/// As it is on the wire.
fn name(code: &impl serde::Serialize) -> String {
    let quoted = serde_json::to_string(code).unwrap_or_default();
    quoted.trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_has_its_place_on_the_page() {
        let page = page();
        for code in ProblemCode::ALL {
            assert!(page.contains(&format!("\n## `{}`\n", name(code))), "{code:?}");
        }
        for check in Check::ALL {
            assert!(page.contains(&format!("\n| `{}` |", name(check))), "{check:?}");
        }
    }

    /// What nobody finds any more is not a problem: it would only be one more page to read.
    #[test]
    fn every_problem_on_the_page_is_one_that_some_code_finds() {
        let mut sources = Vec::new();
        for part in ["supervisor-core", "supervisor"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(part).join("src");
            crate::sources::list(&folder, &mut sources).expect("the sources can be listed");
        }
        let sources: Vec<String> = sources
            .iter()
            .map(|file| std::fs::read_to_string(file).expect("a source can be read"))
            .collect();
        for code in ProblemCode::ALL {
            let made = format!("ProblemCode::{code:?}");
            assert!(sources.iter().any(|text| text.contains(&made)), "nobody finds {code:?}");
        }
    }
}
