//! What a call of the user API is about, by its query.

use serde::Deserialize;

use crate::server::classes::namespace_of;
use crate::server::refusal::Refusal;

#[derive(Deserialize)]
pub(super) struct Flat {
    #[serde(rename = "resource-class")]
    pub(super) resource_class: Option<String>,
    pub(super) namespace: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Filtered {
    #[serde(rename = "filter[resource_class]")]
    pub(super) resource_class: Option<String>,
    #[serde(rename = "filter[namespace]")]
    pub(super) namespace: Option<String>,
    #[serde(rename = "page[limit]")]
    pub(super) limit: Option<usize>,
    #[serde(rename = "page[cursor]")]
    pub(super) cursor: Option<String>,
}

/// Which resource classes a call is about: one, or all of a namespace.
pub(super) enum About {
    Class(String),
    Namespace(String),
}

impl About {
    pub(super) fn exactly_one(
        class: Option<String>,
        namespace: Option<String>,
    ) -> Result<Self, Refusal> {
        match (class, namespace) {
            (Some(class), None) => Ok(Self::Class(class)),
            (None, Some(namespace)) => Ok(Self::Namespace(namespace)),
            _ => Err(Refusal::bad_request("give exactly one of resource class and namespace")),
        }
    }

    pub(super) fn holds(&self, class: &str) -> bool {
        match self {
            Self::Class(wanted) => wanted == class,
            Self::Namespace(wanted) => namespace_of(class) == wanted,
        }
    }
}
