//! The agent's environment and token, which come on the standard input and lie nowhere else.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;

use anyhow::Context;
use serde::Deserialize;

use crate::gate::TOKEN_VARIABLE;
use crate::signals::Signals;
use crate::wait::wait;
use crate::wiped::{Secret, Wiped, overwrite};

/// More than any environment: what is longer is not a document of ours.
pub(crate) const LIMIT: usize = 1 << 20;

/// One JSON document, up to a newline or the end. No Debug: it holds the token.
#[derive(Deserialize)]
pub(crate) struct Secrets {
    environment: BTreeMap<String, Secret>,
    token: Option<Secret>,
}

impl Secrets {
    /// Reads the document. `Ok(None)`: a stop was asked for first.
    pub(crate) fn read(signals: &Signals) -> anyhow::Result<Option<Self>> {
        let stdin = io::stdin();
        let mut chunk = [0_u8; 16384];
        let mut document = Wiped::up_to(LIMIT + chunk.len());
        while !document.bytes().contains(&b'\n') && document.bytes().len() < LIMIT {
            let ready = wait(&[stdin.as_fd(), signals.as_fd()], None)?;
            if signals.stop_asked() {
                return Ok(None);
            }
            if ready.first() != Some(&true) {
                continue;
            }
            let read = stdin.lock().read(&mut chunk)?;
            if read == 0 {
                break;
            }
            document.write_all(chunk.get(..read).unwrap_or_default())?;
            overwrite(&mut chunk);
        }
        anyhow::ensure!(!document.bytes().is_empty(), "no environment came for the agent");
        Self::of(document.bytes()).map(Some)
    }

    pub(crate) fn of(document: &[u8]) -> anyhow::Result<Self> {
        // serde's message could quote what it stumbled over.
        let secrets = serde_json::from_slice(document).map_err(|_| ());
        secrets.ok().context("the environment for the agent is not the expected document")
    }

    pub(crate) fn into_environment(self) -> Vec<(String, Secret)> {
        let token = self.token.map(|token| (TOKEN_VARIABLE.to_owned(), token));
        self.environment
            .into_iter()
            .filter(|(name, _)| name != TOKEN_VARIABLE)
            .chain(token)
            .collect()
    }
}
