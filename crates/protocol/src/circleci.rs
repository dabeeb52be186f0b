//! What a client may have the supervisor ask of CircleCI's user API. Each call brings the personal
//! token it is made with; the supervisor uses it for that call and forgets it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ResourceClass, RunnerName, SetToken};

/// A token with an account's rights; write-only, and without a Debug of its own.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonalToken(pub String);

impl std::fmt::Debug for PersonalToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[token]")
    }
}

/// Who asks, whom, and what: the body of every `POST /v1/circleci/...`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked<T> {
    pub personal_token: PersonalToken,
    /// Absent: the server of this machine's runners, or CircleCI's cloud where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_url: Option<String>,
    #[serde(flatten)]
    pub ask: T,
}

/// `POST /v1/circleci/classes/list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfNamespace {
    pub namespace: String,
}

/// `POST /v1/circleci/classes/show` and `/v1/circleci/tokens/list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfClass {
    pub resource_class: ResourceClass,
}

/// `POST /v1/circleci/classes/create`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateClass {
    pub resource_class: ResourceClass,
    #[serde(default)]
    pub description: String,
    /// The organisation's id, where the server wants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<String>,
}

/// `POST /v1/circleci/classes/delete`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteClass {
    pub resource_class: ResourceClass,
    /// With its tokens.
    #[serde(default)]
    pub force: bool,
}

/// `POST /v1/circleci/tokens/create`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateToken {
    pub resource_class: ResourceClass,
    pub nickname: String,
}

/// `POST /v1/circleci/tokens/delete`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteToken {
    pub resource_class: ResourceClass,
    pub id: String,
    /// Though a runner of this machine is known to use it.
    #[serde(default)]
    pub force: bool,
}

/// `POST /v1/runners/{name}/new-token`: a token that is created for the runner and stored as its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateOwnToken {
    pub nickname: String,
}

/// `POST /v1/runners/{name}/rotation`: begin one, or go on with the one that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotate {
    /// The id of the token to be replaced; absent: as it was remembered when the token was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_token: Option<String>,
    /// Delete no token but what the rotation itself made in vain.
    #[serde(default)]
    pub keep_old: bool,
}

/// A resource class as CircleCI lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassListed {
    pub id: String,
    pub resource_class: String,
    pub description: String,
}

/// A resource class with its work and its agents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassShown {
    #[serde(flatten)]
    pub class: ClassListed,
    /// Tasks that no agent has claimed.
    pub waiting: u64,
    pub running: u64,
    pub agents: Vec<AgentListed>,
}

/// An agent that CircleCI has heard of lately, on whatever machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentListed {
    pub name: String,
    pub version: Option<String>,
    /// As CircleCI writes it.
    pub last_connected: Option<String>,
    /// Absent where the server does not say.
    pub is_busy: Option<bool>,
}

/// A resource class token as CircleCI lists it; the token itself is told nobody again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenListed {
    pub id: String,
    pub nickname: String,
    /// As CircleCI writes it.
    pub created_at: Option<String>,
    /// Runners of this machine whose token it is known to be.
    pub used_by: Vec<RunnerName>,
}

/// The one answer that holds a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenCreated {
    #[serde(flatten)]
    pub listed: TokenListed,
    pub token: SetToken,
}

/// A rotation: ids and nicknames, never a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    pub begun_at: Timestamp,
    /// Of every token it makes; no other token has it.
    pub nickname: String,
    /// The ids of those it will delete.
    pub old: Vec<String>,
    /// The id of the one that takes their place.
    pub new: Option<String>,
    pub step: RotationStep,
}

/// What comes next; each step is on disk before the next is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RotationStep {
    /// A new token is to be created and stored.
    Create,
    /// The agent is to be replaced by one with the new token.
    Swap,
    /// The new agent has yet to have a claim answered. Nothing but the runner itself is waited for.
    Prove,
    /// The old token is to be deleted.
    Delete,
    Done,
    /// Something that only a newer version knows.
    #[serde(other)]
    Other,
}

/// How far a rotation came, and what was done for it just now, in sentences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotated {
    pub rotation: Rotation,
    pub did: Vec<String>,
}
