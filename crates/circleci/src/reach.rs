//! Whether a host can be reached as agents reach it, and what time it is there. Sends no credentials,
//! and never a claim: that could take a job.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::{header::DATE, redirect};

use crate::release_error::root_cause;
use crate::{AddressRefused, ReleaseError, http, service_address};

/// The hosts that an agent and its tasks need beside the code's own (CircleCI's runner FAQ,
/// "connectivity requirements"): the agent's API, its releases, caches and artifacts.
pub const CACHES_URL: &str = "https://circleci-tasks-prod.s3.us-east-1.amazonaws.com";

/// What a host answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Any will do: without credentials a refusal is the right answer.
    pub status: u16,
    /// Its own time, in whole seconds.
    pub date: Option<Timestamp>,
}

/// Why there was no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotReached {
    /// The address itself will not do.
    Address(String),
    /// The proxy's address will not do.
    Proxy(String),
    /// It answered, and cannot prove that it is itself.
    Untrusted(String),
    /// Nothing answered in time.
    Silent(Duration),
    /// No connection: no such name, no route, refused, cut.
    Failed(String),
}

/// Asks the address with HEAD and takes any answer.
pub async fn reach(address: &str, patience: Duration) -> Result<Reached, NotReached> {
    let url = service_address(address)
        .map_err(|refused: AddressRefused| NotReached::Address(refused.to_string()))?;
    let client = http::client().map_err(|error| NotReached::Proxy(error.to_string()))?;
    let client = client.timeout(patience).redirect(redirect::Policy::none()).build();
    let client = client.map_err(|error| NotReached::Failed(error.to_string()))?;
    let response = match client.head(url).send().await {
        Ok(response) => response,
        Err(error) if error.is_timeout() => return Err(NotReached::Silent(patience)),
        Err(error) => {
            let why = ReleaseError::of_request(address, &error);
            return Err(if let ReleaseError::Untrusted { reason, .. } = why {
                NotReached::Untrusted(reason)
            } else {
                NotReached::Failed(root_cause(&error))
            });
        }
    };
    let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| rfc2822::parse(date).ok()).map(|date| date.timestamp());
    Ok(Reached { status: response.status().as_u16(), date })
}
