//! Every problem there is, in one list: its code, what it means and what the user is told. Who finds
//! a problem names its code and adds the reading; nobody words one elsewhere. `docs/problems.md` is
//! this list.
//!
//! To add one: an entry here, [`crate::Problem::of`] where it is found, `cargo xtask generated write`.

use serde::{Deserialize, Serialize};

/// What the list says of a problem. A word in capitals (`NAME`) is filled in where the problem is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// What is so when it is told.
    pub meaning: &'static str,
    /// What happened, one sentence.
    pub summary: &'static str,
    /// What its reading holds, without a final period.
    pub reading: &'static str,
    /// What to do now.
    pub hint: &'static str,
    pub heals: Heals,
}

/// How a problem goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heals {
    /// Nobody has to do anything.
    Alone,
    /// It is tried again by itself, and goes well once its cause is gone.
    OnceMended,
    /// Somebody has to tell Runner Tray something, or to start it anew.
    OnYourWord,
}

impl Heals {
    /// In words, without a final period.
    pub fn words(self) -> &'static str {
        match self {
            Self::Alone => "by itself; nothing to do",
            Self::OnceMended => "by itself once its cause is gone; it is tried again and again",
            Self::OnYourWord => "once you have done what it says; nothing is tried until then",
        }
    }
}

macro_rules! problems {
    ($(
        $(#[doc = $meaning:literal])+
        $code:ident {
            summary: $summary:literal,
            reading: $reading:literal,
            hint: $hint:literal,
            heals: $heals:ident,
        }
    )+) => {
        /// Names a kind of problem for ever; clients branch on it, people never see it first.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS))]
        #[serde(rename_all = "kebab-case")]
        pub enum ProblemCode {
            $($(#[doc = $meaning])+ $code,)+
            /// One that only a newer version knows.
            #[serde(other)]
            Other,
        }

        impl ProblemCode {
            /// All but `Other`, as listed.
            pub const ALL: &[Self] = &[$(Self::$code),+];

            /// Nothing is tried until somebody has done what it says.
            pub fn waits_for_you(self) -> bool {
                self.about().heals == Heals::OnYourWord
            }

            /// What the list says of it.
            pub fn about(self) -> About {
                match self {
                    $(Self::$code => About {
                        meaning: concat!($($meaning),+).trim_ascii(),
                        summary: $summary,
                        reading: $reading,
                        hint: $hint,
                        heals: Heals::$heals,
                    },)+
                    Self::Other => About {
                        meaning: "One that only a newer version knows.",
                        summary: "Something is wrong that this version has no name for.",
                        reading: "whatever the newer version says",
                        hint: "Use programs of one version.",
                        heals: Heals::OnceMended,
                    },
                }
            }
        }
    };
}

problems! {
    /// CircleCI does not accept the resource class token (401).
    TokenRefused {
        summary: "CircleCI refuses this runner's token.",
        reading: "the agent's line that says so",
        hint: "Create a new token for the resource class and store it with `runnerctl token set`; \
               check that the resource class still exists. Until then the present one is tried \
               every 5 minutes.",
        heals: OnceMended,
    }
    /// There is no token for this runner in its store, or only one that was given for something else.
    TokenMissing {
        summary: "There is no token of NAME for this server.",
        reading: "what it is wanted for, and what the one that is there was given for",
        hint: "Store one with `runnerctl token set --runner NAME`.",
        heals: OnYourWord,
    }
    /// The keychain is locked.
    KeychainLocked {
        summary: "The keychain is locked.",
        reading: "nothing",
        hint: "Log in to the desktop or unlock the keychain; Runner Tray tries again by itself.",
        heals: OnceMended,
    }
    /// The keychain asks something on the screen and nobody has answered.
    KeychainWaits {
        summary: "The keychain asks something on the screen and nobody has answered.",
        reading: "how long it was waited for",
        hint: "Answer it; Runner Tray tries again by itself.",
        heals: OnceMended,
    }
    /// There is no keychain service in this session.
    KeychainAbsent {
        summary: "There is no keychain in this session.",
        reading: "the system's own words",
        hint: "Log in to a desktop with a keychain, or choose a file that only you can read: \
               `runnerctl setup --name NAME --token-store file --token-stdin ...`.",
        heals: OnceMended,
    }
    /// The keychain refused.
    KeychainRefused {
        summary: "The keychain refused.",
        reading: "its own words",
        hint: "Its own words say why; mend that, then store the token again.",
        heals: OnceMended,
    }
    /// The file that holds the token is not the owner's alone, or cannot be read.
    TokenFileUnusable {
        summary: "The file with the token cannot be used.",
        reading: "the file, and what is wrong with it",
        hint: "Mend what the reading names, or remove the file and store the token again: \
               `runnerctl token set --runner NAME`.",
        heals: OnceMended,
    }
    /// The token was to be moved, and a copy may be left where it no longer belongs.
    TokenCopied {
        summary: "A copy of the token may be in PLACE: moving it was not finished.",
        reading: "what in the settings says so",
        hint: "`runnerctl token move --to STORE --runner NAME` removes the copy; it is tried too \
               whenever the supervisor starts.",
        heals: OnceMended,
    }
    /// A rotation of the token was begun, and nobody is at it.
    RotationUnfinished {
        summary: "The rotation of this runner's token was begun and is not finished.",
        reading: "the step it came to",
        hint: "Go on with it: `runnerctl token rotate --runner NAME`",
        heals: OnYourWord,
    }
    /// The record of a rotation that was begun cannot be read, so it cannot be gone on with.
    RotationUnreadable {
        summary: "Nobody can tell how far the rotation of this runner's token came.",
        reading: "the file, and what is wrong with it",
        hint: "Move the file away; then `runnerctl token list` shows the tokens there are, and \
               `runnerctl token rotate --runner NAME` begins anew.",
        heals: OnYourWord,
    }
    /// The agent ended soon after it was started.
    AgentExitsAtStart {
        summary: "The agent ends as soon as it is started.",
        reading: "how it ended and how long it had lived",
        hint: "Its last lines say why; Runner Tray keeps trying, at most every 5 minutes.",
        heals: OnceMended,
    }
    /// The agent ended by itself after it had claimed tasks, or lived for a while.
    AgentCrashed {
        summary: "The agent ended by itself.",
        reading: "how it ended and how long it had lived",
        hint: "It is started again, once its task has ended if one runs; see `runnerctl logs` \
               where this goes on.",
        heals: Alone,
    }
    /// The agent could not be installed on this machine.
    AgentNotInstalled {
        summary: "The agent could not be installed.",
        reading: "what failed, with its path",
        hint: "Check that the folder is yours and that its disk can be written. It is tried again \
               by itself, at most every 5 minutes; at once: `runnerctl agent install`",
        heals: OnceMended,
    }
    /// The server of the agent's releases gives no answer, or one that says "later".
    ReleasesUnreachable {
        summary: "The agent's release server does not answer as it should.",
        reading: "the address, and what came of asking it",
        hint: "Check the network, and the proxy where one is needed (HTTPS_PROXY). It is tried \
               again by itself, at most every 5 minutes; at once: `runnerctl agent install`",
        heals: OnceMended,
    }
    /// The server of the agent's releases answers, but not with a release.
    ReleasesRefused {
        summary: "The place of the agent's releases does not offer any.",
        reading: "the address, and what was found there",
        hint: "Check the releases address (`runnerctl setup --releases-url`): it is the folder that \
               holds manifest.json. Something between here and there may answer in its stead.",
        heals: OnceMended,
    }
    /// The environment names a proxy whose address cannot be understood.
    ProxyUnusable {
        summary: "The proxy in the environment has no address that can be used.",
        reading: "the variable",
        hint: "Mend VARIABLE where the supervisor gets its environment (http://HOST:PORT), and \
               start it again.",
        heals: OnYourWord,
    }
    /// The server of the agent's releases cannot prove that it is itself.
    ReleasesUntrusted {
        summary: "The agent's release server cannot prove that it is itself.",
        reading: "the address, and what is wrong with its certificate",
        hint: "Check this machine's clock and its certificates. Where a proxy or a server of your \
               own signs, add its authority to the system's, or name it in SSL_CERT_FILE.",
        heals: OnceMended,
    }
    /// The releases hold no agent for this machine.
    ReleaseNotOffered {
        summary: "There is no agent for this machine among the releases.",
        reading: "what is offered",
        hint: "Use another machine, or another place of releases (`runnerctl setup --releases-url`). \
               It is looked again by itself, at most every 5 minutes.",
        heals: OnceMended,
    }
    /// A release did not pass its check; it was thrown away.
    ReleaseUnsound {
        summary: "The agent's release did not pass its check; nothing was installed.",
        reading: "the address, and what is wrong with what it brought",
        hint: "It is downloaded again by itself. If it stays so, ask whoever runs the release \
               server; do not start that agent by hand.",
        heals: OnceMended,
    }
    /// The disk has no room for the agent.
    NoRoom {
        summary: "The disk has no room for the agent.",
        reading: "the folder, what it needs and what is free",
        hint: "Make room on it. It is tried again by itself, at most every 5 minutes; at once: \
               `runnerctl agent install`",
        heals: OnceMended,
    }
    /// The user stopped the agent's download.
    InstallStopped {
        summary: "The agent's download was stopped.",
        reading: "that it was called off",
        hint: "To go on with it: `runnerctl agent install`",
        heals: OnYourWord,
    }
    /// The agent on disk is not the one that was installed.
    AgentDamaged {
        summary: "The agent on disk is not the one that was installed; it is not started.",
        reading: "the file, and how it differs",
        hint: "It is installed anew by itself. If that happens again, find out who changes the file.",
        heals: Alone,
    }
    /// A run could not be started at all (disk, permissions).
    CannotStart {
        summary: "The agent could not be started.",
        reading: "what failed",
        hint: "Mend what the reading names; Runner Tray tries again by itself. `runnerctl logs` \
               may tell more.",
        heals: OnceMended,
    }
    /// Whether the agent got the drain signal is not known.
    DrainUnconfirmed {
        summary: "It is not certain that the agent was told to stop claiming.",
        reading: "which of the two records is there",
        hint: "Runner Tray sends the signal again only when a second task proves that it was lost, \
               because a second signal would cancel a task.",
        heals: Alone,
    }
    /// The agent lives but nobody holds its lock; a keeper is being put in charge.
    AgentUnattended {
        summary: "The agent's keeper died; the agent and its task go on.",
        reading: "that the lock is free and the agent lives",
        hint: "A new keeper is being put in charge; nothing to do.",
        heals: Alone,
    }
    /// CircleCI cannot be reached.
    Offline {
        summary: "CircleCI cannot be reached.",
        reading: "what came of the last try",
        hint: "Check this machine's network and proxy; the agent goes on trying by itself.",
        heals: OnceMended,
    }
    /// CircleCI answers the agent's calls for tasks with an error of its own, or asks for patience
    /// (408, 429, 5xx).
    ServerTroubled {
        summary: "CircleCI answers, but not as it should.",
        reading: "HTTP's status and the agent's line",
        hint: "Nothing to do here; see status.circleci.com. The agent goes on trying by itself.",
        heals: Alone,
    }
    /// CircleCI answers the agent's calls for tasks with a refusal (403, 404, 409 and their like).
    ClaimRefused {
        summary: "CircleCI refuses to give this runner tasks.",
        reading: "HTTP's status and the agent's line",
        hint: "Check that the resource class still exists and that the token is one of it; store \
               another with `runnerctl token set`. The agent goes on trying by itself.",
        heals: OnceMended,
    }
    /// The agent got the drain signal and goes on all the same: it claimed twice since, or has nothing
    /// to do and has not ended for a minute.
    DrainIgnored {
        summary: "The agent was told to stop claiming, and does not obey.",
        reading: "what it has done since",
        hint: "When no task runs, end it yourself: `kill -9` and its pid, as `runnerctl status \
               --json` shows it. Runner Tray does not, because that could cost a task.",
        heals: OnceMended,
    }
    /// What the user wants cannot be written to disk.
    CannotSave {
        summary: "What you asked for could not be written to disk, so it was not done.",
        reading: "the system's own words",
        hint: "Free some space or mend the folder's permissions, then ask again.",
        heals: OnYourWord,
    }
    /// The system refused what was asked for after the last task.
    AfterTaskRefused {
        summary: "The machine could not be WHAT after the task, as you had asked; it claims tasks again.",
        reading: "the system's own words",
        hint: "Do it by hand. On Linux logind must allow you to: `busctl call org.freedesktop.login1 \
               /org/freedesktop/login1 org.freedesktop.login1.Manager CanSuspend` (CanReboot) says \
               whether. To be told no more of it: `runnerctl after-task cancel`.",
        heals: OnYourWord,
    }
    /// A volume that tasks fill has less free space than the mark below which no task is claimed.
    DiskNearlyFull {
        summary: "The disk is nearly full, so no task is claimed.",
        reading: "the volume, what is free on it, and what it needs",
        hint: "Make room: `runnerctl clean --dry-run` lists what can go. Runner Tray cleans up what \
               you have switched on, and goes on by itself once there is room.",
        heals: OnceMended,
    }
    /// The last clean-up did not do what it should.
    CleanupFailed {
        summary: "The last clean-up could not do all it should.",
        reading: "why, and what stayed",
        hint: "`runnerctl clean --receipts` says what stayed and how to remove it. The next clean-up \
               that does all it should ends this.",
        heals: OnceMended,
    }
    /// Saved state cannot be read; nothing is started and nothing overwritten.
    StateUnreadable {
        summary: "What you asked for earlier cannot be read, so nothing is started or changed; \
                  what runs goes on.",
        reading: "the file, and what is wrong with it",
        hint: "Move the file away and restart the supervisor (`runnerctl supervisor stop`, then \
               `start`); pauses must then be asked for again.",
        heals: OnYourWord,
    }
    /// Saved state is from a newer version; nothing is started and nothing overwritten.
    StateNewer {
        summary: "A newer Runner Tray wrote this state, so nothing is started or changed; what \
                  runs goes on.",
        reading: "the file's version and the one that is understood",
        hint: "Install the newer version again, or move the file away and restart the supervisor.",
        heals: OnYourWord,
    }
    /// Finished tasks cannot be written to the history; they are kept in memory until they can.
    HistoryUnavailable {
        summary: "Finished tasks cannot be written to the history; they wait in memory.",
        reading: "the file, and what is wrong with it",
        hint: "Mend what the reading names, or move the file away: a new one is begun. It is tried \
               again by itself.",
        heals: OnceMended,
    }
    /// The settings file cannot be read.
    SettingsUnreadable {
        summary: "The settings cannot be read, so nothing is started or stopped; what runs goes on.",
        reading: "the file, and what is wrong with it",
        hint: "Mend the file, or move it away and run `runnerctl setup` again; it is read anew as \
               soon as it changes.",
        heals: OnceMended,
    }
    /// The separate job user cannot be used.
    JobUserUnusable {
        summary: "Jobs cannot run as their own user, so none is claimed.",
        reading: "what was tried and what came of it",
        hint: "An admin makes the user and lets you run commands as it: `runnerctl doctor` prints \
               the steps.",
        heals: OnceMended,
    }
    /// Part of a run directory cannot be read, so the runner counts as busy.
    RunUnreadable {
        summary: "Part of a run directory cannot be read, so the runner counts as busy.",
        reading: "the directory, and which part of it",
        hint: "Look at the permissions and the content of what is named. What cannot be mended \
               holds as long as its agent runs: a pause may not reach it, and is never repeated on \
               a guess. End that agent with `kill PID` while it has no task; then the folder can \
               be deleted.",
        heals: OnceMended,
    }
    /// A task runs that could get no records.
    TaskUnrecorded {
        summary: "A task runs of which nothing could be recorded; the runner counts as busy.",
        reading: "the lock that is held",
        hint: "It goes on as usual. keeper.log in that folder says what failed, mostly a full disk.",
        heals: Alone,
    }
    /// The last task ended with its wrapper, before it was done.
    TaskLost {
        summary: "The last task was lost: its wrapper ended before it did, so all of it was ended.",
        reading: "the task, as far as it told its names",
        hint: "CircleCI shows the job as failed; rerun it there.",
        heals: Alone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_told_in_sentences_with_a_way_out() {
        for code in ProblemCode::ALL {
            let About { meaning, summary, reading, hint, heals: _ } = code.about();
            for sentence in [meaning, summary] {
                assert!(sentence.ends_with('.'), "{code:?}: {sentence}");
            }
            for text in [meaning, summary, hint, reading] {
                assert!(!text.is_empty(), "{code:?} says nothing");
                let lower = text.to_lowercase();
                for word in ["please", "simply", "oops", "sorry"] {
                    assert!(!lower.contains(word), "{code:?}: {text}");
                }
            }
            assert!(!reading.ends_with('.') && !summary.contains("  "), "{code:?}");
        }
    }

    #[test]
    fn no_two_problems_say_the_same() {
        let mut said: Vec<&str> =
            ProblemCode::ALL.iter().map(|code| code.about().summary).collect();
        let all = said.len();
        said.sort_unstable();
        said.dedup();
        assert_eq!(said.len(), all);
    }

    #[test]
    fn a_code_of_a_newer_version_is_still_a_problem() {
        let code: ProblemCode = serde_json::from_str("\"moon-in-the-way\"").unwrap();
        assert_eq!(code, ProblemCode::Other);
        assert!(!code.about().hint.is_empty());
    }
}
