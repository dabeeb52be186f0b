//! Wishes about the whole machine, whatever its runners are.

use protocol::{
    AfterTaskAct, CheckJobUser, HistorySpans, JobUserCheck, Notices, Preferences,
    PreferencesChange, RunnerName, SeenNotices, WantAfterTask,
};
use reqwest::Method;

use crate::{Client, ClientError};

impl Client {
    /// What is to happen once no task runs any more; no runner claims one from then on.
    pub async fn after_task(&self, act: AfterTaskAct) -> Result<(), ClientError> {
        self.wish(Method::PUT, "after-task", Some(&WantAfterTask { act })).await
    }

    /// Takes back what was to happen.
    pub async fn nothing_after_task(&self) -> Result<(), ClientError> {
        self.wish(Method::DELETE, "after-task", None::<&()>).await
    }

    /// What the change does not name stays; answers with what is so then.
    pub async fn change_preferences(
        &self,
        change: &PreferencesChange,
    ) -> Result<Preferences, ClientError> {
        self.put("preferences", change).await
    }

    /// What was told, newer than `since` where that is given, the newest first.
    pub async fn notices(
        &self,
        since: Option<u64>,
        limit: Option<u32>,
    ) -> Result<Notices, ClientError> {
        let mut pairs = Vec::new();
        pairs.extend(since.map(|since| ("since", since.to_string())));
        pairs.extend(limit.map(|limit| ("limit", limit.to_string())));
        self.get("notices", &pairs).await
    }

    /// The owner has seen all up to this id.
    pub async fn saw_notices(&self, up_to: u64) -> Result<(), ClientError> {
        self.wish(Method::PUT, "notices/seen", Some(&SeenNotices { up_to })).await
    }

    /// Whether jobs can run as this user; changes nothing.
    pub async fn check_job_user(&self, user: &str) -> Result<JobUserCheck, ClientError> {
        self.ask("job-user/check", &CheckJobUser { user: user.to_owned() }).await
    }

    /// Each local day, `2026-11-24`, from the one to the other, both included; `tz` is an IANA name,
    /// and without it the supervisor's own zone.
    pub async fn history_days(
        &self,
        from: &str,
        to: &str,
        tz: Option<&str>,
        runner: Option<&RunnerName>,
    ) -> Result<HistorySpans, ClientError> {
        let mut pairs = vec![("from", from.to_owned()), ("to", to.to_owned())];
        pairs.extend(of_whom(tz, runner));
        self.get("history/days", &pairs).await
    }

    /// Each hour of one local day.
    pub async fn history_hours(
        &self,
        day: &str,
        tz: Option<&str>,
        runner: Option<&RunnerName>,
    ) -> Result<HistorySpans, ClientError> {
        let mut pairs = vec![("day", day.to_owned())];
        pairs.extend(of_whom(tz, runner));
        self.get("history/hours", &pairs).await
    }
}

fn of_whom(tz: Option<&str>, runner: Option<&RunnerName>) -> Vec<(&'static str, String)> {
    let tz = tz.map(|tz| ("tz", tz.to_owned()));
    tz.into_iter().chain(runner.map(|runner| ("runner", runner.to_string()))).collect()
}
