//! What several checks ask of one Python is asked of it once: to begin takes it longer than to answer.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};

use crate::item::Item;
use crate::jobs::Jobs;
use crate::limited::{Ran, run};
use crate::machine::Machine;

/// Runs each of its arguments by itself, and says after what it printed how it ended. One that ends the
/// whole program leaves those after it without an answer.
const ASK_EACH: &str = r"
import sys
for code in sys.argv[1:]:
    end = 0
    try:
        exec(code, {'__name__': '__main__', 'sys': sys})
    except Exception as why:
        end = 1
        print(type(why).__name__ + ':', why)
    print('\0%d' % end, flush=True)
";

type Answers = BTreeMap<String, (i32, String)>;

/// Begun by the first who asks, and the same for all.
#[derive(Clone, Default)]
pub(crate) struct Together<'a>(Option<Shared<BoxFuture<'a, Answers>>>);

impl<'a> Together<'a> {
    /// Of these items. Where one alone asks Python, nothing is.
    pub(crate) fn of(
        items: &[&'a Item],
        machine: &Machine,
        jobs: &'a Jobs,
        more: Vec<(String, String)>,
        within: Duration,
    ) -> Self {
        let commands = items.iter().map(|item| item.check_on(machine).command.as_slice());
        let mut codes: Vec<&str> = commands.filter_map(code).collect();
        codes.sort_unstable();
        codes.dedup();
        if codes.len() < 2 {
            return Self::default();
        }
        let argv: Vec<String> =
            ["python3", "-c", ASK_EACH].iter().chain(&codes).map(|&it| it.to_owned()).collect();
        let asked = async move {
            let ran = run(jobs.command(&argv, &more), within, jobs.other_user()).await;
            let Ran::Ended { said, .. } = ran else { return Answers::new() };
            answers(argv.into_iter().skip(3), &said)
        };
        Self(Some(asked.boxed().shared()))
    }

    /// How the command would have ended, and what it said. None: it is to be asked by itself.
    pub(crate) async fn answer(&self, argv: &[String]) -> Option<(i32, String)> {
        let (code, asked) = (code(argv)?, self.0.clone()?);
        asked.await.remove(code)
    }
}

/// Says what `python3 --version` says.
const VERSION: &str = "print('Python', sys.version.split()[0])";

fn code(command: &[String]) -> Option<&str> {
    match command.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["python3", "-c", code] => Some(code),
        ["python3", "--version"] => Some(VERSION),
        _ => None,
    }
}

fn answers(codes: impl Iterator<Item = String>, said: &str) -> Answers {
    let mut all = Answers::new();
    let mut rest = said;
    for code in codes {
        let Some((printed, after)) = rest.split_once('\0') else { break };
        let (end, after) = after.split_once('\n').unwrap_or((after, ""));
        let Ok(end) = end.trim().parse() else { break };
        all.insert(code, (end, printed.trim().to_owned()));
        rest = after;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_version_is_told_as_it_tells_it_itself() {
        let asked = |arguments: &[&str]| {
            let output = std::process::Command::new("python3").args(arguments).output().ok()?;
            String::from_utf8(output.stdout).ok()
        };
        let Some(version) = asked(&["--version"]) else {
            return skipped::skipped("there is no python3 here");
        };
        let command = ["python3", "--version"].map(str::to_owned);
        let code = code(&command).unwrap();
        let all = answers([code.to_owned()].into_iter(), &asked(&["-c", ASK_EACH, code]).unwrap());
        assert_eq!(all.get(code), Some(&(0, version.trim().to_owned())));
    }

    #[test]
    fn each_has_what_it_printed_and_how_it_ended_and_after_one_that_ended_all_nobody_has() {
        let codes = [
            "print('pip', 1)",
            "import subprocess; subprocess.call(['echo', 'by another'])",
            "import nothing_of_that_name",
            "1",
            "import sys; sys.exit(3)",
            "print('never')",
        ];
        let asked =
            std::process::Command::new("python3").args(["-c", ASK_EACH]).args(codes).output();
        let Ok(output) = asked else { return skipped::skipped("there is no python3 here") };
        let said = String::from_utf8(output.stdout).unwrap();
        let all = answers(codes.into_iter().map(str::to_owned), &said);
        let of = |code: &str| all.get(code).map(|(end, said)| (*end, said.as_str()));
        assert_eq!(of(codes[0]), Some((0, "pip 1")));
        assert_eq!(of(codes[1]), Some((0, "by another")));
        let missing = "ModuleNotFoundError: No module named 'nothing_of_that_name'";
        assert_eq!(of(codes[2]), Some((1, missing)));
        assert_eq!(of(codes[3]), Some((0, "")));
        assert_eq!((of(codes[4]), of(codes[5])), (None, None));
    }
}
