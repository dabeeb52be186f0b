//! The keychain, touched once and left: keyring's connection to the desktop wakes up for ever, and a
//! locked keychain may wait for ever for somebody at the screen. So only a short-lived child of the
//! supervisor calls this; the secret crosses pipes and nothing else.

use std::io::{Read, Write};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// The name under which all entries of Runner Tray lie.
pub const SERVICE: &str = "runner-tray";

/// Why there is no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state", content = "why")]
pub enum Unavailable {
    /// The keychain is open and has no such entry.
    Missing,
    Locked,
    /// It asks something on the screen and nobody has answered in time.
    WaitsForYou,
    /// There is no keychain in this session.
    NoService(String),
    Refused(String),
}

/// What is asked of the child, as one JSON document on its standard input.
#[derive(Serialize, Deserialize)]
pub struct Request {
    pub account: String,
    /// For `set` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// Its answer, as one JSON document on its standard output.
#[derive(Serialize, Deserialize)]
pub struct Answer {
    pub done: Result<Option<String>, Unavailable>,
}

/// What the child may be asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Get,
    Set,
    Forget,
}

impl Verb {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Set => "set",
            Self::Forget => "forget",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Get, Self::Set, Self::Forget].into_iter().find(|verb| verb.as_str() == text)
    }
}

/// The child: reads the request to its end, touches the keychain, answers.
pub fn serve(verb: Verb, mut from: impl Read, mut to: impl Write) -> std::io::Result<()> {
    let mut text = String::new();
    from.read_to_string(&mut text)?;
    let request: Request = serde_json::from_str(&text)?;
    let secret = request.secret.map(SecretString::from);
    let done = touch(verb, &request.account, secret.as_ref());
    to.write_all(serde_json::to_string(&Answer { done })?.as_bytes())?;
    to.flush()
}

fn touch(
    verb: Verb,
    account: &str,
    secret: Option<&SecretString>,
) -> Result<Option<String>, Unavailable> {
    let entry = keyring::Entry::new(SERVICE, account).map_err(|error| told(&error))?;
    let done = match (verb, secret) {
        (Verb::Get, _) => entry.get_password().map(Some),
        (Verb::Set, Some(secret)) => entry.set_password(secret.expose_secret()).map(|()| None),
        (Verb::Set, None) => return Err(Unavailable::Refused("no secret was given".into())),
        (Verb::Forget, _) => entry.delete_credential().map(|()| None),
    };
    match done.map_err(|error| told(&error)) {
        Err(Unavailable::Missing) if verb == Verb::Forget => Ok(None),
        done => done,
    }
}

fn told(error: &keyring::Error) -> Unavailable {
    let words = error.to_string();
    match error {
        keyring::Error::NoEntry => Unavailable::Missing,
        keyring::Error::NoDefaultStore => Unavailable::NoService(words),
        keyring::Error::NoStorageAccess(cause) => {
            let cause = cause.to_string();
            if ["lock", "Lock", "Prompt", "prompt"].iter().any(|word| cause.contains(word)) {
                Unavailable::Locked
            } else {
                Unavailable::NoService(format!("{words}: {cause}"))
            }
        }
        // The error may grow; whatever it is, the keychain did not do it.
        other => Unavailable::Refused(other.to_string()),
    }
}
