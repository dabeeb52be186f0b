//! Events and effects in few words, for the story of a history that broke a law.

use supervisor_core::{AgentSeen, Effect, Event, Read, RunFacts};

#[expect(clippy::wildcard_enum_match_arm, reason = "told as they are, the few long ones aside")]
pub(crate) fn of_event(event: &Event) -> String {
    match event {
        Event::RunRead(facts) => format!("RunRead {}", of_facts(facts)),
        Event::RunStarted(facts) => format!("RunStarted {}", of_facts(facts)),
        Event::SettingsRead(runners) => {
            let names = runners.iter().map(|runner| format!("{} {}", runner.name, runner.mark));
            format!("SettingsRead {:?}", names.collect::<Vec<_>>())
        }
        other => format!("{other:?}"),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "told as they are, the few long ones aside")]
pub(crate) fn of_effect(effect: &Effect) -> String {
    match effect {
        Effect::Save { number, wanted } => {
            format!("Save {number} {:?}", super::wants::pauses_in(wanted))
        }
        Effect::Record(task) => format!("Record {} {:?}", task.id, task.result),
        Effect::Amend(task) => format!("Amend {} {:?}", task.id, task.result),
        other => format!("{other:?}"),
    }
}

pub(crate) fn of_facts(facts: &RunFacts) -> String {
    let agent = match &facts.agent {
        AgentSeen::NotStarted => "not started".to_owned(),
        AgentSeen::Started { boot, at, alive, .. } => format!("of {boot} {at} alive {alive:?}"),
        AgentSeen::Unknown => "unknown".to_owned(),
    };
    let mut all = vec![format!(
        "{} #{} {} {}: lock {:?}, agent {agent}",
        facts.run, facts.reading, facts.runner.name, facts.runner.mark, facts.lock
    )];
    if facts.drain != Read::No {
        all.push(format!("drain {:?}", facts.drain));
    }
    if facts.cancel != Read::No {
        all.push(format!("cancel {:?}", facts.cancel));
    }
    if facts.exit != Read::No {
        all.push(format!("exit {:?}", facts.exit));
    }
    all.extend(facts.tasks.iter().map(|task| format!("task {} {:?}", task.number, task.end)));
    all.join(", ")
}
