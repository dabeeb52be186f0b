//! Has the supervisor do what a call says, and gives back its answer. It keeps nothing of a call.

use std::path::PathBuf;

use client::{Client, Detail, HistoryQuery, LogQuery, LogSearchQuery};
use host::Folders;
use protocol::{
    AskPlan, Asked, CarryOut, CreateClass, CreateOwnToken, DeleteToken, OfClass, OfNamespace,
    Pause, PersonalToken, PreinstallAskedBy, Rotate, SetToken, SetUp, StartPreinstall,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;

use crate::call::Call;
use crate::controller::Happened;
use crate::link::News;
use crate::links;
use crate::login;
use crate::reply::{Refusal, Reply};

/// What calls need besides what they say.
#[derive(Clone)]
pub(crate) struct Hands {
    pub(crate) client: Client,
    /// What the doctor finds is told there too.
    pub(crate) news: News,
    pub(crate) folders: Folders,
    /// Opens an address that may be opened.
    pub(crate) open: fn(&str) -> Result<(), String>,
}

/// `AboutHere` in `ui/src/answers.ts`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub(crate) struct About {
    host: String,
    user: String,
    home: PathBuf,
    platform: String,
    app_version: String,
    settings_file: PathBuf,
}

impl Hands {
    pub(crate) async fn carry_out(&self, call: Call) -> Reply {
        self.answer(call).await.into()
    }

    async fn answer(&self, call: Call) -> Result<Value, Refusal> {
        let client = &self.client;
        match call {
            Call::About => given(self.about()),
            Call::Login => given(login::login().await),
            Call::SetLogin { supervisor, app } => {
                given(login::set_login(&self.folders, supervisor, app).await?)
            }
            Call::AllowNotifications => given(allow_notifications().await?),
            Call::OpenDoc { page } => self.open(page.address()),
            Call::OpenLink { link } => {
                // A lost supervisor's servers are not known, but CircleCI's own pages are.
                let servers = client.snapshot(Detail::Plain).await.map(|it| links::servers(&it));
                let page = links::page(&link, &servers.unwrap_or_default())?;
                self.open(page.as_str())
            }

            Call::History { runner, result, project, since, until, before, limit } => {
                let (runner, project, before) =
                    (runner.as_ref(), project.as_deref(), before.as_ref());
                let query = HistoryQuery { runner, result, project, since, until, before, limit };
                given(client.history(query).await?)
            }
            Call::Logs { runner, run, from, before, lines, limit, wait } => {
                let (run, from, before) = (run.as_ref(), from.as_deref(), before.as_deref());
                let query = LogQuery { run, from, before, lines, limit, wait };
                given(client.logs(&runner, query).await?)
            }
            Call::SearchLogs { runner, word, run, from, limit } => {
                let (word, run, from) = (word.as_str(), run.as_ref(), from.as_deref());
                let query = LogSearchQuery { word, run, from, limit };
                given(client.search_logs(&runner, query).await?)
            }
            Call::HistoryDays { from, to, tz, runner } => {
                given(client.history_days(from, to, Some(&tz), runner.as_ref()).await?)
            }
            Call::HistoryHours { day, tz, runner } => {
                given(client.history_hours(day, Some(&tz), runner.as_ref()).await?)
            }
            Call::Notices { since, limit } => {
                given(client.notices(since.unwrap_or(0), limit).await?)
            }
            Call::Doctor => {
                let found = client::findings(Some(client), &[])
                    .await
                    .map_err(|error| unexamined(&error))?;
                let _ = self.news.send(Happened::Examined(found.clone()));
                given(found)
            }
            Call::Agents => given(client.agents().await?),
            Call::AgentConfig { runner } => given(client.config(&runner).await?),
            Call::Snippet { runner } => given(client.snippet(&runner).await?),
            Call::WorkDirs { runner, measure } => {
                given(client.work_dirs(runner.as_ref(), measure).await?)
            }
            Call::Presets => given(client.presets().await?),
            Call::CleanupReceipts { before, limit } => {
                given(client.cleanup_receipts(before, limit).await?)
            }

            Call::SetPreferences { change } => given(client.prefer(&change).await?),
            Call::AfterTask { act } => given(client.after_task(act).await?),
            Call::ForgetAfterTask => given(client.forget_after_task().await?),
            Call::SawNotices { up_to } => given(client.seen_notices(up_to).await?),
            Call::NeverDelete { id, never_delete } => {
                given(client.never_delete(id, never_delete).await?)
            }
            Call::ChangePreset { id, change } => given(client.change_preset(&id, &change).await?),
            Call::PlanCleanup { presets, directories, runner } => {
                given(client.plan_cleanup(&AskPlan { presets, directories, runner }).await?)
            }
            Call::CleanUp { plan, presets } => {
                given(client.clean_up(&CarryOut { plan, presets }).await?)
            }
            Call::StopCleanup => given(client.stop_cleanup().await?),
            Call::UndoCleanup { receipt } => given(client.undo_cleanup(receipt).await?),

            Call::Preinstall => given(client.preinstall().await?),
            Call::CheckPreinstall(asked) => given(client.check_preinstall(&asked).await?),
            Call::PlanPreinstall(asked) => given(client.plan_preinstall(&asked).await?),
            Call::StartPreinstall { plan } => {
                let asked = StartPreinstall { plan, asked_by: PreinstallAskedBy::App };
                given(client.start_preinstall(&asked).await?)
            }
            Call::CancelPreinstall => given(client.cancel_preinstall().await?),
            Call::PreinstallOutput { from } => given(client.preinstall_output(from).await?),
            Call::OpenItemLink { item } => {
                let known = client.preinstall().await?;
                self.open(links::of_item(&known, &item)?.as_str())
            }
            Call::JobPath { runner } => given(client.job_path(&runner).await?),
            Call::SetJobPath { runner, first } => given(client.set_job_path(&runner, first).await?),

            Call::SetUp { runner, config, token } => {
                let token = token.as_ref().map(resource_class_token);
                given(client.set_up(&runner, &SetUp { spec: config, token }).await?)
            }
            Call::Remove { runner } => given(client.remove(&runner).await?),
            Call::CheckJobUser { user } => given(client.check_job_user(&user).await?),
            Call::SetToken { runner, token } => {
                given(client.set_token(&runner, &resource_class_token(&token)).await?)
            }
            Call::ForgetToken { runner } => given(client.forget_token(&runner).await?),
            Call::MoveToken { runner, to } => given(client.move_token(&runner, to).await?),
            Call::Pause { runner, until, note } => {
                given(client.pause(&runner, &Pause { until, note }).await?)
            }
            Call::CancelTask { runner, task } => given(client.cancel(&runner, &task).await?),
            Call::Install { runner } => given(client.install(&runner).await?),
            Call::StopInstall { runner } => given(client.stop_install(&runner).await?),
            Call::StopSupervisor => given(client.stop().await?),

            Call::ListClasses { personal_token, api_url, namespace } => {
                let ask = asked(&personal_token, api_url, OfNamespace { namespace });
                given(client.list_classes(&ask).await?)
            }
            Call::CreateClass { personal_token, api_url, resource_class, description, org_id } => {
                let class = CreateClass { resource_class, description, org_id };
                given(client.create_class(&asked(&personal_token, api_url, class)).await?)
            }
            Call::ListTokens { personal_token, api_url, resource_class } => {
                let ask = asked(&personal_token, api_url, OfClass { resource_class });
                given(client.list_tokens(&ask).await?)
            }
            Call::DeleteToken { personal_token, api_url, resource_class, id, force } => {
                let token = DeleteToken { resource_class, id, force };
                given(client.delete_token(&asked(&personal_token, api_url, token)).await?)
            }
            Call::CreateToken { personal_token, runner, nickname } => {
                let ask = asked(&personal_token, None, CreateOwnToken { nickname });
                given(client.create_own_token(&runner, &ask).await?)
            }
            Call::Rotate { personal_token, runner, old_token, keep_old } => {
                let ask = asked(&personal_token, None, Rotate { old_token, keep_old });
                given(client.rotate(&runner, &ask).await?)
            }
            Call::Rotation { runner, wait } => given(client.rotation(&runner, wait).await?),
        }
    }

    fn about(&self) -> About {
        let account = host::Account::mine().ok().flatten();
        let (user, home) = account.map(|it| (it.user, it.home)).unwrap_or_default();
        About {
            host: host::machine_name(),
            user,
            home,
            platform: std::env::consts::OS.to_owned(),
            app_version: env!("CARGO_PKG_VERSION").to_owned(),
            settings_file: self.folders.settings_file(),
        }
    }

    fn open(&self, address: &str) -> Result<Value, Refusal> {
        (self.open)(address).map_err(|error| {
            let title = "The browser could not be opened.";
            Refusal::failed(title, &error, &format!("Open it by hand: {address}"))
        })?;
        Ok(Value::Null)
    }
}

/// `Allowed` in `ui/src/answers.ts`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub(crate) struct Allowed {
    allowed: bool,
}

/// It may wait for the owner as long as he likes, so it keeps nobody else waiting.
async fn allow_notifications() -> Result<Allowed, Refusal> {
    let asked = tokio::task::spawn_blocking(host::notification::may_be_shown).await;
    let asked = asked.map_err(|error| error.to_string()).flatten();
    let allowed = asked.map_err(|error| {
        let title = "The system could not be asked whether notifications may be shown.";
        Refusal::failed(title, &error, "Look at Runner Tray in the system's settings for them.")
    })?;
    Ok(Allowed { allowed })
}

fn given(answer: impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(answer).map_err(|error| {
        Refusal::failed("The answer could not be handed on.", &error, "Look at it in a terminal.")
    })
}

fn asked<T>(personal_token: &SecretString, api_url: Option<String>, ask: T) -> Asked<T> {
    let personal_token = PersonalToken(personal_token.expose_secret().to_owned());
    Asked { personal_token, api_url, ask }
}

fn resource_class_token(token: &SecretString) -> SetToken {
    SetToken(token.expose_secret().to_owned())
}

fn unexamined(error: &client::ExamineError) -> Refusal {
    let hint = "Run runnerctl doctor in a terminal.";
    Refusal::failed("This machine could not be looked at.", error, hint)
}
