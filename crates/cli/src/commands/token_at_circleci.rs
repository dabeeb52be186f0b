//! `runnerctl token create | list | delete`: the tokens there are at CircleCI. A new one goes into a
//! runner's store unseen, or is shown once to whoever asks for that.

use client::Client;
use protocol::{
    Asked, CreateOwnToken, CreateToken, DeleteToken, OfClass, ResourceClass, RunnerName,
    TokenListed,
};

use crate::arguments::Shape;
use crate::failure::Failure;
use crate::personal::{Personal, about_personal_tokens};
use crate::print::Screen;
use crate::words;

/// Create a token, for a runner of this machine or to be shown once
#[derive(Debug, clap::Args)]
#[command(
    long_about = concat!(
        "Create a token, for a runner of this machine or to be shown once.\n\n\
         With --runner it is stored as that runner's token, and nobody sees it; the agent is \
         replaced by one that has it once it has no task. The token before stays valid: `runnerctl \
         token rotate` replaces and deletes it.\n\n\
         Otherwise say for which resource class, and --show: CircleCI tells a token once, and so \
         does this. Nothing but the token goes to standard output.",
        about_personal_tokens!()
    ),
    after_help = CREATE_EXAMPLES
)]
pub(crate) struct Create {
    /// The resource class, where the token is not for a runner of this machine
    #[arg(value_name = "NAMESPACE/NAME", required_unless_present = "runner", requires = "show")]
    resource_class: Option<ResourceClass>,
    /// Store it as this runner's token
    #[arg(long, value_name = "NAME", conflicts_with_all = ["resource_class", "show", "api_url"])]
    runner: Option<RunnerName>,
    /// Print the token, this once
    #[arg(long)]
    show: bool,
    /// What it is called at CircleCI [default: the runner's name, or "default"]
    #[arg(long, value_name = "TEXT")]
    nickname: Option<String>,
    #[command(flatten)]
    personal: Personal,
}

/// List a resource class's tokens, without the tokens themselves
#[derive(Debug, clap::Args)]
#[command(
    long_about = concat!(
        "List a resource class's tokens, without the tokens themselves.\n\n\
         USED BY names a runner of this machine whose token was created here; whose the others are, \
         CircleCI does not tell.\n\n\
         --json prints an array of {\"id\", \"nickname\", \"created_at\", \"used_by\": [names]}.",
        about_personal_tokens!()
    ),
    after_help = LIST_EXAMPLES
)]
pub(crate) struct List {
    /// The resource class, as CircleCI shows it
    #[arg(value_name = "NAMESPACE/NAME")]
    resource_class: ResourceClass,
    #[command(flatten)]
    personal: Personal,
    #[command(flatten)]
    shape: Shape,
}

/// Delete a token at CircleCI
#[derive(Debug, clap::Args)]
#[command(
    long_about = concat!(
        "Delete a token at CircleCI.\n\n\
         Every machine that uses it claims no more tasks from then on; tasks that run are not \
         touched. One that a runner of this machine is known to use stays, unless --force is said.",
        about_personal_tokens!()
    ),
    after_help = DELETE_EXAMPLES
)]
pub(crate) struct Delete {
    /// The resource class it is of
    #[arg(value_name = "NAMESPACE/NAME")]
    resource_class: ResourceClass,
    /// Its id, as `runnerctl token list` shows it
    #[arg(value_name = "ID")]
    id: String,
    /// Delete it though a runner of this machine uses it
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    personal: Personal,
}

const CREATE_EXAMPLES: &str = "\
Examples:
  runnerctl token create --runner mac-mini-01
  runnerctl token create acme/macos --nickname mac-mini-02 --show
  runnerctl token create acme/macos --show --personal-token-stdin < personal-token.txt > token.txt";

const LIST_EXAMPLES: &str = "\
Examples:
  runnerctl token list acme/macos
  runnerctl token list acme/macos --personal-token-stdin --json < personal-token.txt";

const DELETE_EXAMPLES: &str = "\
Examples:
  runnerctl token list acme/macos
  runnerctl token delete acme/macos 9f0c1c1e-5f5b-4a0e-8a4b-0d8f2b1c3d4e";

pub(crate) async fn create(
    args: Create,
    client: &Client,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let Create { resource_class, runner, show: _, nickname, personal } = args;
    if let Some(runner) = runner {
        let nickname = nickname.unwrap_or_else(|| runner.to_string());
        let ask = personal.ask(CreateOwnToken { nickname }).await?;
        let created = client.create_own_token(&runner, &ask).await?;
        screen.say(format!(
            "Created the token {} ({}) and stored it for {runner}.",
            created.nickname, created.id
        ))?;
        return Ok(screen.say(
            "The agent is replaced by one with it once it has no task. The token before stays valid; \
             delete it with `runnerctl token delete` when nobody uses it.",
        )?);
    }
    let Some(resource_class) = resource_class else {
        return Err(Failure::usage(
            "For whom is the token?",
            "Say --runner NAME, or a resource class.",
        ));
    };
    let nickname = nickname.unwrap_or_else(|| "default".to_owned());
    let ask = personal.ask(CreateToken { resource_class, nickname }).await?;
    let created = client.create_token(&ask).await?;
    Screen::stderr().say(format!(
        "Created the token {} ({}). It is shown this once:",
        created.listed.nickname, created.listed.id
    ))?;
    Ok(screen.say(created.token.0)?)
}

pub(crate) async fn list(args: List, client: &Client, screen: &mut Screen) -> Result<(), Failure> {
    let List { resource_class, personal, shape } = args;
    let ask = personal.ask(OfClass { resource_class }).await?;
    let tokens = client.list_tokens(&ask).await?;
    if shape.json {
        return Ok(screen.json(&tokens)?);
    }
    if tokens.is_empty() {
        let class = &ask.ask.resource_class;
        return Ok(screen.say(format!("{class} has no token, so no agent can work for it."))?);
    }
    table(&tokens, screen)
}

pub(crate) fn table(tokens: &[TokenListed], screen: &mut Screen) -> Result<(), Failure> {
    let rows: Vec<_> = tokens
        .iter()
        .map(|token| {
            let users = &token.used_by;
            vec![
                token.id.clone(),
                token.nickname.clone(),
                token.created_at.clone().unwrap_or_else(|| "not told".to_owned()),
                if users.is_empty() { "not known".to_owned() } else { words::list(users) },
            ]
        })
        .collect();
    Ok(screen.table(&["ID", "NICKNAME", "CREATED", "USED BY"], &rows)?)
}

pub(crate) async fn delete(
    args: Delete,
    client: &Client,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let Delete { resource_class, id, force, personal } = args;
    let ask: Asked<_> = personal.ask(DeleteToken { resource_class, id, force }).await?;
    client.delete_token(&ask).await?;
    Ok(screen.say(format!("Deleted the token {} of {}.", ask.ask.id, ask.ask.resource_class))?)
}
