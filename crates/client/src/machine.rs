//! Calls about the whole machine: preferences, what comes after the task, notices, days and hours of the
//! history, a user for jobs, a pipeline to begin with.

use jiff::civil::Date;
use protocol::{
    AfterTaskAct, CheckJobUser, ConfigText, HistorySpans, JobUserCheck, Notices, Preferences,
    PreferencesChange, RunnerName, SeenNotices, WantAfterTask,
};
use reqwest::Method;

use crate::{Client, ClientError};

impl Client {
    pub async fn preferences(&self) -> Result<Preferences, ClientError> {
        self.get("preferences", &[]).await
    }

    /// Changes what `change` names, and gives all as they are then.
    pub async fn prefer(&self, change: &PreferencesChange) -> Result<Preferences, ClientError> {
        self.ask_by(Method::PUT, "preferences", change).await
    }

    /// From now on nothing is claimed, and when no task runs any more this is done, once.
    pub async fn after_task(&self, act: AfterTaskAct) -> Result<(), ClientError> {
        self.wish(Method::PUT, "after-task", Some(&WantAfterTask { act })).await
    }

    /// Nothing comes after the task; a refusal that was told is forgotten.
    pub async fn forget_after_task(&self) -> Result<(), ClientError> {
        self.wish(Method::DELETE, "after-task", None::<&()>).await
    }

    /// Those after `since`, a notice's id, the newest first; at most 200.
    pub async fn notices(&self, since: u64, limit: Option<u32>) -> Result<Notices, ClientError> {
        let mut pairs = vec![("since", since.to_string())];
        pairs.extend(limit.map(|limit| ("limit", limit.to_string())));
        self.get("notices", &pairs).await
    }

    /// The owner has seen all up to this one.
    pub async fn seen_notices(&self, up_to: u64) -> Result<(), ClientError> {
        self.wish(Method::PUT, "notices/seen", Some(&SeenNotices { up_to })).await
    }

    /// Each day from `from` to `to`, both included; `tz` is an IANA name.
    pub async fn history_days(
        &self,
        from: Date,
        to: Date,
        tz: Option<&str>,
        runner: Option<&RunnerName>,
    ) -> Result<HistorySpans, ClientError> {
        let mut pairs = vec![("from", from.to_string()), ("to", to.to_string())];
        pairs.extend(tz.map(|tz| ("tz", tz.to_owned())));
        pairs.extend(runner.map(|runner| ("runner", runner.to_string())));
        self.get("history/days", &pairs).await
    }

    /// Each hour of one day.
    pub async fn history_hours(
        &self,
        day: Date,
        tz: Option<&str>,
        runner: Option<&RunnerName>,
    ) -> Result<HistorySpans, ClientError> {
        let mut pairs = vec![("day", day.to_string())];
        pairs.extend(tz.map(|tz| ("tz", tz.to_owned())));
        pairs.extend(runner.map(|runner| ("runner", runner.to_string())));
        self.get("history/hours", &pairs).await
    }

    /// Whether jobs can run as this user, and what an admin does where they cannot. Changes nothing.
    pub async fn check_job_user(&self, user: &str) -> Result<JobUserCheck, ClientError> {
        self.ask("job-user/check", &CheckJobUser { user: user.to_owned() }).await
    }

    /// A pipeline that sends a job to this runner.
    pub async fn snippet(&self, name: &RunnerName) -> Result<ConfigText, ClientError> {
        self.get(&format!("runners/{name}/snippet"), &[]).await
    }
}
