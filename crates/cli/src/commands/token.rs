//! `runnerctl token`: a runner's resource class token, kept in its store and never shown; and the
//! tokens there are at CircleCI, made, listed, deleted and replaced with a personal token.

use client::Detail;

use crate::arguments::{Store, Which};
use crate::commands::{token_at_circleci, token_rotate};
use crate::failure::Failure;
use crate::print::Screen;
use crate::{choose, place, token};

/// Set, create, list, replace or delete resource class tokens
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Set, create, list, replace or delete resource class tokens.\n\n\
        A runner's token goes to the store that was chosen at set-up, your keychain by default, and to \
        the agent; no command gives it back. It is never taken from the command line, which other \
        users of the machine can read.\n\n\
        set, move and forget are about this machine alone. create, list, rotate and delete ask CircleCI \
        with a personal API token, which is used for the one command and forgotten.",
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
    /// Keep the token in the keychain, or in a file that only you can read
    #[command(
        long_about = "Keep the token in the keychain, or in a file that only you can read.\n\n\
            It is written to the new place and read back before it is taken out of the old one. \
            Where that is interrupted, status says that a copy may be left; said again it is \
            finished.",
        after_help = "Example:\n  runnerctl token move --to keychain --runner mac-mini-01"
    )]
    Move {
        /// Where it is kept from now on
        #[arg(long, value_enum)]
        to: Store,
        #[command(flatten)]
        which: Which,
    },
    /// Take the token out of its store
    #[command(
        long_about = "Take the token out of its store.\n\n\
            Without one no agent can be started; the token itself stays valid until it is deleted \
            at CircleCI. A runner that was taken out of the settings by hand has left its token \
            there, as `runnerctl doctor` tells; name it to forget that one.",
        after_help = "Example:\n  runnerctl token forget --runner mac-mini-01"
    )]
    Forget {
        #[command(flatten)]
        which: Which,
    },
    Create(token_at_circleci::Create),
    List(token_at_circleci::List),
    Rotate(token_rotate::Args),
    Delete(token_at_circleci::Delete),
}

const EXAMPLES: &str = "\
Examples:
  runnerctl token set                   asks for it, without showing it
  runnerctl token set < token.txt
  runnerctl token move --to keychain
  runnerctl token forget --runner mac-mini-01
  runnerctl token list acme/macos
  runnerctl token rotate --runner mac-mini-01";

const SET_EXAMPLES: &str = "\
Examples:
  runnerctl token set                   asks for it, without showing it
  runnerctl token set < token.txt
  pass ci/runner-token | runnerctl token set --runner mac-mini-01";

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = place::client()?;
    let mut screen = Screen::stdout();
    match args.act {
        // The flag is there so that what works with `setup` works here.
        Act::Set { which, token_stdin: _ } => {
            let snapshot = client.snapshot(Detail::Plain).await?;
            let name = &choose::one(&snapshot, which.runner.as_ref())?.name;
            let token = token::read(name.as_str()).await?;
            client.set_token(name, &token).await?;
            Ok(screen.say(format!("The token of {name} is stored."))?)
        }
        Act::Move { to, which } => {
            let snapshot = client.snapshot(Detail::Plain).await?;
            let name = &choose::one(&snapshot, which.runner.as_ref())?.name;
            client.move_token(name, to.into()).await?;
            let place = match to {
                Store::Keychain => "the keychain",
                Store::File => "a file that only you can read",
            };
            Ok(screen.say(format!("The token of {name} is in {place}, and nowhere else."))?)
        }
        Act::Forget { which } => {
            // It may have been taken out of the settings, and its token is still there.
            let name = if let Some(name) = which.runner {
                name
            } else {
                let snapshot = client.snapshot(Detail::Plain).await?;
                choose::one(&snapshot, None)?.name.clone()
            };
            client.forget_token(&name).await?;
            Ok(screen.say(format!("The token of {name} is forgotten."))?)
        }
        Act::Create(args) => token_at_circleci::create(args, &client, &mut screen).await,
        Act::List(args) => token_at_circleci::list(args, &client, &mut screen).await,
        Act::Rotate(args) => token_rotate::run(args, &client, &mut screen).await,
        Act::Delete(args) => token_at_circleci::delete(args, &client, &mut screen).await,
    }
}
