//! CircleCI's user API for runners: resource classes, their tokens, agents and counts, asked for with
//! a personal token. The token goes to the one server it is given for, in a header and nowhere else;
//! no redirect is followed with it. Nothing is tried twice: whoever asks decides that.

mod call;
mod enveloped;
mod error;
mod flat;
mod namespace;
mod read;

use std::time::Duration;

use secrecy::SecretString;

pub use error::UserApiError;
pub use namespace::Namespace;

use call::Calls;

/// Longer than any of these calls takes; a server that is silent for so long is away.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server's user API, and who asks.
pub struct UserApi {
    calls: Calls,
}

/// Which of its two forms a server speaks. Both are seen in CircleCI's own command line: the flat one
/// everywhere and on CircleCI server, the newer one with `data` and `page` on circleci.com.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    Flat,
    Enveloped,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    pub id: String,
    /// `namespace/name`.
    pub name: String,
    pub description: String,
}

/// A resource class token as it is listed: everything but the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedToken {
    pub id: String,
    pub nickname: String,
    /// As the server writes it.
    pub created_at: Option<String>,
}

/// A token that was just created. The server tells the secret this once.
#[derive(Debug)]
pub struct CreatedToken {
    pub token: ListedToken,
    pub secret: SecretString,
}

/// A runner that the server has heard of lately. What a surface does not tell is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectedAgent {
    pub name: String,
    pub version: Option<String>,
    /// As the server writes it.
    pub last_connected: Option<String>,
    pub is_busy: Option<bool>,
}

/// Tasks of one resource class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub waiting: u64,
    pub running: u64,
}

impl UserApi {
    /// `api_url` is an https address, or a plain http one on this machine; nothing is sent yet.
    pub fn at(api_url: &str, personal_token: SecretString) -> Result<Self, UserApiError> {
        Self::with_patience(api_url, personal_token, PATIENCE)
    }

    /// The same with another limit for each call.
    pub fn with_patience(
        api_url: &str,
        personal_token: SecretString,
        patience: Duration,
    ) -> Result<Self, UserApiError> {
        Ok(Self { calls: Calls::to(api_url, personal_token, patience)? })
    }

    /// The namespace with all its resource classes, over the surface that the server speaks.
    ///
    /// How a server that does not know the newer calls refuses them is documented nowhere, and a list
    /// that is asked for in vain costs nothing: after whatever may mean that, the other one is asked
    /// for. Where both are refused the namespace counts as refused, as the first call was.
    pub async fn namespace(&self, name: &str) -> Result<Namespace<'_>, UserApiError> {
        let (surface, classes) = match enveloped::classes(&self.calls, name).await {
            Ok(classes) => (Surface::Enveloped, classes),
            Err(first) if first.may_be_the_surface() => {
                let classes = flat::classes(&self.calls, name).await;
                (Surface::Flat, classes.map_err(|second| first.or_rather(second))?)
            }
            Err(error) => return Err(error),
        };
        Ok(Namespace { calls: &self.calls, surface, name: name.to_owned(), classes })
    }
}
