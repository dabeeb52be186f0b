//! One method for each call of the local API; a method never says more than its one request.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use protocol::{
    AgentRelease, ApiError, CancelTask, ConfigText, Health, HistoryPage, LogPage, LogSearch,
    MoveToken, Outcome, Pause, RunId, RunnerName, SetToken, SetUp, SetUpDone, Snapshot, Stopping,
    TaskId, TokenStore,
};
use reqwest::{Method, Response, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ClientError;

/// Longer than anything the supervisor does before it answers; a keychain may take 10 s.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longer than the 25 s for which the supervisor holds a call that waits for more log, and than the 28 s
/// that it gives a doctor.
const HELD_PATIENCE: Duration = Duration::from_secs(40);

/// Longer than the supervisor waits for CircleCI: a few calls of 20 s each, and the keychain.
const CIRCLECI_PATIENCE: Duration = Duration::from_mins(3);

const CLEANUP_PATIENCE: Duration = Duration::from_hours(12);

/// How much a snapshot carries.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    #[default]
    Plain,
    /// With what each task's processes use, which the supervisor then has to measure.
    Usage,
}

/// Which part of the history is wanted; newest first.
#[derive(Debug, Default, Clone, Copy)]
pub struct HistoryQuery<'a> {
    pub runner: Option<&'a RunnerName>,
    pub result: Option<Outcome>,
    /// By its whole name.
    pub project: Option<&'a str>,
    /// That ended then or later.
    pub since: Option<Timestamp>,
    /// That ended before then.
    pub until: Option<Timestamp>,
    /// The `before` of the last page.
    pub before: Option<&'a TaskId>,
    /// In tasks.
    pub limit: Option<u32>,
}

/// Which part of an agent's log is wanted: one of `from`, `before` and `lines`, or else the last
/// there is.
#[derive(Debug, Default, Clone, Copy)]
pub struct LogQuery<'a> {
    /// This run and no other; absent: the newest, and from it on to others.
    pub run: Option<&'a RunId>,
    /// The `next` of the last page.
    pub from: Option<&'a str>,
    /// The `before` of the last page.
    pub before: Option<&'a str>,
    /// So many lines before the end, and on from there.
    pub lines: Option<u64>,
    /// In bytes.
    pub limit: Option<u32>,
    /// Where nothing more is written yet, wait for it (up to 25 s).
    pub wait: bool,
}

/// What is looked for in an agent's log.
#[derive(Debug, Clone, Copy)]
pub struct LogSearchQuery<'a> {
    /// In either case where it has no capital letter.
    pub word: &'a str,
    /// Absent: the newest.
    pub run: Option<&'a RunId>,
    /// The `next` of the last answer.
    pub from: Option<&'a str>,
    /// In lines.
    pub limit: Option<u32>,
}

/// A client of the supervisor behind one socket. Each call is a connection of its own.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) socket: PathBuf,
}

impl Client {
    /// Gets ready to call the supervisor behind `socket`; only the calls themselves connect.
    pub fn connect(socket: impl Into<PathBuf>) -> Result<Self, ClientError> {
        let socket = socket.into();
        let http = reqwest::Client::builder()
            .unix_socket(socket.as_path())
            // A supervisor may be started anew between two calls.
            .pool_max_idle_per_host(0)
            // Nothing here is TLS, so the system's certificates need not be read.
            .tls_certs_only([])
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| ClientError::of_request("the first call", &socket, &error))?;
        Ok(Self { http, socket })
    }

    pub fn socket(&self) -> &Path {
        &self.socket
    }

    pub async fn health(&self) -> Result<Health, ClientError> {
        self.get("health", &[]).await
    }

    pub async fn snapshot(&self, detail: Detail) -> Result<Snapshot, ClientError> {
        self.get("snapshot", &detail.query()).await
    }

    /// Makes the runner be as `wish` says; a second time it does nothing.
    pub async fn set_up(&self, name: &RunnerName, wish: &SetUp) -> Result<SetUpDone, ClientError> {
        json(self.send(Method::PUT, &format!("runners/{name}"), &[], Some(wish)).await?).await
    }

    /// Forgets the runner; refused while it is busy.
    pub async fn remove(&self, name: &RunnerName) -> Result<(), ClientError> {
        self.wish(Method::DELETE, &format!("runners/{name}"), None::<&()>).await
    }

    pub async fn set_token(&self, name: &RunnerName, token: &SetToken) -> Result<(), ClientError> {
        self.wish(Method::PUT, &format!("runners/{name}/token"), Some(token)).await
    }

    pub async fn forget_token(&self, name: &RunnerName) -> Result<(), ClientError> {
        self.wish(Method::DELETE, &format!("runners/{name}/token"), None::<&()>).await
    }

    /// Keeps the token in that store from now on, and takes it out of the other.
    pub async fn move_token(&self, name: &RunnerName, to: TokenStore) -> Result<(), ClientError> {
        let wish = MoveToken { to };
        self.wish(Method::PUT, &format!("runners/{name}/token/store"), Some(&wish)).await
    }

    pub async fn pause(&self, name: &RunnerName, pause: &Pause) -> Result<(), ClientError> {
        self.wish(Method::PUT, &format!("runners/{name}/pause"), Some(pause)).await
    }

    /// Clears the user's own pause and no other.
    pub async fn resume(&self, name: &RunnerName) -> Result<(), ClientError> {
        self.wish(Method::DELETE, &format!("runners/{name}/pause"), None::<&()>).await
    }

    /// Ends this task now. Only ever on the user's confirmed word.
    pub async fn cancel(&self, name: &RunnerName, task: &TaskId) -> Result<(), ClientError> {
        let wish = CancelTask { task: task.clone() };
        self.wish(Method::POST, &format!("runners/{name}/cancel"), Some(&wish)).await
    }

    /// Tries to install the runner's agent now, and not only when the supervisor would again.
    pub async fn install(&self, name: &RunnerName) -> Result<(), ClientError> {
        self.wish(Method::PUT, &format!("runners/{name}/install"), None::<&()>).await
    }

    /// Stops the download of the runner's agent until [`Self::install`].
    pub async fn stop_install(&self, name: &RunnerName) -> Result<(), ClientError> {
        self.wish(Method::DELETE, &format!("runners/{name}/install"), None::<&()>).await
    }

    pub async fn history(&self, query: HistoryQuery<'_>) -> Result<HistoryPage, ClientError> {
        let mut pairs = Vec::new();
        pairs.extend(query.runner.map(|runner| ("runner", runner.to_string())));
        pairs.extend(query.result.map(|result| ("result", result.as_str().to_owned())));
        pairs.extend(query.project.map(|project| ("project", project.to_owned())));
        pairs.extend(query.since.map(|since| ("since", since.to_string())));
        pairs.extend(query.until.map(|until| ("until", until.to_string())));
        pairs.extend(query.before.map(|before| ("before", before.to_string())));
        pairs.extend(query.limit.map(|limit| ("limit", limit.to_string())));
        self.get("history", &pairs).await
    }

    pub async fn logs(
        &self,
        name: &RunnerName,
        query: LogQuery<'_>,
    ) -> Result<LogPage, ClientError> {
        let mut pairs = Vec::new();
        pairs.extend(query.run.map(|run| ("run", run.to_string())));
        pairs.extend(query.from.map(|from| ("from", from.to_owned())));
        pairs.extend(query.before.map(|before| ("before", before.to_owned())));
        pairs.extend(query.lines.map(|lines| ("lines", lines.to_string())));
        pairs.extend(query.limit.map(|limit| ("limit", limit.to_string())));
        pairs.extend(query.wait.then(|| ("wait", "1".to_owned())));
        self.get(&format!("runners/{name}/logs"), &pairs).await
    }

    /// Lines with a word in them. An answer may be without any and yet not the last.
    pub async fn search_logs(
        &self,
        name: &RunnerName,
        query: LogSearchQuery<'_>,
    ) -> Result<LogSearch, ClientError> {
        let mut pairs = vec![("word", query.word.to_owned())];
        pairs.extend(query.run.map(|run| ("run", run.to_string())));
        pairs.extend(query.from.map(|from| ("from", from.to_owned())));
        pairs.extend(query.limit.map(|limit| ("limit", limit.to_string())));
        self.get(&format!("runners/{name}/logs/search"), &pairs).await
    }

    pub async fn agents(&self) -> Result<Vec<AgentRelease>, ClientError> {
        self.get("agents", &[]).await
    }

    pub async fn config(&self, name: &RunnerName) -> Result<ConfigText, ClientError> {
        self.get(&format!("runners/{name}/config"), &[]).await
    }

    /// Ends the supervisor; agents and tasks go on.
    pub async fn stop(&self) -> Result<Stopping, ClientError> {
        json(self.send(Method::POST, "stop", &[], None::<&()>).await?).await
    }

    pub(crate) async fn get<Answer: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<Answer, ClientError> {
        json(self.send(Method::GET, path, query, None::<&()>).await?).await
    }

    /// A call whose only answer is that it was done.
    pub(crate) async fn wish(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<(), ClientError> {
        self.send(method, path, &[], body).await.map(drop)
    }

    /// A call with a body and an answer.
    pub(crate) async fn ask<Answer: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Answer, ClientError> {
        self.ask_by(Method::POST, path, body).await
    }

    pub(crate) async fn ask_by<Answer: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Answer, ClientError> {
        json(self.send(method, path, &[], Some(body)).await?).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&impl Serialize>,
    ) -> Result<Answered, ClientError> {
        let call = format!("{method} /v1/{path}");
        let patience = patience(path);
        let mut request = self.http.request(method, url(path, query)).timeout(patience);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request
            .send()
            .await
            .map_err(|error| ClientError::of_request(&call, &self.socket, &error))?;
        accepted(&call, &self.socket, response).await.map(|response| Answered {
            call,
            socket: self.socket.clone(),
            response,
        })
    }
}

fn patience(path: &str) -> Duration {
    // A disk with millions of files takes its time, so do tools, and the snapshot tells how far it is.
    if ["cleanup", "workdirs", "preinstall"].iter().any(|begin| path.starts_with(begin)) {
        return CLEANUP_PATIENCE;
    }
    let asks_circleci = path.starts_with("circleci/")
        || ["/new-token", "/rotation"].iter().any(|end| path.ends_with(end));
    match (asks_circleci, path.ends_with("/logs") || path == "doctor") {
        (true, _) => CIRCLECI_PATIENCE,
        (false, true) => HELD_PATIENCE,
        (false, false) => PATIENCE,
    }
}

impl Detail {
    pub(crate) fn query(self) -> Vec<(&'static str, String)> {
        match self {
            Self::Plain => Vec::new(),
            Self::Usage => vec![("usage", "1".to_owned())],
        }
    }
}

/// An answer that is no refusal, and what is needed to tell what was wrong with it.
struct Answered {
    call: String,
    socket: PathBuf,
    response: Response,
}

async fn json<Answer: DeserializeOwned>(answered: Answered) -> Result<Answer, ClientError> {
    let Answered { call, socket, response } = answered;
    let body =
        response.bytes().await.map_err(|error| ClientError::of_request(&call, &socket, &error))?;
    serde_json::from_slice(&body)
        .map_err(|error| ClientError::Broken { call, why: format!("it is not as agreed: {error}") })
}

/// The response, or the refusal it carries.
pub(crate) async fn accepted(
    call: &str,
    socket: &Path,
    response: Response,
) -> Result<Response, ClientError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body =
        response.bytes().await.map_err(|error| ClientError::of_request(call, socket, &error))?;
    match serde_json::from_slice::<ApiError>(&body) {
        Ok(refused) => Err(ClientError::Refused(refused)),
        Err(_) => Err(ClientError::Broken {
            call: call.to_owned(),
            why: format!("status {status} without a reason; it may be of another version"),
        }),
    }
}

/// The address of a call; the host in it is never looked up.
pub(crate) fn url(path: &str, query: &[(&str, String)]) -> Url {
    let mut url = Url::parse("http://supervisor").expect("a constant");
    url.set_path(&format!("/v{}/{path}", protocol::API_VERSION));
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::url;

    #[test]
    fn whatever_a_query_holds_it_stays_one_value() {
        let url = url("history", &[("before", "a&limit=1 ä#".to_owned())]);
        assert_eq!(url.as_str(), "http://supervisor/v1/history?before=a%26limit%3D1+%C3%A4%23");
    }
}
