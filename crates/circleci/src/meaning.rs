//! What a log line tells about the agent and its task. A line that tells nothing for certain has no
//! meaning here: that an agent is idle, or a task over, is never concluded from words alone.

use crate::{Link, LogLine, SpanLine, TaskAgentLine, link};

/// Something a line says.
#[derive(Debug, Clone, PartialEq)]
pub enum Meaning {
    /// The agent started; the version as it names itself (`3.1.4-7421-b48991f`).
    StartingAgent {
        version: Option<String>,
    },
    /// The server answered a claim, with a task or without.
    ClaimOk,
    /// A claim failed for another reason than the token. `status` is HTTP's, if there was an answer.
    ClaimFailed {
        status: Option<u16>,
        error: Option<String>,
    },
    /// The server refused the token; the agent ends soon after.
    Unauthorized {
        text: String,
    },
    /// A task speaks. Each of these may be unknown.
    TaskSeen {
        link: Option<Link>,
        task_id: Option<String>,
        job_id: Option<String>,
        correlation: Option<String>,
    },
    StepStarted {
        step_type: Option<String>,
        step: Option<String>,
    },
    /// `duration` is in a unit that CircleCI does not document; an empty result means success.
    StepEnded {
        step_type: Option<String>,
        step: Option<String>,
        exit_code: Option<i32>,
        result: Option<String>,
        duration: Option<f64>,
    },
    /// The agent reports an error of its own, in its own words.
    AgentError {
        text: String,
    },
}

/// All that `line` says; empty for most lines.
pub fn meanings(line: &LogLine) -> Vec<Meaning> {
    match line {
        LogLine::TaskAgent(line) => of_json(line),
        LogLine::Span(span) => of_span(span).into_iter().collect(),
        LogLine::Other(text) => of_text(text).into_iter().collect(),
    }
}

fn of_json(line: &TaskAgentLine) -> Vec<Meaning> {
    let mut found = Vec::new();
    let build_uri = line.text("build_uri");
    let task_id = line.text("task_id");
    let job_id = line.text("job_id");
    let of_a_task = build_uri.is_some() || task_id.is_some() || job_id.is_some();
    if of_a_task {
        found.push(Meaning::TaskSeen {
            link: build_uri.as_deref().and_then(link),
            task_id,
            job_id,
            correlation: line.text("correlation"),
        });
    }
    let step_type = line.text("step_type");
    let step = line.text("step_id").or_else(|| line.text("step"));
    let message = line.text("msg").unwrap_or_default();
    match message.as_str() {
        "step start" => found.push(Meaning::StepStarted { step_type, step }),
        "step end" => found.push(Meaning::StepEnded {
            step_type,
            step,
            exit_code: line.text("exit_code").and_then(|code| code.parse().ok()),
            result: line.text("result"),
            duration: line.text("duration").and_then(|duration| duration.parse().ok()),
        }),
        _ if of_a_task => {}
        _ => found.extend(error_of_json(line, &message)),
    }
    found
}

/// A line of JSON that belongs to no task is the agent's own, in a form that is not documented.
fn error_of_json(line: &TaskAgentLine, message: &str) -> Option<Meaning> {
    let error = line.text("error").or_else(|| line.text("err"));
    let level = line.text("level").unwrap_or_default();
    if error.is_none() && !matches!(level.as_str(), "error" | "fatal" | "panic") {
        return None;
    }
    let text = [Some(message.to_owned()), error].into_iter().flatten();
    let text: Vec<String> = text.filter(|part| !part.is_empty()).collect();
    Some(error_in_words(text.join(": ")))
}

fn of_span(span: &SpanLine) -> Option<Meaning> {
    let error = span.field("error");
    let status: Option<u16> =
        span.field("http.response.status_code").and_then(|code| code.parse().ok());
    if span.name == "starting agent" {
        let version = span.field("app.version").or_else(|| span.field("version"));
        return Some(Meaning::StartingAgent { version: version.map(str::to_owned) });
    }
    // A claim shows in three spans: the call, what made it, and the loop round both.
    let is_claim = span.name == "claim"
        || span.name.ends_with("/runner/claim")
        || span.name.starts_with("worker loop: claim");
    // A task's own calls carry the task's token: only these two carry the runner's.
    let is_ours = is_claim || span.name.ends_with("/tasks/download");
    if error.is_some_and(refuses_token) || (is_ours && status == Some(401)) {
        let status = status.map(|status| format!("HTTP status {status}"));
        let text = error.map(str::to_owned).or(status).unwrap_or_default();
        return Some(Meaning::Unauthorized { text: format!("{}: {text}", span.name) });
    }
    let failed = error.is_some()
        || span.field("result") == Some("error")
        || status.is_some_and(|status| status >= 400);
    let succeeded = span.field("result") == Some("success")
        || status.is_some_and(|status| (200..300).contains(&status));
    match (is_claim, failed) {
        (true, true) => Some(Meaning::ClaimFailed { status, error: error.map(str::to_owned) }),
        (true, false) => succeeded.then_some(Meaning::ClaimOk),
        (false, _) => {
            error.map(|error| Meaning::AgentError { text: format!("{}: {error}", span.name) })
        }
    }
}

fn of_text(text: &str) -> Option<Meaning> {
    if refuses_token(text) {
        return Some(Meaning::Unauthorized { text: text.to_owned() });
    }
    // logrus as launch-agent 1.x wrote it, kong's usage errors, Go's panics.
    let begins = ["ERRO[", "FATA[", "PANI[", "panic: ", "fatal error: ", "error: ", "Error: "];
    let is_error = begins.iter().any(|begin| text.starts_with(begin)) || text.contains(": error: ");
    (is_error && text.contains("error claiming task"))
        .then(|| Meaning::ClaimFailed { status: None, error: Some(text.to_owned()) })
        .or_else(|| is_error.then(|| Meaning::AgentError { text: text.to_owned() }))
}

fn error_in_words(text: String) -> Meaning {
    if refuses_token(&text) { Meaning::Unauthorized { text } } else { Meaning::AgentError { text } }
}

/// Whether the words are those of a refused token: "invalid bearer token (401-Unauthorized)" is
/// launch-agent 1.x's; machine runner 3's are not documented.
fn refuses_token(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let says = |words: &str| text.contains(words);
    says("invalid bearer token")
        || says("invalid token")
        || (says("401") && says("unauthorized"))
        || says("status code 401")
        || says("status_code=401")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Vec<Meaning> {
        meanings(&crate::parse(line.as_bytes()))
    }

    #[test]
    fn a_refused_token_is_told_in_every_wording() {
        for line in [
            r#"ERRO[0151] error running task  error="unexpected error claiming task: server supplied detail: invalid bearer token (401-Unauthorized)""#,
            "06:00:08 a8093 22.9ms POST /api/v3/runner/claim error=unexpected status code 401 http.response.status_code=401 result=error",
            "06:00:08 a8093 22.9ms claim http.response.status_code=401",
            "06:00:08 a8093 1ms GET /api/v2/tasks/download error=401 Unauthorized result=error",
            r#"{"level":"error","msg":"claim failed","error":"invalid token"}"#,
            r#"{"name":"POST /api/v3/runner/claim","duration_ms":2.5,"http.response.status_code":401}"#,
            "circleci-runner: error: invalid token",
        ] {
            assert!(
                matches!(of(line)[..], [Meaning::Unauthorized { .. }]),
                "{line}: {:?}",
                of(line)
            );
        }
    }

    #[test]
    fn a_task_s_own_refusals_are_not_the_token_s() {
        let line = "06:00:08 a8093 2ms POST /api/v2/step/start http.response.status_code=401";
        assert_eq!(of(line), []);
        let line = r#"{"level":"error","msg":"push","error":"invalid token","task-id":"t-1"}"#;
        assert!(matches!(of(line)[..], [Meaning::TaskSeen { .. }]));
    }

    #[test]
    fn a_claim_is_ok_or_failed_only_when_the_line_says_so() {
        assert_eq!(
            of("06:00:08 a8093 2ms claim app.loop_name=claim: result=success"),
            [Meaning::ClaimOk]
        );
        let line = "06:00:08 a8093 2ms POST /api/v3/runner/claim http.response.status_code=204";
        assert_eq!(of(line), [Meaning::ClaimOk]);
        let line =
            "06:00:08 a8093 2ms claim error=dial tcp: lookup runner.circleci.com: no such host";
        let error = Some("dial tcp: lookup runner.circleci.com: no such host".to_owned());
        assert_eq!(of(line), [Meaning::ClaimFailed { status: None, error }]);
        let line = "06:00:08 a8093 2ms claim http.response.status_code=503 result=error";
        assert_eq!(of(line), [Meaning::ClaimFailed { status: Some(503), error: None }]);
        assert_eq!(
            of("06:00:08 a8093 23.028ms claim app.loop_name=claim:  mode=agent result>"),
            []
        );
    }

    #[test]
    fn steps_are_told_with_what_is_known_of_them() {
        let line = r#"{"msg":"step end","step":99,"step_type":"run","exit_code":"3","result":"failed","duration":29}"#;
        let expected = Meaning::StepEnded {
            step_type: Some("run".to_owned()),
            step: Some("99".to_owned()),
            exit_code: Some(3),
            result: Some("failed".to_owned()),
            duration: Some(29.0),
        };
        assert_eq!(of(line), [expected]);
        assert_eq!(
            of(r#"{"msg":"step start","step_type":{"new":"shape"},"step-id":null}"#),
            [Meaning::StepStarted { step_type: None, step: None }]
        );
    }

    #[test]
    fn errors_of_the_agent_keep_its_words() {
        for line in [
            "panic: runtime error",
            "FATA[0001] no config",
            "circleci-runner: error: missing flags",
        ] {
            assert_eq!(of(line), [Meaning::AgentError { text: line.to_owned() }]);
        }
        assert_eq!(of("an ordinary line about no error"), []);
    }
}
