//! `runnerctl workdirs`: what is on the disk because of tasks.

use protocol::{RunnerName, Volume, WorkDir, WorkDirId, WorkDirKind, WorkDirUse};

use crate::arguments::Shape;
use crate::failure::Failure;
use crate::print::Screen;
use crate::{clock, place, words};

/// Show what tasks have left on the disk
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Show the working directories of tasks: each runner's own, and those of earlier tasks \
        that were kept when the next one began in a fresh one. The largest first.\n\n\
        A directory in use is known by the lock that its task holds, never by its age.",
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Option<Act>,
    /// Show this runner alone
    #[arg(long, value_name = "NAME")]
    runner: Option<RunnerName>,
    #[command(flatten)]
    shape: Shape,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Mark a directory: no clean-up ever takes it, what is in it, or what it is in
    #[command(
        after_help = "Examples:\n  runnerctl workdirs keep mini/20261123T120000.000Z-a1b2c3.4"
    )]
    Keep {
        /// As `runnerctl workdirs` shows it
        #[arg(value_name = "DIRECTORY")]
        directory: String,
    },
    /// Take the mark away
    #[command(after_help = "Examples:\n  runnerctl workdirs release mini")]
    Release {
        /// As `runnerctl workdirs` shows it
        #[arg(value_name = "DIRECTORY")]
        directory: String,
    },
}

const EXAMPLES: &str = "\
Examples:
  runnerctl workdirs
  runnerctl workdirs --json
  runnerctl workdirs keep mini
  runnerctl clean --directory mini/20261123T120000.000Z-a1b2c3.4";

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = place::client()?;
    let mut screen = Screen::stdout();
    match args.act {
        Some(Act::Keep { directory }) => {
            client.never_delete(WorkDirId(directory.clone()), true).await?;
            return Ok(screen.say(format!("{directory} is never deleted by a clean-up."))?);
        }
        Some(Act::Release { directory }) => {
            client.never_delete(WorkDirId(directory.clone()), false).await?;
            return Ok(screen.say(format!("{directory} may be deleted by a clean-up."))?);
        }
        None => {}
    }
    let found = client.work_dirs(args.runner.as_ref(), true).await?;
    if args.shape.json {
        return Ok(screen.json(&found)?);
    }
    if found.directories.is_empty() {
        screen.say("No task has left a working directory here yet.")?;
    } else {
        let rows: Vec<Vec<String>> = found.directories.iter().map(row).collect();
        screen.table(&["SIZE", "USED", "DIRECTORY", "TASK", ""], &rows)?;
        let is_left = |dir: &&WorkDir| {
            dir.kind == WorkDirKind::Left && !dir.never_delete && dir.in_use == WorkDirUse::Free
        };
        let not_ours = found.directories.iter().filter(is_left);
        for (dir, why) in not_ours.filter_map(|dir| dir.kept_because.as_ref().map(|why| (dir, why)))
        {
            screen.blank()?;
            screen.say(format!("{}: {why}", dir.id.0))?;
        }
    }
    screen.blank()?;
    for volume in &found.volumes {
        screen.say(room(volume))?;
    }
    Ok(())
}

fn row(dir: &WorkDir) -> Vec<String> {
    let now = clock::now();
    let names = [dir.project.as_deref(), dir.job.as_deref()];
    let names: Vec<&str> = names.into_iter().flatten().collect();
    let mut marks = Vec::new();
    match dir.in_use {
        WorkDirUse::InUse => marks.push("in use"),
        WorkDirUse::Unknown => marks.push("in use, maybe"),
        WorkDirUse::Free if dir.kind == WorkDirKind::Current => {
            marks.push("the next task begins here");
        }
        WorkDirUse::Free => {}
    }
    if dir.kind == WorkDirKind::Left {
        marks.push("no runner works here any more");
    }
    if dir.never_delete {
        marks.push("never deleted");
    }
    vec![
        dir.size.map_or_else(|| "unknown".to_owned(), words::size),
        dir.used_at.map_or_else(|| "-".to_owned(), |at| words::moment(at, &now)),
        dir.id.0.clone(),
        if names.is_empty() { "-".to_owned() } else { names.join(" / ") },
        marks.join(", "),
    ]
}

fn room(volume: &Volume) -> String {
    let free = format!(
        "{} ({}): {} free of {}",
        volume.path,
        volume.holds,
        words::size(volume.free),
        words::size(volume.total)
    );
    if volume.stops_below.0 == 0 {
        return format!("{free}.");
    }
    format!("{free}; below {} no task is claimed.", words::size(volume.stops_below))
}
