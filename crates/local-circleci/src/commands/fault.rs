//! `local-circleci fault`: trouble on request.

use std::process::ExitCode;

use anyhow::ensure;
use clap::{Args, Subcommand};
use local_circleci::control::{Certificate, Fault, OddArchive, OddManifest};
use local_circleci::{Control, TaskNumber, Variant, VariantError};

#[derive(Args)]
pub(crate) struct Faults {
    /// The server's URL, as `serve` prints it
    #[arg(long, value_name = "URL", env = "LOCAL_CIRCLECI_URL", global = true, default_value = "")]
    url: String,
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Subcommand)]
enum Kind {
    /// Spoils the calls whose path starts with PATH, for example /releases or /api/v3/runner/claim
    Call(Call),
    /// Offers an odd archive with the right sum in the place of each release; `none` ends that
    Archive {
        #[arg(value_name = "KIND")]
        odd: Or<OddArchive>,
    },
    /// Gives an odd manifest; `none` ends that
    Manifest {
        #[arg(value_name = "KIND")]
        odd: Or<OddManifest>,
    },
    /// Opens the server's port for https and prints its URL; CERTIFICATE is what it shows from now on
    Https {
        #[arg(value_name = "CERTIFICATE", default_value = "good")]
        shown: Certificate,
        /// Writes the certificate of the authority that clients have to trust to FILE
        #[arg(long, value_name = "FILE")]
        authority: Option<std::path::PathBuf>,
    },
    /// Answers the next claim of its class with a task that a runner has already
    ClaimTwice { task: TaskNumber },
    /// Runners and task agents that start from now on are like this (see the README); `''` ends that
    Agent {
        #[arg(value_name = "KEY=VALUE,...", value_parser = variant)]
        variant: String,
    },
    /// Ends all faults of calls, archives and manifests
    Clear,
}

#[derive(Args)]
struct Call {
    path: String,
    /// Only calls of this method
    #[arg(long)]
    method: Option<String>,
    /// Only so many calls
    #[arg(long)]
    times: Option<u32>,
    /// Answers with this HTTP status
    #[arg(long)]
    status: Option<u16>,
    /// The answer's Retry-After: seconds or a date
    #[arg(long, requires = "status")]
    retry_after: Option<String>,
    /// Waits before the call is looked at
    #[arg(long, value_name = "MS", default_value_t = 0)]
    wait_before: u64,
    /// Waits before the answer
    #[arg(long, value_name = "MS", default_value_t = 0)]
    wait_after: u64,
    /// Does what was asked and answers with a 502
    #[arg(long)]
    lose_answer: bool,
    /// Does what was asked and ends the connection without an answer
    #[arg(long)]
    hang_up: bool,
    /// Changes a byte of the body
    #[arg(long)]
    garble: bool,
    /// Ends the connection after so many bytes of the body
    #[arg(long, value_name = "BYTES")]
    cut_after: Option<usize>,
    /// Resets the connection after so many bytes of the body
    #[arg(long, value_name = "BYTES")]
    reset_after: Option<usize>,
    /// Sends the body no faster than this, until the faults are cleared
    #[arg(long, value_name = "BYTES")]
    bytes_per_second: Option<u64>,
    /// Says that the body is so long
    #[arg(long, value_name = "BYTES")]
    says_length: Option<u64>,
    /// Sends the whole where a part is asked for
    #[arg(long)]
    ignores_range: bool,
}

fn variant(text: &str) -> Result<String, VariantError> {
    Variant::of_server(text).map(|_| text.to_owned())
}

/// A kind, or `none`.
#[derive(Clone)]
struct Or<T>(Option<T>);

impl<T: std::str::FromStr> std::str::FromStr for Or<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        if text == "none" { Ok(Self(None)) } else { text.parse().map(|kind| Self(Some(kind))) }
    }
}

impl Faults {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        ensure!(
            !self.url.is_empty(),
            "which server is meant? Give the URL that `serve` prints: --url URL, or LOCAL_CIRCLECI_URL"
        );
        let control = Control::new(&self.url)?;
        match self.kind {
            Kind::Call(call) => control.add_fault(&call.fault())?,
            Kind::Archive { odd } => control.offer_odd_archive(odd.0)?,
            Kind::Manifest { odd } => control.offer_odd_manifest(odd.0)?,
            Kind::Https { shown, authority } => {
                let https = control.https()?;
                control.show_certificate(shown)?;
                if let Some(file) = authority {
                    local_circleci::replace_private_file(&file, https.authority.as_bytes())?;
                }
                println!("{}", https.url);
            }
            Kind::ClaimTwice { task } => control.hand_out_again(task)?,
            Kind::Agent { variant } => control.set_variant(&variant)?,
            Kind::Clear => {
                control.clear_faults()?;
                control.offer_odd_archive(None)?;
                control.offer_odd_manifest(None)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Call {
    fn fault(self) -> Fault {
        Fault {
            path: self.path,
            method: self.method,
            times: self.times,
            wait_before_ms: self.wait_before,
            status: self.status,
            retry_after: self.retry_after,
            wait_after_ms: self.wait_after,
            lose_answer: self.lose_answer,
            garble: self.garble,
            cut_after: self.cut_after,
            reset_after: self.reset_after,
            hang_up: self.hang_up,
            bytes_per_second: self.bytes_per_second,
            says_length: self.says_length,
            ignores_range: self.ignores_range,
        }
    }
}
