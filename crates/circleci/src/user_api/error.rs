//! Why the user API did not do what it was asked, in the words of whoever asked, each with a way out.

use std::time::Duration;

use crate::AddressRefused;

/// `about` names what the call was about: "the namespace acme". `said` is the server's own message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserApiError {
    #[error(transparent)]
    Address(#[from] AddressRefused),
    #[error("The personal token cannot be one: it has signs in it that no header can carry.")]
    NoToken,
    #[error("{host} cannot be reached: {why}.")]
    Unreachable { host: String, why: String },
    #[error("{host} gave no answer within {} s.", patience.as_secs_f64())]
    TimedOut { host: String, patience: Duration },
    /// 401.
    #[error("{host} does not accept this personal token.")]
    TokenRefused { host: String },
    /// 403.
    #[error("This token may not do that with {about}{}.", in_its_words(said.as_ref()))]
    NotAllowed { about: String, said: Option<String> },
    /// 404, with which CircleCI also refuses to show what there is.
    #[error("This token may not see {about}, or it does not exist.")]
    NotVisible { about: String },
    /// 409, to a resource class that is to be deleted.
    #[error("The resource class {class} has tokens, so it is not deleted{}.", in_its_words(said.as_ref()))]
    HasTokens { class: String, said: Option<String> },
    #[error("There is a resource class {class} already.")]
    AlreadyExists { class: String },
    /// 429.
    #[error("{host} has had too many calls{}.", again(*retry_after))]
    TooManyCalls { host: String, retry_after: Option<Duration> },
    /// 5xx.
    #[error("{host} has trouble of its own: HTTP status {status}.")]
    Trouble { host: String, status: u16 },
    #[error("{host} answers with HTTP status {status} when asked about {about}{}.", in_its_words(said.as_ref()))]
    Refused { host: String, status: u16, about: String, said: Option<String> },
    #[error("What {host} answers about {about} is not understood: {why}.")]
    NotUnderstood { host: String, about: String, why: String },
    #[error("{host} wants to know for which organisation {class} is created.")]
    OrganisationNeeded { host: String, class: String },
    #[error("There is no token {id} of {class}.")]
    NoSuchToken { id: String, class: String },
}

fn in_its_words(said: Option<&String>) -> String {
    said.map_or_else(String::new, |said| format!(": \"{said}\""))
}

fn again(after: Option<Duration>) -> String {
    after.map_or_else(String::new, |after| {
        format!(" and says to come back in {} s", after.as_secs())
    })
}

impl UserApiError {
    /// What to do now, one or two sentences.
    pub fn way_out(&self) -> String {
        match self {
            Self::Address(_) => "Give CircleCI's address with --api-url.".into(),
            Self::NoToken => "Give the personal token that CircleCI showed, and nothing else.".into(),
            Self::Unreachable { .. } | Self::TimedOut { .. } => {
                "Check the network, the proxy and --api-url, then try again.".into()
            }
            Self::TokenRefused { .. } => {
                "Give a personal API token of this server (CircleCI: User Settings, Personal API \
                 Tokens); a resource class token is none."
                    .into()
            }
            Self::NotAllowed { .. } => {
                "Resource classes and tokens are made and deleted by the organisation's admins: use \
                 the token of one, or ask one."
                    .into()
            }
            Self::NotVisible { .. } => {
                "Check the name; any member of the organisation may see it, so a token of another \
                 account may be the one that was given."
                    .into()
            }
            Self::HasTokens { .. } => {
                "Delete its tokens first, or say --force, which deletes them with it: every machine \
                 that uses one then claims no more tasks."
                    .into()
            }
            Self::AlreadyExists { class } => {
                format!("Use it, or choose another name: runnerctl class show {class}")
            }
            Self::TooManyCalls { retry_after: Some(after), .. } => {
                format!("Try again in {} s.", after.as_secs())
            }
            Self::TooManyCalls { retry_after: None, .. } => "Try again in a minute.".into(),
            Self::Trouble { .. } => {
                "Try again in a while; https://status.circleci.com tells of trouble that is known."
                    .into()
            }
            Self::Refused { .. } | Self::NotUnderstood { .. } => {
                "Check that --api-url is CircleCI's address; a proxy may have answered in its place."
                    .into()
            }
            Self::OrganisationNeeded { .. } => {
                "Give the organisation's id (--org-id ID); CircleCI shows it under Organization \
                 Settings, Overview."
                    .into()
            }
            Self::NoSuchToken { class, .. } => {
                format!("See those there are: runnerctl token list {class}")
            }
        }
    }

    /// A server that does not know the call may refuse it so.
    pub(super) fn may_be_the_surface(&self) -> bool {
        match self {
            Self::NotAllowed { .. } | Self::NotVisible { .. } => true,
            Self::Refused { status, .. } | Self::Trouble { status, .. } => {
                matches!(status, 400 | 405 | 501)
            }
            Self::Address(_)
            | Self::NoToken
            | Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::TokenRefused { .. }
            | Self::HasTokens { .. }
            | Self::AlreadyExists { .. }
            | Self::TooManyCalls { .. }
            | Self::NotUnderstood { .. }
            | Self::OrganisationNeeded { .. }
            | Self::NoSuchToken { .. } => false,
        }
    }

    /// Which of two refusals is told. To a server of the other surface a page is missing, which says
    /// nothing; and a token that is refused is refused everywhere.
    pub(super) fn or_rather(self, second: Self) -> Self {
        let says_nothing = matches!(self, Self::NotVisible { .. });
        let is_the_token = matches!(second, Self::TokenRefused { .. });
        if says_nothing || is_the_token { second } else { self }
    }

    /// Whether the call may have had its effect all the same: no answer came, or none that says.
    pub fn leaves_unsure(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Trouble { .. }
            | Self::NotUnderstood { .. } => true,
            Self::Address(_)
            | Self::NoToken
            | Self::TokenRefused { .. }
            | Self::NotAllowed { .. }
            | Self::NotVisible { .. }
            | Self::HasTokens { .. }
            | Self::AlreadyExists { .. }
            | Self::TooManyCalls { .. }
            | Self::Refused { .. }
            | Self::OrganisationNeeded { .. }
            | Self::NoSuchToken { .. } => false,
        }
    }
}
