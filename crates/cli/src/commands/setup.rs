//! `runnerctl setup`: from nothing to a runner that waits for tasks; said twice it is done once.

use std::path::PathBuf;
use std::time::Duration;

use client::{Client, Detail, Started, start_supervisor};
use jiff::SignedDuration;
use protocol::{JobsRunAs, ResourceClass, RunnerName, RunnerSpec, SetUp, Snapshot, TokenStore};

use crate::arguments::Store;
use crate::commands::setup_progress;
use crate::failure::Failure;
use crate::print::Screen;
use crate::{place, token};

/// Set a runner up, or change one; does only what is missing
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Set a runner up, or change one; does only what is missing.\n\n\
        Starts the supervisor where none runs, installs CircleCI's agent, stores the token and \
        waits until the runner is ready. Run again, it changes what this command line names and \
        nothing else.\n\n\
        Jobs run as you unless --job-user names another user. Only a user of its own keeps a job \
        from what you can read.",
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    /// The resource class the runner works for, as CircleCI shows it
    #[arg(long, value_name = "NAMESPACE/NAME")]
    resource_class: ResourceClass,
    /// The runner's name, unique in its resource class; the host's name is a good one
    #[arg(long, visible_alias = "runner")]
    name: RunnerName,
    /// Read the resource class token from standard input
    #[arg(long)]
    token_stdin: bool,
    /// Where jobs work [default: a folder of the runner's own]
    #[arg(long, value_name = "DIR")]
    working_directory: Option<PathBuf>,
    /// CircleCI's address, for CircleCI server [default: CircleCI's cloud]
    #[arg(long, value_name = "URL")]
    api_url: Option<String>,
    /// The folder that holds the agent's manifest.json [default: CircleCI's own]
    #[arg(long, value_name = "URL")]
    releases_url: Option<String>,
    /// Run jobs as this user and not as you
    #[arg(long, value_name = "USER")]
    job_user: Option<String>,
    /// Run jobs as you again, and not as another user any more
    #[arg(long, conflicts_with = "job_user")]
    no_job_user: bool,
    /// Where the token is kept, and moved to where it is elsewhere; a file only you can read is for
    /// hosts without a keychain [default: the keychain]
    #[arg(long, value_enum)]
    token_store: Option<Store>,
    /// How long to wait until the runner is ready
    #[arg(long, value_name = "DURATION", default_value = "120s", value_parser = wait)]
    wait: Duration,
    /// Do not wait until the runner is ready
    #[arg(long, conflicts_with = "wait")]
    no_wait: bool,
}

const EXAMPLES: &str = "\
Examples:
  runnerctl setup --resource-class acme/macos --name mac-mini-01 --token-stdin < token.txt
  pass ci/token | runnerctl setup --resource-class acme/linux --name box --token-stdin
  runnerctl setup --resource-class acme/linux --name box --job-user ci-jobs

On a terminal, without --token-stdin, the token of a new runner is asked for and not shown.";

fn wait(text: &str) -> Result<Duration, String> {
    text.parse::<SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| "write a number with its unit, for example 90s or 5m".to_owned())
}

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let mut screen = Screen::stdout();
    let spec = spec(&args)?;
    // Before anything is started or changed.
    let mut token = None;
    if args.token_stdin {
        token = Some(token::read(args.name.as_str()).await?);
    }

    let folders = place::folders()?;
    if let Started::Now(health) = start_supervisor(&folders).await? {
        screen.say(format!("Started the supervisor (pid {}).", health.pid))?;
    }
    let client = Client::connect(folders.socket()?)?;
    let before = client.snapshot(Detail::Plain).await?;
    if token.is_none() && !has(&before, &args.name) && token::can_prompt() {
        token = Some(token::read(args.name.as_str()).await?);
    }

    let done = client.set_up(&args.name, &SetUp { spec, token }).await?;
    for sentence in &done.did {
        screen.say(sentence)?;
    }
    if done.did.is_empty() {
        screen.say(format!("{} is set up like that already; nothing was changed.", args.name))?;
    }
    let wait = if args.no_wait { Duration::ZERO } else { args.wait };
    let watch = setup_progress::Watch {
        name: &args.name,
        before: if done.did.is_empty() { None } else { Some(&before) },
        wait,
    };
    if done.needs_token {
        watch.tell_boundary(&client, &mut screen).await?;
        return Err(Failure::failed(
            format!("{} has no token for this server, so it cannot claim tasks.", args.name),
            format!("Give it one: runnerctl token set --runner {} < token.txt", args.name),
        ));
    }
    watch.follow(&client, &mut screen).await
}

fn spec(args: &Args) -> Result<RunnerSpec, Failure> {
    let working_directory = match &args.working_directory {
        Some(directory) => Some(absolute(directory)?),
        None => None,
    };
    Ok(RunnerSpec {
        resource_class: args.resource_class.clone(),
        working_directory,
        api_url: args.api_url.clone(),
        releases_url: args.releases_url.clone(),
        job_user: job_user(args),
        token_store: args.token_store.map(TokenStore::from),
    })
}

/// None: as it is.
fn job_user(args: &Args) -> Option<JobsRunAs> {
    match &args.job_user {
        Some(user) => Some(JobsRunAs::User(user.clone())),
        None => args.no_job_user.then_some(JobsRunAs::Owner),
    }
}

/// The supervisor works elsewhere, so what is relative is so to where we are.
fn absolute(directory: &PathBuf) -> Result<String, Failure> {
    let refused = |why: &str| {
        Failure::usage(
            format!("The working directory '{}' {why}.", directory.display()),
            "Name a folder, for example --working-directory /srv/ci/work",
        )
    };
    let absolute = std::path::absolute(directory)
        .map_err(|error| refused(&format!("cannot be made absolute: {error}")))?;
    absolute.into_os_string().into_string().map_err(|_| refused("is not written in UTF-8"))
}

fn has(snapshot: &Snapshot, name: &RunnerName) -> bool {
    snapshot.runners.iter().any(|runner| runner.name == *name)
}
