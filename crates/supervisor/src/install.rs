//! Has an agent's release at hand: one that is installed and sound, else a download. What may be
//! wrong with either becomes a problem with a way out.

use std::path::Path;

use circleci::{CURRENT, InstalledAgent, Progress, ReleaseError, Releases};
use jiff::{SignedDuration, Timestamp};
use protocol::{Bytes, Install, InstallWaits, Problem, ProblemCode};
use tokio_util::sync::CancellationToken;

use crate::supervisor::now;

pub(crate) async fn install(
    releases_url: &str,
    data: &Path,
    cancel: CancellationToken,
    mut tell: impl FnMut(Install) + Send,
) -> Result<InstalledAgent, ReleaseError> {
    let (folder, url) = (data.to_owned(), releases_url.to_owned());
    let there = tokio::task::spawn_blocking(move || circleci::at_hand(&folder, &url));
    if let Ok(Some(agent)) = there.await {
        return Ok(agent);
    }
    if cancel.is_cancelled() {
        return Err(ReleaseError::Cancelled);
    }
    Releases::at(releases_url)?
        .called_off_by(cancel)
        .checked_by(host::check_signature)
        .install(CURRENT, data, now(), |progress| tell(shown(progress, now())))
        .await
}

fn shown(progress: Progress, now: Timestamp) -> Install {
    let until = |wait| {
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
        now.checked_add(wait).unwrap_or(Timestamp::MAX)
    };
    Install {
        version: progress.version,
        received: Bytes(progress.received),
        total: progress.total.map(Bytes),
        rate: progress.rate.map(Bytes),
        seconds_left: progress.left.map(|left| left.as_secs()),
        waits: progress
            .waits
            .map(|waits| InstallWaits { why: waits.why, until: until(waits.wait) }),
    }
}

pub(crate) fn problem(error: &ReleaseError) -> Problem {
    let (code, summary, hint) = words(error);
    Problem {
        code,
        summary: summary.into(),
        reading: Some(error.to_string()),
        hint: hint.into(),
        details: None,
        since: now(),
    }
}

fn words(error: &ReleaseError) -> (ProblemCode, &'static str, &'static str) {
    use ReleaseError as E;
    match error {
        E::Status { .. } | E::Unreachable { .. } | E::Slow { .. } | E::Busy { .. }
            if error.may_pass() =>
        {
            (
                ProblemCode::ReleasesUnreachable,
                "The agent's release server does not answer as it should.",
                "Check the network, and the proxy where one is needed (HTTPS_PROXY). It is tried \
                 again by itself, at most every 5 minutes; at once: runnerctl agent install",
            )
        }
        E::Status { .. }
        | E::Unreachable { .. }
        | E::Slow { .. }
        | E::Busy { .. }
        | E::Address(_)
        | E::Manifest { .. }
        | E::Proxy { .. } => (
            ProblemCode::ReleasesRefused,
            "The place of the agent's releases does not offer any.",
            "Check the releases address (runnerctl setup --releases-url): it is the folder that \
             holds manifest.json. Something between here and there may answer in its stead.",
        ),
        E::Untrusted { .. } => (
            ProblemCode::ReleasesUntrusted,
            "The agent's release server cannot prove that it is itself.",
            "Check this machine's clock and its certificates. Where a proxy or a server of your own \
             signs, add its authority to the system's, or name it in SSL_CERT_FILE.",
        ),
        E::NotOffered { .. } | E::UnsupportedMachine { .. } => (
            ProblemCode::ReleaseNotOffered,
            "There is no agent for this machine among the releases.",
            "Use another machine, or another place of releases (runnerctl setup --releases-url).",
        ),
        E::WrongHash { .. } | E::Archive { .. } | E::TooLarge { .. } | E::Unsigned { .. } => (
            ProblemCode::ReleaseUnsound,
            "The agent's release did not pass its check; nothing was installed.",
            "It is downloaded again by itself. If it stays so, ask whoever runs the release server; \
             do not start that agent by hand.",
        ),
        E::NoRoom { .. } => (
            ProblemCode::NoRoom,
            "The disk has no room for the agent.",
            "Make room on it. It is tried again by itself, at most every 5 minutes; at once: \
             runnerctl agent install",
        ),
        E::Cancelled => (
            ProblemCode::InstallStopped,
            "The agent's download was stopped.",
            "To go on with it: runnerctl agent install",
        ),
        E::Damaged { .. } => (
            ProblemCode::AgentDamaged,
            "The agent on disk is not the one that was installed; it is not started.",
            "It is installed anew by itself. If that happens again, find out who changes the file.",
        ),
        E::Io { .. } => (
            ProblemCode::AgentNotInstalled,
            "The agent could not be installed.",
            "Check that the folder is yours and that its disk can be written. It is tried again by \
             itself, at most every 5 minutes; at once: runnerctl agent install",
        ),
    }
}
