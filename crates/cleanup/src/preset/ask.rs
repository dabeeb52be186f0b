//! Programs that clean up what is their own: where they are, and what they say would go.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Access, access};

use super::around::Around;
use super::choice::Limits;
use super::data::{OwnCommand, Tool};
use super::reading::{Goes, goes_in};
use super::run::{End, Run};
use super::steps::{Act, Step};
use crate::place::Place;
use crate::stop::Stop;
use crate::why::quoted;

/// A question is answered at once, or nobody is there.
const ANSWER: Duration = Duration::from_secs(20);

/// What it would do; words where there is nothing to do, or nobody to do it.
pub(crate) fn tool(
    around: &Around,
    tool: &Tool,
    limits: Limits,
    why: &str,
    stop: &Stop,
) -> Result<Step, String> {
    let Some(program) = program_of(around, tool) else {
        return Err(format!("{} is not installed", tool.program));
    };
    let days = limits.unused_days.unwrap_or_default();
    let filled = |words: &[String]| -> Vec<String> {
        let fill = |word: &String| {
            let hours = u64::from(days) * 24;
            word.replace("{days}", &days.to_string()).replace("{hours}", &hours.to_string())
        };
        words.iter().map(fill).collect()
    };
    let words = filled(&tool.ask.words);
    let (home, path) = (around.home.as_path(), around.path.as_slice());
    let asked = Run { program: &program, words: &words, home, path, limit: ANSWER }.now(stop);
    let said = asked.lines.last().map_or("it said nothing", String::as_str);
    let command = spoken(&tool.program, &words);
    match &asked.end {
        End::Exited(0) => {}
        End::Exited(code) => return Err(format!("{command} failed ({code}): {said}")),
        End::Signalled(signal) => {
            return Err(format!("{command} ended by signal {signal}: {said}"));
        }
        End::TimeUp(_) => {
            return Err(format!("{command} gave no answer within {} seconds", ANSWER.as_secs()));
        }
        End::Stopped(_) => return Err("it was stopped".into()),
        End::NotStarted(why) => return Err(why.clone()),
    }
    let Some(Goes { bytes, things }) = goes_in(tool.ask.reading, &asked.output) else {
        return Err(format!("{command} answers in a form that is not known here: {said}"));
    };
    if bytes == 0 && things == 0 {
        return Err(format!("{} has nothing to go", tool.program));
    }
    let words = filled(&tool.run);
    Ok(Step {
        words: spoken(&tool.program, &words),
        act: run(around, &program, words, tool.time_limit_seconds),
        why: why.to_owned(),
        bytes: Some(bytes),
    })
}

/// The owner's script.
pub(crate) fn command(around: &Around, command: &OwnCommand, why: &str) -> Step {
    let words = vec!["-c".to_owned(), command.script.clone()];
    Step {
        words: command.script.clone(),
        act: run(around, Path::new("/bin/sh"), words, command.time_limit_seconds),
        why: why.to_owned(),
        bytes: None,
    }
}

fn run(around: &Around, program: &Path, words: Vec<String>, time_limit_seconds: u32) -> Act {
    Act::Run {
        program: program.into(),
        words,
        home: Place::from(&around.home),
        path: around.path.iter().map(Place::from).collect(),
        time_limit_seconds,
    }
}

/// Where it is; None: it is not installed.
pub fn program_of(around: &Around, tool: &Tool) -> Option<PathBuf> {
    let in_path = around.path.iter().map(|folder| folder.join(&tool.program));
    let beside = tool.also_at.iter().map(|written| around.place(written));
    in_path.chain(beside).find(|file| file.is_file() && access(file, Access::EXEC_OK).is_ok())
}

/// As a shell takes it.
fn spoken(program: &str, words: &[String]) -> String {
    let words = words.iter().map(|word| quoted(&Place::from(word)));
    std::iter::once(program.to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}
