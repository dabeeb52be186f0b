//! A token that is created for a runner and stored as its own, so that nobody sees it. Where it cannot
//! be stored it is deleted again: a token that nobody has is a key under the mat.

use circleci::{CreatedToken, Namespace};
use host::Folders;
use protocol::{ApiError, ProblemCode, RunnerName};

use crate::api::{Api, refusal};
use crate::hold::hold;
use crate::input::Registered;
use crate::token;
use crate::user_calls::told_of_change;

/// A store that cannot be opened is told before anything is created.
pub(crate) async fn check_store(
    runner: &RunnerName,
    known: &Registered,
    folders: &Folders,
) -> Result<(), ApiError> {
    match token::get(runner, &known.token_place(), folders).await {
        Ok(_) => Ok(()),
        Err(problem) if problem.code == ProblemCode::TokenMissing => Ok(()),
        Err(problem) => {
            Err(refusal::error(409, "token-not-stored", problem.summary, &problem.hint))
        }
    }
}

pub(crate) async fn create(
    api: &Api,
    namespace: &Namespace<'_>,
    known: &Registered,
    nickname: &str,
) -> Result<CreatedToken, ApiError> {
    let class = known.resource_class.as_str();
    let created = namespace.create_token(class, nickname).await.map_err(told_of_change)?;
    hold(&api.folders, "token-created");
    Ok(created)
}

/// On disk when this returns; the settings do not name it yet. The caller holds `api.tokens`.
pub(crate) async fn store(
    api: &Api,
    runner: &RunnerName,
    namespace: &Namespace<'_>,
    known: &Registered,
    created: CreatedToken,
) -> Result<(), ApiError> {
    let CreatedToken { token: listed, secret } = created;
    if let Err(refused) = token::set(runner, &known.token_place(), &api.folders, secret).await {
        let (class, id) = (known.resource_class.as_str(), listed.id);
        if let Err(error) = namespace.delete_token(class, &id).await {
            tracing::warn!(%runner, id, %error, "a token that could not be stored is left");
        }
        return Err(refused);
    }
    hold(&api.folders, "token-stored");
    Ok(())
}
