//! What `runnerctl doctor` looks at on this machine, and what it finds. Every check is here once, with
//! the reason why anybody should care; `docs/problems.md` lists them from here.
//!
//! To add one: an entry here, the check in `crates/doctor`, `cargo xtask generated write`.

use serde::{Deserialize, Serialize};

/// How bad it is; ordered, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// No task can run, or one may be lost, until it is mended.
    Bad,
    /// It works now, and will not always.
    Warn,
    /// Good to know; nothing to mend.
    Note,
    Ok,
    /// It could not be read, or only a newer version knows it. Never taken for well.
    #[serde(other)]
    Unknown,
}

impl Level {
    fn rank(self) -> u8 {
        match self {
            Self::Bad => 0,
            Self::Warn => 1,
            Self::Unknown => 2,
            Self::Note => 3,
            Self::Ok => 4,
        }
    }
}

impl Ord for Level {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Level {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// What the list says of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckAbout {
    /// Two or three words, for a heading.
    pub title: &'static str,
    /// What is read, without a final period.
    pub looks_at: &'static str,
    /// Why it matters, in sentences.
    pub matters: &'static str,
}

macro_rules! checks {
    ($($check:ident {
        title: $title:literal,
        looks_at: $looks_at:literal,
        matters: $matters:literal,
    })+) => {
        /// Names a check for ever.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS))]
        #[serde(rename_all = "kebab-case")]
        pub enum Check {
            $($check,)+
            /// One that only a newer version knows.
            #[serde(other)]
            Other,
        }

        impl Check {
            /// All but `Other`, as listed.
            pub const ALL: &[Self] = &[$(Self::$check),+];

            pub fn about(self) -> CheckAbout {
                match self {
                    $(Self::$check => CheckAbout {
                        title: $title,
                        looks_at: $looks_at,
                        matters: $matters,
                    },)+
                    Self::Other => CheckAbout {
                        title: "Something newer",
                        looks_at: "what only a newer version knows",
                        matters: "Use programs of one version.",
                    },
                }
            }
        }
    };
}

checks! {
    System {
        title: "This machine",
        looks_at: "operating system, version and processor; whether programs are translated",
        matters: "CircleCI publishes its agent for Linux and macOS 11.2 or newer, on 64-bit Intel \
                  and ARM processors.",
    }
    User {
        title: "Who you are",
        looks_at: "the user who runs Runner Tray",
        matters: "Jobs run as you unless they have a user of their own; as root, each of them may \
                  do anything.",
    }
    NetworkHome {
        title: "Where state is kept",
        looks_at: "the file system of the state folder",
        matters: "File locks prove that an agent lives. Over a network they prove nothing, and a \
                  task could be lost.",
    }
    Files {
        title: "Files and modes",
        looks_at: "owner and mode of Runner Tray's folders, settings and token files",
        matters: "Who can write these files decides what runs here as you; who can read them sees \
                  what jobs print.",
    }
    Settings {
        title: "Settings",
        looks_at: "settings.toml",
        matters: "While the settings cannot be read nothing is started or stopped.",
    }
    Disk {
        title: "Disk",
        looks_at: "free bytes and inodes, and mount options, of every volume that tasks and Runner \
                   Tray use",
        matters: "A task on a full disk fails and may leave half-written caches behind that make \
                  the next ones fail.",
    }
    Tools {
        title: "Tools",
        looks_at: "bash, git, tar, gzip, ssh and core utilities, as preinstall checks them: with the PATH that jobs get",
        matters: "Steps run in bash, and checking out, caching and workspaces need the others.",
    }
    Network {
        title: "Network",
        looks_at: "HTTPS to CircleCI's hosts, certificates included, from this machine outwards",
        matters: "The agent asks CircleCI for tasks over HTTPS; its program, caches and artifacts \
                  come and go the same way. Nothing comes in.",
    }
    Proxy {
        title: "Proxy",
        looks_at: "HTTPS_PROXY, NO_PROXY and their relatives, in the environment that agents get",
        matters: "Where only a proxy leads out, the agent reaches nothing without it; it knows \
                  HTTPS_PROXY and NO_PROXY.",
    }
    Clock {
        title: "Clock",
        looks_at: "this machine's clock against the time in the servers' answers",
        matters: "With a wrong clock certificates look expired, and stored caches and artifacts \
                  are refused from a quarter of an hour on.",
    }
    Sleep {
        title: "Sleep",
        looks_at: "whether the machine goes to sleep by itself",
        matters: "A machine that sleeps in mid-task loses it: CircleCI hears nothing and gives the \
                  task up.",
    }
    Token {
        title: "Token",
        looks_at: "whether each runner's token can be read from its store",
        matters: "Without its token no agent starts.",
    }
    JobUser {
        title: "Job user",
        looks_at: "whether jobs can run as their own user, and what that user may do",
        matters: "Only a user of its own stands between a hostile job and your files and keys.",
    }
    OtherAgents {
        title: "Other agents",
        looks_at: "agents that run here or are installed here in CircleCI's own way, and their \
                   names",
        matters: "Two agents of one name are one runner to CircleCI, and two on one machine take \
                  each other's room. A machine is meant to have one.",
    }
    Supervisor {
        title: "Supervisor",
        looks_at: "whether the supervisor runs, and its version",
        matters: "It starts agents and keeps them; agents and tasks that run go on without it.",
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Finding {
    pub check: Check,
    pub level: Level,
    /// What was looked at: a folder, a host, a user.
    pub subject: String,
    /// What was found there, one or two sentences without their final period.
    pub reading: String,
    /// Why it matters.
    pub matters: String,
    /// What to do; absent where there is nothing to mend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub mend: Option<String>,
}

/// `GET /v1/doctor?reach=`: what was found, the worst first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Findings {
    pub findings: Vec<Finding>,
}

impl Finding {
    pub fn new(
        check: Check,
        level: Level,
        subject: impl Into<String>,
        reading: impl Into<String>,
    ) -> Self {
        Self {
            check,
            level,
            subject: subject.into(),
            reading: reading.into(),
            matters: check.about().matters.into(),
            mend: None,
        }
    }

    #[must_use]
    pub fn mend(self, mend: impl Into<String>) -> Self {
        Self { mend: Some(mend.into()), ..self }
    }
}

impl Findings {
    /// Puts the worst first, and what is equally bad in the order of the checks.
    pub fn worst_first(mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| (finding.level, finding.check));
        Self { findings }
    }

    pub fn are_bad(&self) -> bool {
        self.findings.iter().any(|finding| finding.level == Level::Bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_says_in_sentences_why_it_matters() {
        for check in Check::ALL {
            let CheckAbout { title, looks_at, matters } = check.about();
            assert!(!title.is_empty() && !looks_at.ends_with('.'), "{check:?}");
            assert!(matters.ends_with('.'), "{check:?}: {matters}");
        }
    }

    #[test]
    fn the_worst_comes_first_and_unknown_is_never_among_the_well() {
        let of = |check, level| Finding::new(check, level, "", "");
        let sorted = Findings::worst_first(vec![
            of(Check::System, Level::Ok),
            of(Check::Sleep, Level::Unknown),
            of(Check::Disk, Level::Note),
            of(Check::Tools, Level::Warn),
            of(Check::Token, Level::Bad),
            of(Check::Files, Level::Bad),
        ]);
        let order: Vec<Check> = sorted.findings.iter().map(|finding| finding.check).collect();
        let wanted =
            [Check::Files, Check::Token, Check::Tools, Check::Sleep, Check::Disk, Check::System];
        assert_eq!(order, wanted);
        assert!(sorted.are_bad());
    }

    #[test]
    fn what_a_newer_version_says_is_unknown_and_not_well() {
        let newer = r#"{"check":"moon","level":"dire","subject":"s","reading":"r","matters":"m"}"#;
        let finding: Finding = serde_json::from_str(newer).unwrap();
        assert_eq!((finding.check, finding.level), (Check::Other, Level::Unknown));
    }
}
