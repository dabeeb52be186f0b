//! Items, presets and plans as clients see them.

use ::preinstall::{Catalogue, Draft, Item, Jobs, Machine, Rights, Step, What};
use jiff::Timestamp;
use protocol::{
    Bytes, Preinstall, PreinstallHow, PreinstallItem, PreinstallPlan, PreinstallPreset,
    PreinstallStep,
};

const MB: u64 = 1_000_000;

pub(super) fn list(all: &Catalogue, refused: Vec<String>, machine: &Machine) -> Preinstall {
    let item = |item: &Item| PreinstallItem {
        id: item.id.clone(),
        title: item.title.clone(),
        what_for: item.what_for.clone(),
        links: item.links.clone(),
        size: item.size(),
        how: how(item, machine),
        own: all.is_own_item(&item.id),
    };
    Preinstall {
        items: all.items.iter().filter(|it| !it.is_spare(machine)).map(item).collect(),
        presets: all.presets.iter().map(|it| preset(all, it)).collect(),
        refused,
    }
}

pub(super) fn preset(all: &Catalogue, preset: &::preinstall::Preset) -> PreinstallPreset {
    PreinstallPreset {
        id: preset.id.clone(),
        title: preset.title.clone(),
        what_for: preset.what_for.clone(),
        items: preset.items.clone(),
        own: all.is_own_preset(&preset.id),
    }
}

fn how(item: &Item, machine: &Machine) -> PreinstallHow {
    let human = |words: &str| PreinstallHow::Human { words: words.to_owned() };
    let Some(ways) = item.ways(machine) else {
        return human("Nothing is known of how it comes onto this system.");
    };
    let reached =
        |manager: &::preinstall::Manager| machine.has(*manager) || manager.brought_by().is_some();
    if let Some(manager) = ways.managers().find(reached) {
        return PreinstallHow::Packages {
            by: manager.name().to_owned(),
            names: ways.of(manager).to_vec(),
            admin: manager.needs_admin() || ways.admin && manager == ::preinstall::Manager::Cask,
        };
    }
    match (&ways.ours, &ways.human) {
        (Some(_), _) => PreinstallHow::Ours { what: item.what_for.clone() },
        (None, Some(words)) => human(words),
        (None, None) => human("None of its package managers is on this machine."),
    }
}

pub(super) fn plan(
    draft: &Draft,
    id: String,
    made_at: Timestamp,
    jobs: &Jobs,
    is_root: bool,
) -> PreinstallPlan {
    let rights = if is_root { Rights::Root } else { Rights::Sudo };
    let steps: Vec<PreinstallStep> = draft.steps.iter().map(|it| step(it, jobs, rights)).collect();
    PreinstallPlan {
        id,
        made_at,
        jobs: jobs.shown(),
        size: Bytes(steps.iter().filter_map(|step| step.size).map(|size| size.0).sum()),
        admin: draft.steps.iter().any(Step::needs_admin),
        steps,
        human: draft.human.clone(),
        already: draft.already.clone(),
        left: draft.left.clone(),
    }
}

fn step(step: &Step, jobs: &Jobs, rights: Rights) -> PreinstallStep {
    let calls = ::preinstall::Call::of(step, &jobs.home);
    let lines: Vec<String> = calls.iter().map(|call| call.shown(rights, jobs)).collect();
    let command = match &step.what {
        What::Ours { name } => {
            format!("write the command {name}, which hands on to circleci-agent")
        }
        What::Refresh | What::Packages { .. } => lines.join("\n"),
    };
    PreinstallStep {
        title: step.title(),
        by: step.by().to_owned(),
        command,
        items: step.items.iter().map(|item| item.id.clone()).collect(),
        size: step.size_mb.map(|mb| Bytes(u64::from(mb) * MB)),
        admin: step.needs_admin(),
        as_user: Some(jobs.user.clone()).filter(|_| jobs.is_job_user && step.is_the_users()),
    }
}
