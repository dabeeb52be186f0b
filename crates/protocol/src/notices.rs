//! What the owner is to be told though nobody looks: shown as notifications, and kept, so that what
//! happened while nobody was there is the first thing seen.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ProblemCode, RunnerName, TaskId, TaskResult};

/// One thing to tell, in the words that are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Notice {
    /// Grows with every notice, for ever.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub id: u64,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub at: Timestamp,
    /// Absent: the machine as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub runner: Option<RunnerName>,
    pub about: NoticeAbout,
    /// One line. Like `body` it may hold names that a pipeline chose: text, never markup.
    pub title: String,
    pub body: String,
    /// What can be done about it, the best first.
    pub offers: Vec<NoticeOffer>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum NoticeAbout {
    Problem {
        code: ProblemCode,
    },
    /// A problem that was told is over.
    Healed {
        code: ProblemCode,
    },
    /// A pause is past its end: the runner claims again, if nothing else holds it.
    PauseEnded,
    /// No task runs any more, and what was asked for after it is done.
    AfterTask {
        #[serde(rename = "do")]
        act: crate::AfterTaskAct,
    },
    TaskEnded {
        task: TaskId,
        result: TaskResult,
        /// Its page; always https or http.
        link: Option<String>,
    },
    /// An installation of what jobs need ended, and not all is there.
    PreinstallFailed,
    /// Known only to a newer version; its words are for people and still hold.
    #[serde(other)]
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum NoticeOffer {
    /// End your pause of the runner, or of all where it names none.
    Resume,
    /// The task's page.
    Open,
    /// The window.
    Details,
    /// Known only to a newer version; not shown.
    #[serde(other)]
    Other,
}

impl NoticeOffer {
    /// What a desktop gives back when its button was pressed.
    pub fn key(self) -> &'static str {
        match self {
            Self::Resume => "resume",
            Self::Open => "open",
            Self::Details => "details",
            Self::Other => "other",
        }
    }

    /// What stands on its button. None: it has no button.
    pub fn words(self) -> Option<&'static str> {
        match self {
            Self::Resume => Some("Resume"),
            Self::Open => Some("Open"),
            Self::Details => Some("Details"),
            Self::Other => None,
        }
    }
}

/// How far notices have come, in every snapshot.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct NoticesSeen {
    /// The id of the newest notice; 0 before the first.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub newest: u64,
    /// Up to here the owner has seen them, by `PUT /v1/notices/seen`.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub seen: u64,
}

/// `GET /v1/notices?since=&limit=`: with a greater id than `since`, the newest first. Old ones are
/// forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Notices {
    pub notices: Vec<Notice>,
    #[serde(flatten)]
    pub seen: NoticesSeen,
}

/// `PUT /v1/notices/seen`: the owner has seen all up to this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct SeenNotices {
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub up_to: u64,
}
