//! `runnerctl preinstall install`: begins it, tells how far it is, and what came of it.

use std::time::Duration;

use client::{Client, ClientError, Detail};
use futures::StreamExt;
use protocol::{
    PreinstallAskedBy, PreinstallEnd, PreinstallNow, PreinstallOutcome, PreinstallPlan,
    PreinstallReceipt, PreinstallRuns, StartPreinstall,
};

use super::preinstall::{by_hand, row};
use crate::arguments::Shape;
use crate::failure::Failure;
use crate::meanwhile::meanwhile;
use crate::print::{Screen, Tone};

/// A supervisor that is replaced is back by then.
const BACK_AFTER: Duration = Duration::from_secs(1);
const MOST_TRIES: u32 = 30;

/// How many tools were looked at.
pub(super) async fn watched<T>(
    client: &Client,
    answer: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, Failure> {
    meanwhile(client, answer, |snapshot| {
        let Some(PreinstallNow::Checking { done, of }) = snapshot.preinstall else { return None };
        Some(format!("Looked at {done} of {of} tools"))
    })
    .await
}

pub(super) async fn install(
    client: &Client,
    plan: PreinstallPlan,
    verbose: bool,
    shape: &Shape,
    screen: &mut Screen,
) -> Result<(), Failure> {
    if plan.steps.is_empty() {
        let receipt = nothing(plan);
        if shape.json {
            screen.json(&receipt)?;
        }
        return verdict(&receipt);
    }
    let asked = StartPreinstall { plan: plan.id.clone(), asked_by: PreinstallAskedBy::Cli };
    client.start_preinstall(&asked).await?;
    let receipt = followed(client, &plan.id, verbose).await?;
    show(&receipt, shape, screen)
}

/// Also of an earlier supervisor.
pub(super) async fn last(
    client: &Client,
    shape: &Shape,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let why = match client.snapshot(Detail::Plain).await?.preinstall {
        Some(PreinstallNow::Done(receipt)) => return show(&receipt, shape, screen),
        Some(PreinstallNow::Installing(_)) => "An installation runs just now.",
        Some(PreinstallNow::Checking { .. } | PreinstallNow::Other) => {
            "Tools are looked at just now."
        }
        None => "Nothing is known of an installation.",
    };
    Err(Failure::failed(why, "See what is there: runnerctl preinstall check"))
}

fn show(receipt: &PreinstallReceipt, shape: &Shape, screen: &mut Screen) -> Result<(), Failure> {
    if shape.json {
        screen.json(receipt)?;
    } else {
        tell(receipt, screen)?;
    }
    verdict(receipt)
}

/// Whether all that was named is there now; a step for people about something that is there is a hint.
fn verdict(receipt: &PreinstallReceipt) -> Result<(), Failure> {
    let is_there = |it: &&PreinstallOutcome| matches!(it.outcome, PreinstallEnd::Installed);
    let there: Vec<&str> =
        receipt.items.iter().filter(is_there).map(|it| it.item.id.as_str()).collect();
    let by_people = receipt.human.iter().all(|step| there.contains(&step.item.as_str()));
    let all = there.len() == receipt.items.len() && receipt.left.is_empty() && by_people;
    if all && receipt.cut_short.is_none() { Ok(()) } else { Err(Failure::Told) }
}

/// Asks whoever sits at the terminal. Without one the command itself was the word.
pub(super) async fn agreed() -> Result<bool, Failure> {
    if !crate::token::can_prompt() {
        return Ok(true);
    }
    crate::ask::says_yes("Install this?").await
}

/// A plan without steps, carried out.
fn nothing(plan: PreinstallPlan) -> PreinstallReceipt {
    PreinstallReceipt {
        id: plan.id,
        at: plan.made_at,
        seconds: 0,
        items: Vec::new(),
        human: plan.human,
        left: plan.left,
        cut_short: None,
        taken_up: false,
    }
}

/// Until it is over, through a supervisor that ends and comes back.
async fn followed(client: &Client, id: &str, verbose: bool) -> Result<PreinstallReceipt, Failure> {
    let mut teller = Teller { screen: Screen::stderr(), last: None, read: 0, verbose };
    let mut tries = 0;
    loop {
        let mut events = client.events(Detail::Plain);
        let mut broke = None;
        while let Some(event) = events.next().await {
            let snapshot = match event {
                Ok(snapshot) => snapshot,
                Err(error) => {
                    broke = Some(error);
                    break;
                }
            };
            tries = 0;
            match snapshot.preinstall {
                Some(PreinstallNow::Installing(runs)) if runs.id == id => {
                    teller.tell(client, &runs).await?;
                }
                Some(PreinstallNow::Done(receipt)) if receipt.id == id || receipt.id.is_empty() => {
                    teller.rest(client).await?;
                    return Ok(receipt);
                }
                Some(PreinstallNow::Installing(_) | PreinstallNow::Done(_)) => {
                    return Err(Failure::failed(
                        "Another installation has begun since; what came of this one is not known.",
                        "See what is there: runnerctl preinstall check",
                    ));
                }
                Some(PreinstallNow::Checking { .. } | PreinstallNow::Other) => {}
                None => {
                    return Err(Failure::failed(
                        "It runs no more, and what came of it is not known.",
                        "See what is there: runnerctl preinstall check",
                    ));
                }
            }
        }
        tries += 1;
        if tries > MOST_TRIES {
            return Err(broke.map_or_else(
                || Failure::failed("The supervisor ended.", "Start it: it goes on where it was."),
                Failure::from,
            ));
        }
        tokio::time::sleep(BACK_AFTER).await;
    }
}

struct Teller {
    screen: Screen,
    /// What was told last.
    last: Option<String>,
    /// So far the tools' output was shown.
    read: u64,
    verbose: bool,
}

impl Teller {
    async fn tell(&mut self, client: &Client, runs: &PreinstallRuns) -> Result<(), Failure> {
        let step = format!("Step {} of {}: {}", runs.step, runs.steps, runs.title);
        let step = if runs.step == 0 { runs.title.clone() } else { step };
        let step = match &runs.waits {
            Some(waits) => format!("{step}; waits: {waits}"),
            None => step,
        };
        let is_news = self.last.as_ref() != Some(&step);
        if self.screen.is_terminal() && !self.verbose {
            let line = runs.last_line.as_deref().unwrap_or_default();
            self.screen.passing(&format!("{step}  {line}"))?;
        } else if is_news {
            self.screen.say(&step)?;
        }
        self.last = Some(step);
        if self.verbose { self.rest(client).await } else { Ok(()) }
    }

    /// All that tools wrote and that was not shown yet.
    async fn rest(&mut self, client: &Client) -> Result<(), Failure> {
        while self.verbose {
            let page = client.preinstall_output(self.read).await?;
            self.read = page.next;
            if !page.text.is_empty() {
                self.screen.text(&page.text)?;
            }
            if page.at_end {
                break;
            }
        }
        Ok(())
    }
}

fn tell(receipt: &PreinstallReceipt, screen: &mut Screen) -> Result<(), Failure> {
    if receipt.taken_up {
        screen.say("The supervisor had ended in the middle; it was taken up again.")?;
    }
    for PreinstallOutcome { outcome, item, command, said } in &receipt.items {
        row(item, screen)?;
        match outcome {
            PreinstallEnd::Installed => {}
            PreinstallEnd::NotBegun if said.is_none() => {
                screen.field("", Tone::Quiet, "Its turn never came.")?;
            }
            PreinstallEnd::NotBegun | PreinstallEnd::Failed | PreinstallEnd::Other => {
                let was_run = *outcome != PreinstallEnd::NotBegun;
                let (ran, words) = if was_run { ("ran", "it said") } else { ("to run", "why") };
                if let Some(command) = command {
                    screen.field(ran, Tone::Quiet, command)?;
                }
                if let Some(said) = said {
                    screen.field(words, Tone::Plain, said)?;
                }
            }
        }
    }
    by_hand(&receipt.human, screen)?;
    if let Some(why) = &receipt.cut_short {
        screen.say(format!("It ended early. {why}"))?;
    }
    let installed =
        receipt.items.iter().filter(|item| item.outcome == PreinstallEnd::Installed).count();
    let (all, seconds) = (receipt.items.len(), receipt.seconds);
    screen.say(format!("{installed} of {all} are there now, after {seconds} s."))?;
    Ok(())
}
