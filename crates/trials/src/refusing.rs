//! A keychain that lets everybody in and then refuses whatever it is asked, in its own words (Secret
//! Service API, draft 0.2).

#![expect(
    clippy::unused_self,
    clippy::used_underscore_binding,
    reason = "an interface is as its specification has it"
)]

use std::collections::HashMap;

use zbus::blocking::{Connection, connection};
use zbus::fdo;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

/// What it says.
pub const REFUSAL: &str = "this keychain is not for you";
const NAME: &str = "org.freedesktop.secrets";

/// On a bus of the trial's own, until it is dropped.
pub struct Refusing {
    _bus: Connection,
}

struct Service;

fn refused<T>() -> fdo::Result<T> {
    Err(fdo::Error::AccessDenied(REFUSAL.to_owned()))
}

#[zbus::interface(name = "org.freedesktop.Secret.Service")]
impl Service {
    /// By whichever algorithm: what follows is never decrypted.
    fn open_session(
        &self,
        algorithm: &str,
        _input: Value<'_>,
    ) -> fdo::Result<(OwnedValue, OwnedObjectPath)> {
        let failed = |error: zbus::zvariant::Error| fdo::Error::Failed(error.to_string());
        // A public key of the group that the specification names, or nothing.
        let output = match algorithm {
            "plain" => Value::from(""),
            _ => Value::from(vec![2_u8; 128]),
        };
        let path = OwnedObjectPath::try_from("/org/freedesktop/secrets/session/1");
        Ok((OwnedValue::try_from(output).map_err(failed)?, path.map_err(failed)?))
    }

    fn search_items(
        &self,
        _attributes: HashMap<String, String>,
    ) -> fdo::Result<(Vec<OwnedObjectPath>, Vec<OwnedObjectPath>)> {
        refused()
    }

    fn read_alias(&self, _name: &str) -> fdo::Result<OwnedObjectPath> {
        refused()
    }

    fn unlock(
        &self,
        _objects: Vec<OwnedObjectPath>,
    ) -> fdo::Result<(Vec<OwnedObjectPath>, OwnedObjectPath)> {
        refused()
    }
}

impl Refusing {
    /// Takes the keychain's name, which nobody may have.
    #[track_caller]
    pub fn start(address: &str) -> Self {
        let bus = connection::Builder::address(address)
            .and_then(|builder| builder.name(NAME))
            .and_then(|builder| builder.serve_at("/org/freedesktop/secrets", Service))
            .and_then(connection::Builder::build);
        Self { _bus: bus.expect("it is on the bus") }
    }
}
