//! The child's side: one verb as an argument, one JSON document in, one out. A secret is in these
//! documents and nowhere else, no argument and no log.

use std::io::{self, Read, Write};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{Unavailable, forget, get, set};

/// No request is longer, in bytes.
pub const LONGEST: u64 = 64 << 10;

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

/// `{"account": "1f2e3d4c/mac-mini", "secret": "..."}`, on the child's standard input.
#[derive(Serialize, Deserialize)]
pub struct Request {
    pub account: String,
    /// For `set` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// `{"done": {"Ok": "..."}}` or `{"done": {"Err": {"state": "locked"}}}`, on its standard output; a
/// secret only for `get`.
#[derive(Serialize, Deserialize)]
pub struct Answer {
    pub done: Result<Option<String>, Unavailable>,
}

impl Request {
    pub(crate) fn read(json: &[u8]) -> io::Result<Self> {
        // The parser's own words could repeat a part of the secret.
        serde_json::from_slice(json).map_err(|_| wrong())
    }
}

fn wrong() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "this is no keychain request")
}

/// The child's whole life: reads a request to its end, touches the keychain, answers. A keychain's
/// refusal is an answer; an error means that there was no proper request or nobody to answer.
pub fn serve(verb: Verb, from: impl Read, mut to: impl Write) -> io::Result<()> {
    let mut json = Vec::new();
    from.take(LONGEST).read_to_end(&mut json)?;
    let Request { account, secret } = Request::read(&json)?;
    let done = match (verb, secret.map(SecretString::from)) {
        (Verb::Get, None) => get(&account).map(|secret| Some(expose(&secret))),
        (Verb::Set, Some(secret)) => set(&account, &secret).map(|()| None),
        (Verb::Forget, None) => forget(&account).map(|()| None),
        (Verb::Get | Verb::Forget, Some(_)) | (Verb::Set, None) => return Err(wrong()),
    };
    to.write_all(&serde_json::to_vec(&Answer { done })?)?;
    to.flush()
}

fn expose(secret: &SecretString) -> String {
    secrecy::ExposeSecret::expose_secret(secret).to_owned()
}
