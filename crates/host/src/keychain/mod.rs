//! Tokens in the desktop's keychain: the Secret Service on Linux, Keychain on macOS. A locked one may
//! wait for its owner for ever, and its library keeps threads that wake for ever, so only a
//! short-lived child of the supervisor touches it ([`serve`]); who asks sets the deadline.

mod serve;
#[cfg(test)]
mod tests;

use keyring::{Entry, Error};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::os;

pub use serve::{Answer, LONGEST, Request, Verb, serve};

/// The service that every entry of ours is filed under; the account tells them apart
/// ([`crate::Folders::keychain_account`]).
pub const SERVICE: &str = "runner-tray";

/// Why there is no secret, or why one was not kept; on the wire `{"state": "locked"}` or
/// `{"state": "refused", "why": "..."}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state", content = "why")]
pub enum Unavailable {
    /// The keychain can be read, and holds no such entry.
    Missing,
    /// Locked, and nobody could be asked to unlock it.
    Locked,
    /// It gave no answer in time: most likely it shows a prompt. Said by who asks, never by `serve`.
    WaitsForYou,
    /// There is no keychain in this session.
    NoService(String),
    /// Any other failure, in the keychain's words.
    Refused(String),
}

/// The secret of `account`. May block for ever.
pub fn get(account: &str) -> Result<SecretString, Unavailable> {
    entry(account)?.get_password().map(SecretString::from).map_err(|error| why(&error))
}

/// Keeps `secret` for `account` in place of any other. May block for ever.
pub fn set(account: &str, secret: &SecretString) -> Result<(), Unavailable> {
    entry(account)?.set_password(secret.expose_secret()).map_err(|error| why(&error))
}

/// Forgets `account`; one that is not there is forgotten already. May block for ever.
pub fn forget(account: &str) -> Result<(), Unavailable> {
    match entry(account)?.delete_credential() {
        Ok(()) | Err(Error::NoEntry) => Ok(()),
        Err(error) => Err(why(&error)),
    }
}

fn entry(account: &str) -> Result<Entry, Unavailable> {
    Entry::new(SERVICE, account).map_err(|error| why(&error))
}

fn why(error: &Error) -> Unavailable {
    if matches!(error, Error::NoEntry) {
        return Unavailable::Missing;
    }
    if matches!(error, Error::NoDefaultStore) {
        // The store could not be opened: no bus, or nobody on it. The cause is kept elsewhere.
        let cause = Entry::store_status().as_ref().err().unwrap_or(error);
        return Unavailable::NoService(cause.to_string());
    }
    // Never `{:?}`: it would show a secret that is not text.
    let words = error.to_string();
    os::keychain_unavailable(&words).unwrap_or(Unavailable::Refused(words))
}
