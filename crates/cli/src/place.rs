//! Where this user's supervisor and its files are.

use client::Client;
use host::Folders;

use crate::failure::Failure;

pub(crate) fn folders() -> Result<Folders, Failure> {
    Ok(Folders::find()?)
}

/// A client of this user's supervisor, which need not run yet.
pub(crate) fn client() -> Result<Client, Failure> {
    Ok(Client::connect(folders()?.socket()?)?)
}
