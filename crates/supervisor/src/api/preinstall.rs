//! Calls about what jobs need: the catalogue, checks, plans, installations, reports, lists of packages,
//! and the PATH of jobs.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use protocol::{
    AskExport, AskImport, AskPreinstall, JobPath, Preinstall, PreinstallChecked, PreinstallExport,
    PreinstallImport, PreinstallOutput, PreinstallPlan, RunnerName, SetJobPath, SoftwareReport,
    StartPreinstall,
};
use serde::Deserialize;

use super::Api;
use super::asked::{Body, Path, Query};
use super::refusal::{self, Refused};
use crate::input::{Input, Reply};
use crate::preinstall::PreinstallCall;

type Answer<T> = Result<Json<T>, Refused>;
type Done = Result<StatusCode, Refused>;

impl Api {
    async fn preinstall<T>(
        &self,
        call: impl FnOnce(Reply<T>) -> PreinstallCall,
    ) -> Result<T, Refused> {
        Ok(self.to_loop.ask(|reply| Input::Preinstall(call(reply))).await?)
    }
}

pub(crate) async fn list(State(api): State<Api>) -> Answer<Preinstall> {
    Ok(Json(api.preinstall(PreinstallCall::List).await?))
}

pub(crate) async fn check(
    State(api): State<Api>,
    Body(asked): Body<AskPreinstall>,
) -> Answer<PreinstallChecked> {
    Ok(Json(api.preinstall(|reply| PreinstallCall::Check(asked, reply)).await?))
}

pub(crate) async fn plan(
    State(api): State<Api>,
    Body(asked): Body<AskPreinstall>,
) -> Answer<PreinstallPlan> {
    Ok(Json(api.preinstall(|reply| PreinstallCall::Plan(asked, reply)).await?))
}

/// Answered once it has begun.
pub(crate) async fn install(State(api): State<Api>, Body(asked): Body<StartPreinstall>) -> Done {
    api.preinstall(|reply| PreinstallCall::Start(asked, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn cancel(State(api): State<Api>) -> Done {
    api.preinstall(PreinstallCall::Cancel).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
pub(crate) struct OutputQuery {
    #[serde(default)]
    from: u64,
}

pub(crate) async fn output(
    State(api): State<Api>,
    Query(OutputQuery { from }): Query<OutputQuery>,
) -> Answer<PreinstallOutput> {
    let output = api.preinstall(PreinstallCall::Output).await?;
    match tokio::task::spawn_blocking(move || output.page(from)).await {
        Ok(Ok(page)) => Ok(Json(page)),
        Ok(Err(error)) => Err(refusal::failed(&error.to_string()).into()),
        Err(error) => Err(refusal::failed(&error.to_string()).into()),
    }
}

#[derive(Deserialize)]
pub(crate) struct ReportQuery {
    runner: Option<RunnerName>,
}

pub(crate) async fn report(
    State(api): State<Api>,
    Query(ReportQuery { runner }): Query<ReportQuery>,
) -> Answer<SoftwareReport> {
    Ok(Json(api.preinstall(|reply| PreinstallCall::Report(runner, reply)).await?))
}

pub(crate) async fn export(
    State(api): State<Api>,
    Body(asked): Body<AskExport>,
) -> Answer<PreinstallExport> {
    Ok(Json(api.preinstall(|reply| PreinstallCall::Export(asked, reply)).await?))
}

pub(crate) async fn import(
    State(api): State<Api>,
    Body(asked): Body<AskImport>,
) -> Answer<PreinstallImport> {
    Ok(Json(api.preinstall(|reply| PreinstallCall::Import(asked, reply)).await?))
}

pub(crate) async fn path(State(api): State<Api>, Path(name): Path<RunnerName>) -> Answer<JobPath> {
    Ok(Json(api.preinstall(|reply| PreinstallCall::Path(name, reply)).await?))
}

pub(crate) async fn set_path(
    State(api): State<Api>,
    Path(name): Path<RunnerName>,
    Body(SetJobPath { first }): Body<SetJobPath>,
) -> Done {
    api.preinstall(|reply| PreinstallCall::SetPath(name, first, reply)).await?;
    Ok(StatusCode::NO_CONTENT)
}
