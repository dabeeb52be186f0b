//! Who asks CircleCI, and which: the arguments that every command with a personal token has.

use clap::Args;
use protocol::{Asked, PersonalToken};

use crate::failure::Failure;
use crate::token;

/// For commands that may be about any server.
#[derive(Debug, Args)]
pub(crate) struct Personal {
    #[command(flatten)]
    token: PersonalOnly,
    /// CircleCI's address, for CircleCI server [default: that of this machine's runners, or
    /// CircleCI's cloud]
    #[arg(long, value_name = "URL")]
    api_url: Option<String>,
}

/// For commands about a runner, whose server is known.
#[derive(Debug, Args)]
pub(crate) struct PersonalOnly {
    /// Read the personal API token from standard input; on a terminal it is asked for and not shown
    #[arg(long)]
    personal_token_stdin: bool,
}

/// Stands in the long help of each such command.
macro_rules! about_personal_tokens {
    () => {
        "\n\nCircleCI is asked with a personal API token of your account (User Settings, Personal \
         API Tokens). It has all of your rights, so it is used for this one command and forgotten, \
         and it is taken neither from the command line nor from a variable, which other programs \
         can read."
    };
}
pub(crate) use about_personal_tokens;

impl Personal {
    pub(crate) async fn ask<T>(&self, ask: T) -> Result<Asked<T>, Failure> {
        let personal_token = self.token.read().await?;
        Ok(Asked { personal_token, api_url: self.api_url.clone(), ask })
    }
}

impl PersonalOnly {
    pub(crate) async fn read(&self) -> Result<PersonalToken, Failure> {
        // The flag says what is done anyway where there is nobody to ask.
        let Self { personal_token_stdin: _ } = self;
        token::read_personal().await
    }
}
