//! CircleCI's user API as the local API's calls use it: which server is asked, and its errors as
//! refusals. A personal token is here for one call and then forgotten.

use std::collections::BTreeMap;

use circleci::{Namespace, UserApi, UserApiError};
use protocol::{ApiError, PersonalToken, ResourceClass, RunnerName};

use crate::api::refusal;
use crate::input::{Registered, Token};

/// The named server, or the one that all runners of this machine belong to.
pub(crate) fn server(
    token: PersonalToken,
    api_url: Option<&str>,
    runners: &BTreeMap<RunnerName, Registered>,
) -> Result<UserApi, ApiError> {
    let mut known: Vec<&str> = runners.values().map(|runner| runner.api_url.as_str()).collect();
    known.sort_unstable();
    known.dedup();
    let url = match (api_url, known.as_slice()) {
        (Some(named), _) => named,
        (None, []) => circleci::API_URL,
        (None, [only]) => only,
        (None, several) => {
            return Err(refusal::bad_request(
                format!("The runners here belong to several servers: {}.", several.join(", ")),
                "Name the one you mean: --api-url URL",
            ));
        }
    };
    at(url, token)
}

pub(crate) fn at(url: &str, PersonalToken(token): PersonalToken) -> Result<UserApi, ApiError> {
    UserApi::at(url, Token::from(token)).map_err(told)
}

/// The namespace of a class, which is in it.
pub(crate) async fn namespace_with<'a>(
    server: &'a UserApi,
    class: &ResourceClass,
) -> Result<Namespace<'a>, ApiError> {
    let namespace = server.namespace(namespace_of(class)).await.map_err(told)?;
    namespace.class(class.as_str()).map_err(told)?;
    Ok(namespace)
}

pub(crate) fn namespace_of(class: &ResourceClass) -> &str {
    class.as_str().split('/').next().unwrap_or_default()
}

/// The refusal of a call that only looked.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn told(error: UserApiError) -> ApiError {
    let (status, code) = named(&error);
    refusal::error(status, code, error.to_string(), &error.way_out())
}

/// The refusal of a call that was to change something: it may have done so.
pub(crate) fn told_of_change(error: UserApiError) -> ApiError {
    let unsure = error.leaves_unsure();
    let mut told = told(error);
    if unsure {
        told.hint.push_str(" It may have been done all the same: look before you ask again.");
    }
    told
}

/// Status and code of the local API; clients branch on the code.
fn named(error: &UserApiError) -> (u16, &'static str) {
    match error {
        UserApiError::Address(_) | UserApiError::NoToken => (400, "bad-request"),
        UserApiError::OrganisationNeeded { .. } => (400, "organisation-needed"),
        UserApiError::TokenRefused { .. } => (403, "personal-token-refused"),
        UserApiError::NotAllowed { .. } => (403, "not-allowed-there"),
        UserApiError::NotVisible { .. } => (404, "not-visible-there"),
        UserApiError::NoSuchToken { .. } => (404, "no-such-token"),
        UserApiError::HasTokens { .. } => (409, "class-has-tokens"),
        UserApiError::AlreadyExists { .. } => (409, "class-exists"),
        UserApiError::TooManyCalls { .. } => (429, "too-many-calls"),
        UserApiError::Trouble { .. } => (502, "circleci-has-trouble"),
        UserApiError::Refused { .. } | UserApiError::NotUnderstood { .. } => {
            (502, "circleci-not-understood")
        }
        UserApiError::Unreachable { .. } => (502, "circleci-unreachable"),
        UserApiError::TimedOut { .. } => (504, "circleci-silent"),
    }
}
