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
        .checked_by(check_of(releases_url))
        .install(CURRENT, data, now(), |progress| tell(shown(progress, now())))
        .await
}

/// CircleCI signs what it publishes. What lies in a place that its owner chose may be his own build.
fn check_of(releases_url: &str) -> fn(&Path) -> Result<(), String> {
    if releases_url.trim_end_matches('/') == circleci::RELEASES_URL {
        |program| host::check_signature(program, host::Signer::Developer)
    } else {
        |program| host::check_signature(program, host::Signer::Anybody)
    }
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
    let problem = Problem::of(code(error), now()).reading(error.to_string());
    if let ReleaseError::Proxy { variable } = error {
        return problem.with("VARIABLE", variable);
    }
    problem
}

fn code(error: &ReleaseError) -> ProblemCode {
    use ReleaseError as E;
    match error {
        E::Status { .. } | E::Unreachable { .. } | E::Slow { .. } | E::Busy { .. }
            if error.may_pass() =>
        {
            ProblemCode::ReleasesUnreachable
        }
        E::Status { .. }
        | E::Unreachable { .. }
        | E::Slow { .. }
        | E::Busy { .. }
        | E::Address(_)
        | E::Manifest { .. } => ProblemCode::ReleasesRefused,
        E::Proxy { .. } => ProblemCode::ProxyUnusable,
        E::Untrusted { .. } => ProblemCode::ReleasesUntrusted,
        E::NotOffered { .. } | E::UnsupportedMachine { .. } => ProblemCode::ReleaseNotOffered,
        E::WrongHash { .. } | E::Archive { .. } | E::TooLarge { .. } | E::Unsigned { .. } => {
            ProblemCode::ReleaseUnsound
        }
        E::NoRoom { .. } => ProblemCode::NoRoom,
        E::Cancelled => ProblemCode::InstallStopped,
        E::Damaged { .. } => ProblemCode::AgentDamaged,
        E::Io { .. } => ProblemCode::AgentNotInstalled,
    }
}
