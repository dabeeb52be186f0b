//! `runnerctl logs --search`: the lines of one run's log with a word in them, as they are found.

use client::{Client, LogSearchQuery};
use protocol::{FoundLine, RunId, RunnerName};

use crate::failure::Failure;
use crate::print::Screen;

pub(crate) struct Asked<'a> {
    pub(crate) name: &'a RunnerName,
    pub(crate) word: &'a str,
    pub(crate) run: Option<&'a RunId>,
    pub(crate) from: Option<String>,
}

/// In lines.
const AT_ONCE: u32 = 1000;

pub(crate) async fn run(
    client: &Client,
    asked: &Asked<'_>,
    screen: &mut Screen,
    json: bool,
) -> Result<(), Failure> {
    let mut next = asked.from.clone();
    let mut found_any = false;
    loop {
        let query = LogSearchQuery {
            word: asked.word,
            run: asked.run,
            from: next.as_deref(),
            limit: Some(AT_ONCE),
        };
        let answer = client.search_logs(asked.name, query).await?;
        found_any |= !answer.found.is_empty();
        for line in &answer.found {
            if json { screen.json_line(line)? } else { screen.text(&shown(line))? }
        }
        if answer.next.is_none() || answer.next == next {
            break;
        }
        next = answer.next;
    }
    if !found_any && !json {
        Screen::stderr().say(format!("Nothing was found for '{}'.", asked.word))?;
    }
    Ok(())
}

/// As `grep -b` prints it: the place within the run, and the line.
fn shown(line: &FoundLine) -> String {
    let byte = line.at.rsplit_once(':').map_or(line.at.as_str(), |(_, byte)| byte);
    let cut = if line.whole { "" } else { "..." };
    format!("{byte}:{cut}{}{cut}\n", line.text)
}
