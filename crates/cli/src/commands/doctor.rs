//! `runnerctl doctor`: what is well and what is not about this machine, the worst first.

use protocol::{Finding, Level};

use crate::arguments::Shape;
use crate::failure::Failure;
use crate::place;
use crate::print::{Screen, Tone};

/// Look at this machine as a runner: what is wrong with it, and how to mend it
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Look at this machine as a runner: what is wrong with it, and how to mend it.\n\n\
        System, disk, tools, network, proxy, clock, sleep, keychain, job user, files and other \
        agents, the worst first. Each finding has what was read, why it matters and what to do. \
        Works before and after set-up, with and without a supervisor; changes nothing. What cannot \
        be read is unknown, never well. Exits with 1 if anything is bad.",
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    /// Ask this address instead of CircleCI's own; may be given several times
    #[arg(long, value_name = "URL")]
    reach: Vec<String>,
    #[command(flatten)]
    shape: Shape,
}

const EXAMPLES: &str = "\
Examples:
  runnerctl doctor
  runnerctl doctor --reach https://github.com
  runnerctl doctor --json | jq -r '.findings[] | select(.level == \"bad\") | .reading'";

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let findings = client::findings(place::client().ok().as_ref(), &args.reach).await?;
    let mut screen = Screen::stdout();
    if args.shape.json {
        screen.json(&findings)?;
    } else {
        show(&mut screen, &findings.findings)?;
    }
    if findings.are_bad() { Err(Failure::Told) } else { Ok(()) }
}

fn show(screen: &mut Screen, findings: &[Finding]) -> std::io::Result<()> {
    for finding in findings {
        let (shape, word, tone) = level(finding.level);
        let title = finding.check.about().title;
        let head = [(tone, shape), (tone, word), (Tone::Strong, title)];
        if finding.level == Level::Ok {
            let rest = format!("{}: {}", finding.subject, finding.reading);
            screen.line("  ", &[&head[..], &[(Tone::Plain, &rest)]].concat())?;
            continue;
        }
        screen.line("  ", &[&head[..], &[(Tone::Plain, &finding.subject)]].concat())?;
        screen.field("found", Tone::Plain, &finding.reading)?;
        if finding.level != Level::Note {
            screen.field("matters", Tone::Quiet, &finding.matters)?;
        }
        if let Some(mend) = &finding.mend {
            screen.field("do", Tone::Plain, mend)?;
        }
        screen.blank()?;
    }
    screen.say(sum(findings))
}

/// "1 bad, 2 warnings, 12 well."
fn sum(findings: &[Finding]) -> String {
    let count = |level: Level, one: &str, several: &str| {
        let count = findings.iter().filter(|finding| finding.level == level).count();
        (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { several }))
    };
    let counts = [
        count(Level::Bad, "bad", "bad"),
        count(Level::Warn, "warning", "warnings"),
        count(Level::Unknown, "unknown", "unknown"),
        count(Level::Note, "note", "notes"),
        count(Level::Ok, "well", "well"),
    ];
    format!("{}.", counts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

/// As a state, a level is a shape, a word and a colour.
fn level(level: Level) -> (&'static str, &'static str, Tone) {
    match level {
        Level::Bad => ("▲", "bad    ", Tone::Bad),
        Level::Warn => ("△", "warning", Tone::Warning),
        Level::Unknown => ("?", "unknown", Tone::Warning),
        Level::Note => ("·", "note   ", Tone::Accent),
        Level::Ok => ("✓", "well   ", Tone::Good),
    }
}
