//! `runnerctl notices`: what was told while nobody looked.

use crate::arguments::Shape;
use crate::failure::Failure;
use crate::print::Screen;
use crate::{clock, place, words};

/// List what you were told, or would have been: problems, ends of pauses, tasks
#[derive(Debug, clap::Args)]
#[command(
    long_about = "List what you were told, or would have been: problems, ends of pauses, tasks.\n\n\
        The newest first; a * marks what you have not seen. What is told is chosen by `runnerctl \
        preferences`. A thousand are kept.",
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    /// How many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Count them as seen from now on
    #[arg(long)]
    seen: bool,
    #[command(flatten)]
    shape: Shape,
}

const EXAMPLES: &str = "\
Examples:
  runnerctl notices
  runnerctl notices --seen
  runnerctl notices --limit 100 --json";

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = place::client()?;
    let found = client.notices(0, Some(args.limit)).await?;
    let mut screen = Screen::stdout();
    if args.shape.json {
        screen.json(&found)?;
    } else if found.notices.is_empty() {
        screen.say("Nothing was told yet.")?;
    } else {
        let now = clock::now();
        let row = |notice: &protocol::Notice| {
            let new = if notice.id > found.seen.seen { "*" } else { "" };
            let at = words::moment(notice.at, &now);
            vec![new.to_owned(), at, notice.title.clone(), notice.body.clone()]
        };
        let rows: Vec<Vec<String>> = found.notices.iter().map(row).collect();
        screen.table(&["", "TOLD", "WHAT", "MORE"], &rows)?;
    }
    if args.seen {
        client.seen_notices(found.seen.newest).await?;
    }
    Ok(())
}
