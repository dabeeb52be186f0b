//! `runnerctl token`: gives a runner's token to its store or takes it out; it is never shown.

use client::Detail;

use crate::arguments::Which;
use crate::failure::Failure;
use crate::print::Screen;
use crate::{choose, place, token};

/// Set or forget a runner's resource class token
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Set or forget a runner's resource class token.\n\n\
        The token goes to the store that was chosen at set-up, your keychain by default, and to \
        the agent; no command gives it back. It is never taken from the command line, which other \
        users of the machine can read.",
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Store a token, read from standard input or asked for without showing it
    #[command(after_help = SET_EXAMPLES)]
    Set {
        #[command(flatten)]
        which: Which,
        /// Read the token from standard input, as it is read anyway
        #[arg(long)]
        token_stdin: bool,
    },
    /// Take the token out of its store
    #[command(
        long_about = "Take the token out of its store.\n\n\
            Without one no agent can be started; the token itself stays valid until it is deleted \
            at CircleCI.",
        after_help = "Example:\n  runnerctl token forget --runner mac-mini-01"
    )]
    Forget {
        #[command(flatten)]
        which: Which,
    },
}

const EXAMPLES: &str = "\
Examples:
  runnerctl token set                   asks for it, without showing it
  runnerctl token set < token.txt
  runnerctl token forget --runner mac-mini-01";

const SET_EXAMPLES: &str = "\
Examples:
  runnerctl token set                   asks for it, without showing it
  runnerctl token set < token.txt
  pass ci/runner-token | runnerctl token set --runner mac-mini-01";

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = place::client()?;
    let snapshot = client.snapshot(Detail::Plain).await?;
    let mut screen = Screen::stdout();
    match args.act {
        // The flag is there so that what works with `setup` works here.
        Act::Set { which, token_stdin: _ } => {
            let name = &choose::one(&snapshot, which.runner.as_ref())?.name;
            let token = token::read(name.as_str()).await?;
            client.set_token(name, &token).await?;
            screen.say(format!("The token of {name} is stored."))?;
        }
        Act::Forget { which } => {
            let name = &choose::one(&snapshot, which.runner.as_ref())?.name;
            client.forget_token(name).await?;
            screen.say(format!("The token of {name} is forgotten."))?;
        }
    }
    Ok(())
}
