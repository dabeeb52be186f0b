//! `GET /v1/doctor?reach=`: what is well and what is not about this machine, as the supervisor's own
//! environment has it.

use axum::Json;
use protocol::Findings;
use serde::Deserialize;

use super::asked::Query;
use super::refusal::Refused;

#[derive(Deserialize)]
pub(crate) struct Asked {
    /// Addresses with spaces between them, in place of CircleCI's own.
    #[serde(default)]
    reach: String,
}

pub(crate) async fn doctor(Query(asked): Query<Asked>) -> Result<Json<Findings>, Refused> {
    let reach: Vec<String> = asked.reach.split_whitespace().map(str::to_owned).collect();
    Ok(Json(crate::doctor::by_child(&reach).await?))
}
