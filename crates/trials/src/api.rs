//! The product's own client of the local API, for tests that are not asynchronous.

use std::future::Future;

use client::{Client, ClientError, Detail, HistoryQuery};
use jiff::SignedDuration;
use protocol::{
    FinishedTask, Health, Pause, Runner, RunnerName, RunnerSpec, SetToken, SetUp, Snapshot, TaskId,
    TokenStore,
};
use tokio::runtime::Runtime;

use crate::{Circle, Place};

pub struct Api {
    client: Client,
    runtime: Runtime,
}

impl Api {
    /// Whether a supervisor runs or not; each call is a connection of its own.
    pub fn of(place: &Place) -> Self {
        let socket = place.folders().socket().expect("the path of the socket");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Self {
            client: Client::connect(socket).expect("a client that has not called yet"),
            runtime: runtime.expect("a runtime"),
        }
    }

    /// What the client's call comes to.
    pub fn call<T>(
        &self,
        call: impl AsyncFnOnce(&Client) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        self.block_on(call(&self.client))
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    pub fn health(&self) -> Result<Health, ClientError> {
        self.call(async |client| client.health().await)
    }

    pub fn snapshot(&self) -> Result<Snapshot, ClientError> {
        self.call(async |client| client.snapshot(Detail::Plain).await)
    }

    /// The runner of that name as the snapshot shows it; nothing while the supervisor is away.
    pub fn runner(&self, name: &str) -> Option<Runner> {
        let runners = self.snapshot().ok()?.runners;
        runners.into_iter().find(|runner| runner.name.as_str() == name)
    }

    /// Sets a runner up with its token in a file.
    pub fn set_up(&self, circle: &Circle, class: &str, name: &str) -> Result<(), ClientError> {
        let wish = SetUp {
            spec: RunnerSpec {
                resource_class: class.parse().expect("a resource class"),
                working_directory: None,
                api_url: Some(circle.url().to_owned()),
                releases_url: Some(format!("{}/releases", circle.url())),
                job_user: None,
                token_store: TokenStore::File.into(),
            },
            token: Some(SetToken(circle.token(class))),
        };
        self.call(async |client| client.set_up(&named(name), &wish).await).map(drop)
    }

    pub fn pause(&self, name: &str) -> Result<(), ClientError> {
        self.call(async |client| client.pause(&named(name), &Pause::default()).await)
    }

    pub fn pause_for(&self, name: &str, time: SignedDuration) -> Result<(), ClientError> {
        let until = crate::clock::now().checked_add(time).ok();
        let pause = Pause { until, note: None };
        self.call(async |client| client.pause(&named(name), &pause).await)
    }

    pub fn resume(&self, name: &str) -> Result<(), ClientError> {
        self.call(async |client| client.resume(&named(name)).await)
    }

    pub fn cancel(&self, name: &str, task: &TaskId) -> Result<(), ClientError> {
        self.call(async |client| client.cancel(&named(name), task).await)
    }

    /// The newest page of the history.
    pub fn history(&self) -> Result<Vec<FinishedTask>, ClientError> {
        let page = self.call(async |client| client.history(HistoryQuery::default()).await);
        page.map(|page| page.tasks)
    }

    /// All of the history, newest first.
    pub fn whole_history(&self) -> Result<Vec<FinishedTask>, ClientError> {
        let mut all = Vec::new();
        let mut before = None;
        loop {
            let query = HistoryQuery { before: before.as_ref(), ..HistoryQuery::default() };
            let page = self.call(async |client| client.history(query).await)?;
            all.extend(page.tasks);
            before = page.before;
            if before.is_none() {
                return Ok(all);
            }
        }
    }
}

fn named(name: &str) -> RunnerName {
    name.parse().expect("a runner's name")
}
