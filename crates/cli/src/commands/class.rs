//! `runnerctl class`: resource classes at CircleCI, seen and changed with a personal token.

use client::Client;
use protocol::{
    AgentListed, ClassListed, CreateClass, DeleteClass, OfClass, OfNamespace, ResourceClass,
};

use crate::arguments::Shape;
use crate::failure::Failure;
use crate::personal::{Personal, about_personal_tokens};
use crate::place;
use crate::print::Screen;

/// List, show, create or delete resource classes at CircleCI
#[derive(Debug, clap::Args)]
#[command(
    long_about = concat!(
        "List, show, create or delete resource classes at CircleCI.\n\n\
         A resource class is the name jobs ask for (resource_class: acme/macos); runners that work \
         for it have one of its tokens. Every member of an organisation may look, its admins may \
         change.",
        about_personal_tokens!()
    ),
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// List a namespace's resource classes
    #[command(
        long_about = concat!(
            "List a namespace's resource classes.\n\n\
             --json prints an array of {\"id\", \"resource_class\", \"description\"}.",
            about_personal_tokens!()
        ),
        after_help = LIST_EXAMPLES
    )]
    List {
        /// The organisation's namespace: what stands before the / of a resource class
        #[arg(value_name = "NAMESPACE", value_parser = namespace)]
        namespace: String,
        #[command(flatten)]
        personal: Personal,
        #[command(flatten)]
        shape: Shape,
    },
    /// Show a resource class: tasks that wait and run, and the agents CircleCI has heard of
    #[command(
        long_about = concat!(
            "Show a resource class: tasks that wait and run, and the agents CircleCI has heard of.\n\n\
             --json prints {\"id\", \"resource_class\", \"description\", \"waiting\", \"running\", \
             \"agents\": [{\"name\", \"version\", \"last_connected\", \"is_busy\"}]}; is_busy is null \
             where the server does not say.",
            about_personal_tokens!()
        ),
        after_help = SHOW_EXAMPLES
    )]
    Show {
        /// The resource class, as CircleCI shows it
        #[arg(value_name = "NAMESPACE/NAME")]
        resource_class: ResourceClass,
        #[command(flatten)]
        personal: Personal,
        #[command(flatten)]
        shape: Shape,
    },
    /// Create a resource class
    #[command(
        long_about = concat!(
            "Create a resource class.\n\n\
             It has no token yet: `runnerctl token create` makes one.",
            about_personal_tokens!()
        ),
        after_help = CREATE_EXAMPLES
    )]
    Create {
        /// The resource class, as CircleCI shows it
        #[arg(value_name = "NAMESPACE/NAME")]
        resource_class: ResourceClass,
        /// What it is for, for whoever reads the list
        #[arg(long, value_name = "TEXT", default_value = "")]
        description: String,
        /// The organisation's id, from its settings in CircleCI's web app; CircleCI's cloud wants it
        #[arg(long, value_name = "ID")]
        org_id: Option<String>,
        #[command(flatten)]
        personal: Personal,
    },
    /// Delete a resource class
    #[command(
        long_about = concat!(
            "Delete a resource class.\n\n\
             One that has tokens stays, unless --force deletes them with it. Agents that use them \
             claim no more tasks then; tasks that run are not touched.",
            about_personal_tokens!()
        ),
        after_help = DELETE_EXAMPLES
    )]
    Delete {
        /// The resource class, as CircleCI shows it
        #[arg(value_name = "NAMESPACE/NAME")]
        resource_class: ResourceClass,
        /// Delete its tokens with it, and so stop every machine that uses one
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        personal: Personal,
    },
}

const EXAMPLES: &str = "\
Examples:
  runnerctl class list acme
  runnerctl class show acme/macos
  runnerctl class create acme/macos --org-id ORGANISATION
  runnerctl class delete acme/macos";

const LIST_EXAMPLES: &str = "\
Examples:
  runnerctl class list acme                     asks for the personal token, without showing it
  runnerctl class list acme --personal-token-stdin < personal-token.txt
  pass circleci/me | runnerctl class list acme --personal-token-stdin --json";

const SHOW_EXAMPLES: &str = "\
Examples:
  runnerctl class show acme/macos
  runnerctl class show acme/macos --personal-token-stdin --json < personal-token.txt";

const CREATE_EXAMPLES: &str = "\
Examples:
  runnerctl class create acme/macos --org-id ORGANISATION --description \"Mac minis in the office\"
  runnerctl class create acme/linux --api-url https://circleci.example.com";

const DELETE_EXAMPLES: &str = "\
Examples:
  runnerctl class delete acme/macos
  runnerctl class delete acme/macos --force     with its tokens";

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = place::client()?;
    match args.act {
        Act::List { namespace, personal, shape } => {
            let classes =
                client.list_classes(&personal.ask(OfNamespace { namespace }).await?).await?;
            list(&classes, &shape)
        }
        Act::Show { resource_class, personal, shape } => {
            show(&client, resource_class, &personal, &shape).await
        }
        Act::Create { resource_class, description, org_id, personal } => {
            let ask = CreateClass { resource_class, description, org_id };
            let created = client.create_class(&personal.ask(ask).await?).await?;
            let name = &created.resource_class;
            let mut screen = Screen::stdout();
            screen.say(format!("Created {name} ({}).", created.id))?;
            Ok(screen.say(format!("Make a token for it: runnerctl token create {name} --show"))?)
        }
        Act::Delete { resource_class, force, personal } => {
            let name = resource_class.clone();
            let ask = personal.ask(DeleteClass { resource_class, force }).await?;
            client.delete_class(&ask).await?;
            let with = if force { ", with the tokens it had" } else { "" };
            Ok(Screen::stdout().say(format!("Deleted {name}{with}."))?)
        }
    }
}

/// Whether there is one of that name is for CircleCI to say.
fn namespace(text: &str) -> Result<String, String> {
    if let Some((namespace, _)) = text.split_once('/') {
        return Err(format!("this is a resource class; its namespace is {namespace}"));
    }
    if text.is_empty() || text.contains(char::is_whitespace) {
        return Err("a namespace is one word".to_owned());
    }
    Ok(text.to_owned())
}

fn list(classes: &[ClassListed], shape: &Shape) -> Result<(), Failure> {
    let mut screen = Screen::stdout();
    if shape.json {
        return Ok(screen.json(&classes)?);
    }
    if classes.is_empty() {
        return Ok(screen.say("There is no resource class in this namespace yet.")?);
    }
    let rows: Vec<_> = classes
        .iter()
        .map(|class| {
            vec![class.resource_class.clone(), class.id.clone(), class.description.clone()]
        })
        .collect();
    Ok(screen.table(&["RESOURCE CLASS", "ID", "DESCRIPTION"], &rows)?)
}

async fn show(
    client: &Client,
    resource_class: ResourceClass,
    personal: &Personal,
    shape: &Shape,
) -> Result<(), Failure> {
    let shown = client.show_class(&personal.ask(OfClass { resource_class }).await?).await?;
    let mut screen = Screen::stdout();
    if shape.json {
        return Ok(screen.json(&shown)?);
    }
    let class = &shown.class;
    let about = if class.description.is_empty() { "" } else { ": " };
    screen.say(format!("{}{about}{}", class.resource_class, class.description))?;
    screen.say(format!("{} waiting, {} running.", tasks(shown.waiting), shown.running))?;
    if shown.agents.is_empty() {
        return Ok(screen.say("CircleCI has heard of no agent of it lately.")?);
    }
    let rows: Vec<_> = shown.agents.iter().map(agent).collect();
    Ok(screen.table(&["AGENT", "DOES", "VERSION", "LAST HEARD OF"], &rows)?)
}

fn tasks(count: u64) -> String {
    if count == 1 { "1 task".to_owned() } else { format!("{count} tasks") }
}

fn agent(agent: &AgentListed) -> Vec<String> {
    let does = match agent.is_busy {
        Some(true) => "a task",
        Some(false) => "waits",
        None => "not told",
    };
    let or_unknown = |text: &Option<String>| text.clone().unwrap_or_else(|| "not told".to_owned());
    vec![
        agent.name.clone(),
        does.to_owned(),
        or_unknown(&agent.version),
        or_unknown(&agent.last_connected),
    ]
}
