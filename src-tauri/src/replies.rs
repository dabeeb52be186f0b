//! The recorded replies in ui/replies, read as what the app really gives for each call: a recorded one
//! that went stale fails here, before the window's tests believe it.

use std::collections::BTreeSet;
use std::path::Path;

use protocol::{
    AgentRelease, ClassListed, CleanupPlan, CleanupReceipt, CleanupReceipts, ConfigText, Findings,
    HistoryPage, HistorySpans, JobPath, JobUserCheck, LogPage, LogSearch, Notices, Preferences,
    Preinstall, PreinstallChecked, PreinstallOutput, PreinstallPlan, Preset, Presets, Rotated,
    Rotation, RunnerSpec, SetUpDone, Stopping, TokenListed, Undone, WorkDirs,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::call::Call;
use crate::carry_out::{About, Allowed};
use crate::login::Login;
use crate::reply::Refusal;
use crate::said::Said;

/// Every file's name, its call and its reply.
fn recorded() -> Vec<(String, Value, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/replies");
    let files = std::fs::read_dir(folder).expect("ui/replies");
    files
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).expect("a reply");
            let mut it: Value = serde_json::from_str(&text).expect(&name);
            (name, it["call"].take(), it["reply"].take())
        })
        .collect()
}

/// What is left of it once our type has read it and written it again.
fn again<T: DeserializeOwned + Serialize>(it: &Value) -> serde_json::Result<Value> {
    serde_json::from_value::<T>(it.clone()).and_then(serde_json::to_value)
}

/// The type of what [`crate::carry_out`] gives; a call that is new has to be named here.
fn given_again(call: &Call, given: &Value) -> serde_json::Result<Value> {
    match call {
        Call::About => again::<About>(given),
        Call::AllowNotifications => again::<Allowed>(given),
        Call::Login | Call::SetLogin { .. } => again::<Login>(given),
        Call::History { .. } => again::<HistoryPage>(given),
        Call::Logs { .. } => again::<LogPage>(given),
        Call::SearchLogs { .. } => again::<LogSearch>(given),
        Call::HistoryDays { .. } | Call::HistoryHours { .. } => again::<HistorySpans>(given),
        Call::Notices { .. } => again::<Notices>(given),
        Call::Doctor => again::<Findings>(given),
        Call::Agents => again::<Vec<AgentRelease>>(given),
        Call::AgentConfig { .. } | Call::Snippet { .. } => again::<ConfigText>(given),
        Call::WorkDirs { .. } => again::<WorkDirs>(given),
        Call::Presets => again::<Presets>(given),
        Call::ChangePreset { .. } => again::<Preset>(given),
        Call::CleanupReceipts { .. } => again::<CleanupReceipts>(given),
        Call::PlanCleanup { .. } => again::<CleanupPlan>(given),
        Call::CleanUp { .. } => again::<CleanupReceipt>(given),
        Call::UndoCleanup { .. } => again::<Undone>(given),
        Call::Preinstall => again::<Preinstall>(given),
        Call::CheckPreinstall(_) => again::<PreinstallChecked>(given),
        Call::PlanPreinstall(_) => again::<PreinstallPlan>(given),
        Call::PreinstallOutput { .. } => again::<PreinstallOutput>(given),
        Call::JobPath { .. } => again::<JobPath>(given),
        Call::SetPreferences { .. } => again::<Preferences>(given),
        Call::SetUp { .. } => again::<SetUpDone>(given),
        Call::CheckJobUser { .. } => again::<JobUserCheck>(given),
        Call::StopSupervisor => again::<Stopping>(given),
        Call::ListClasses { .. } => again::<Vec<ClassListed>>(given),
        Call::CreateClass { .. } => again::<ClassListed>(given),
        Call::ListTokens { .. } => again::<Vec<TokenListed>>(given),
        Call::CreateToken { .. } => again::<TokenListed>(given),
        Call::Rotate { .. } => again::<Rotated>(given),
        Call::Rotation { .. } => again::<Option<Rotation>>(given),
        Call::OpenDoc { .. }
        | Call::OpenLink { .. }
        | Call::AfterTask { .. }
        | Call::ForgetAfterTask
        | Call::SawNotices { .. }
        | Call::NeverDelete { .. }
        | Call::StopCleanup
        | Call::StartPreinstall { .. }
        | Call::CancelPreinstall
        | Call::OpenItemLink { .. }
        | Call::SetJobPath { .. }
        | Call::Remove { .. }
        | Call::SetToken { .. }
        | Call::ForgetToken { .. }
        | Call::MoveToken { .. }
        | Call::Pause { .. }
        | Call::CancelTask { .. }
        | Call::Install { .. }
        | Call::StopInstall { .. }
        | Call::DeleteToken { .. } => again::<()>(given),
    }
}

/// Absent and null are one to the window.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), without_nulls(value)))
            .collect(),
        Value::Array(values) => values.iter().map(without_nulls).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn call_of(name: &str, call: &Value) -> Call {
    match Said::read(json!({ "do": "call", "call": call })) {
        Ok(Said::Call(call)) => call,
        Ok(Said::Ask(ask)) => panic!("{name} is a click: {ask:?}"),
        Err(why) => panic!("{name}: {why:?}"),
    }
}

#[test]
fn every_recorded_reply_is_one_that_the_app_can_give() {
    let recorded = recorded();
    assert!(recorded.len() > 40, "{}", recorded.len());
    for (name, said, reply) in recorded {
        let call = call_of(&name, &said);
        let (is, ours) = match (&reply["ok"], &reply["refused"]) {
            (given, Value::Null) => (given, given_again(&call, given)),
            (Value::Null, refused) => (refused, again::<Refusal>(refused)),
            both => panic!("{name} is both: {both:?}"),
        };
        let ours = ours.unwrap_or_else(|error| panic!("{name}: {error}\n{is:#}"));
        assert_eq!(without_nulls(&ours), without_nulls(is), "{name}");
    }
}

#[test]
fn every_recorded_call_says_only_what_is_understood() {
    for (name, said, _) in recorded() {
        let Call::SetUp { config, .. } = call_of(&name, &said) else { continue };
        let understood: RunnerSpec = config;
        assert_eq!(serde_json::to_value(&understood).expect(&name), said["config"], "{name}");
    }
}

#[test]
fn each_call_of_the_window_has_a_recorded_reply_that_was_read_here() {
    let calls = include_str!("../../ui/src/calls.ts");
    let named: BTreeSet<&str> = calls
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_once(": Made<"))
        .map(|(name, _)| name.trim_matches('"'))
        .collect();
    let recorded = recorded();
    let read: BTreeSet<&str> =
        recorded.iter().filter_map(|(_, call, _)| call["call"].as_str()).collect();
    assert_eq!(read, named);
}
