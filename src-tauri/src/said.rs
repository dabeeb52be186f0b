//! What the window said, read: a click or a call. What cannot be read is told without any secret in it.

use serde_json::Value;

use crate::ask::Ask;
use crate::call::Call;
use crate::reply::Refusal;

#[derive(Debug)]
pub(crate) enum Said {
    Ask(Ask),
    Call(Call),
}

impl Said {
    /// `{"do": "call", "call": {...}}` is a call, everything else a click.
    pub(crate) fn read(mut said: Value) -> Result<Self, Refusal> {
        let secrets = secrets(&said);
        let read = if said["do"] == "call" {
            serde_json::from_value(said["call"].take()).map(Self::Call)
        } else {
            serde_json::from_value(said).map(Self::Ask)
        };
        read.map_err(|error| not_understood(&error.to_string(), &secrets))
    }
}

/// Whatever stands where a token would, in any depth.
fn secrets(said: &Value) -> Vec<String> {
    match said {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| match value.as_str() {
                Some(text) if name.contains("token") => vec![text.to_owned()],
                Some(_) | None => secrets(value),
            })
            .collect(),
        Value::Array(values) => values.iter().flat_map(secrets).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn not_understood(error: &str, secrets: &[String]) -> Refusal {
    let hidden = secrets
        .iter()
        .filter(|secret| !secret.is_empty())
        .fold(error.to_owned(), |text, secret| text.replace(secret.as_str(), "[token]"));
    let hint = "Close this window and open it again.";
    Refusal::failed("The app does not understand what the window asks.", &hidden, hint)
}

#[cfg(test)]
mod tests {
    use protocol::RunnerName;
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;

    const TOKEN: &str = "3f1a-a-token-9c";

    fn call(call: &Value) -> Result<Said, Refusal> {
        Said::read(json!({ "do": "call", "call": call }))
    }

    fn runner(name: &str) -> RunnerName {
        name.parse().expect("a name")
    }

    #[test]
    fn a_click_and_a_call_are_told_apart() {
        let clicked = Said::read(json!({ "do": "resume", "runners": ["mini"] })).expect("a click");
        let Said::Ask(ask) = clicked else { panic!("{clicked:?}") };
        assert_eq!(ask, Ask::Resume { runners: vec![runner("mini")] });
        let called = call(&json!({ "call": "agent-config", "runner": "mini" })).expect("a call");
        assert!(matches!(called, Said::Call(Call::AgentConfig { .. })), "{called:?}");
        let called = call(&json!({ "call": "doctor" })).expect("a call");
        assert!(matches!(called, Said::Call(Call::Doctor)), "{called:?}");
    }

    #[test]
    fn a_token_arrives_and_is_never_printed() {
        let config = json!({ "resource_class": "acme/macos" });
        let said = call(&json!({
            "call": "set-up", "runner": "mini", "config": config, "token": TOKEN
        }));
        let Ok(Said::Call(Call::SetUp { token: Some(token), .. })) = &said else {
            panic!("{said:?}");
        };
        assert_eq!(token.expose_secret(), TOKEN);
        assert!(!format!("{said:?}").contains(TOKEN), "{said:?}");
        for made in [
            json!({ "call": "set-token", "runner": "mini", "token": TOKEN }),
            json!({ "call": "list-classes", "personal_token": TOKEN, "namespace": "acme" }),
            json!({ "call": "rotate", "personal_token": TOKEN, "runner": "mini" }),
        ] {
            let said = call(&made).expect("a call");
            assert!(!format!("{said:?}").contains(TOKEN), "{said:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_without_the_token_in_it() {
        for wrong in [
            json!({ "call": "set-token", "runner": "mini", "token": TOKEN, "force": true }),
            json!({ "call": "set-token", "runner": "m i n i", "token": TOKEN }),
            json!({ "call": "set-up", "runner": "mini", "config": { "token": TOKEN } }),
            json!({ "call": "rotation", "runner": "mini", "wait": { "token": TOKEN } }),
            json!({ "call": "logs", "runner": "mini", "limit": TOKEN, "token": TOKEN }),
            json!({ "call": "shell", "token": TOKEN }),
            json!(TOKEN),
            json!(null),
        ] {
            let refused = call(&wrong).expect_err(&wrong.to_string());
            assert_eq!(refused.code, "failed");
            let in_a_token_field = wrong.is_object();
            let told = serde_json::to_string(&refused).expect("JSON");
            assert!(!in_a_token_field || !told.contains(TOKEN), "{told}");
        }
    }
}
