//! Rules, and what they choose of what lies there. Pure: it reads no file, no lock and no clock.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::measure::Size;
use crate::place::Place;
use crate::plan::{Item, Plan, PlannedRoot, VERSION};

/// An entry of a root that may be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which of the roots.
    pub root: usize,
    /// From the root on.
    pub path: Place,
    pub inode: u64,
    pub owner: u32,
    pub size: Size,
    /// Held while it is in use.
    pub lock: Option<Place>,
    /// That lock was held, or could not be asked.
    pub is_in_use: bool,
    /// The owner marked it.
    pub never_delete: bool,
}

/// Free space that a volume shall have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal {
    /// Of the device that the roots are on.
    pub device: u64,
    /// In bytes, now.
    pub free: u64,
    /// In bytes, wanted.
    pub wanted: u64,
}

/// What goes. All rules of one kind of thing are applied together: an entry goes if one names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Everything.
    All,
    /// All but the last so many.
    KeepLast(usize),
    /// What was not used for so many days.
    UnusedFor { days: u32 },
    /// The least recently used, until the others together have at most so many bytes.
    AtMost { bytes: u64 },
    /// The least recently used, until the volume has as much free space as is wanted.
    Free(Goal),
}

impl Rule {
    fn name(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::KeepLast(_) => "keep-last",
            Self::UnusedFor { .. } => "unused",
            Self::AtMost { .. } => "at-most",
            Self::Free(_) => "free-space",
        }
    }
}

/// The list that the rules make of the candidates. What is in use, marked, or reaches out of its root
/// is never on it.
pub fn plan(
    roots: Vec<PlannedRoot>,
    candidates: &[Candidate],
    rules: &[Rule],
    now: Timestamp,
) -> Plan {
    let mut free: Vec<&Candidate> = candidates
        .iter()
        .filter(|it| !it.is_in_use && !it.never_delete)
        .filter(|it| it.path.is_below() && it.root < roots.len())
        .collect();
    // The least recently used first; what is not known was used long ago, and of equals the larger.
    free.sort_by(|a, b| {
        (a.size.used, b.size.freed(), &a.path).cmp(&(b.size.used, a.size.freed(), &b.path))
    });
    let mut chosen: Vec<Option<(&'static str, String)>> = vec![None; free.len()];
    for rule in rules {
        choose(rule, &roots, candidates, &free, &mut chosen, now);
    }
    let item = |(candidate, chosen): (&&Candidate, Option<(&'static str, String)>)| {
        let (rule, why) = chosen?;
        Some(Item {
            root: candidate.root,
            path: candidate.path.clone(),
            inode: candidate.inode,
            owner: candidate.owner,
            bytes: candidate.size.freed(),
            entries: candidate.size.files + candidate.size.folders,
            used: candidate.size.used,
            rule: rule.to_owned(),
            why,
            lock: candidate.lock.clone(),
        })
    };
    let items = free.iter().zip(chosen).filter_map(item).collect();
    Plan { version: VERSION, made: now, roots, items }
}

/// Marks what one rule names and none did before.
fn choose(
    rule: &Rule,
    roots: &[PlannedRoot],
    all: &[Candidate],
    free: &[&Candidate],
    chosen: &mut [Option<(&'static str, String)>],
    now: Timestamp,
) {
    let mut name = |at: usize, why: String| {
        if let Some(slot) = chosen.get_mut(at)
            && slot.is_none()
        {
            *slot = Some((rule.name(), why));
        }
    };
    match rule {
        Rule::All => {
            (0..free.len()).for_each(|at| name(at, "it is not needed after a task".into()));
        }
        Rule::KeepLast(keep) => {
            // What is in use or marked stays anyway, and counts among the kept.
            let others = keep.saturating_sub(all.len() - free.len());
            for at in 0..free.len().saturating_sub(others) {
                name(at, the_last(*keep));
            }
        }
        Rule::UnusedFor { days } => {
            let limit = SignedDuration::from_hours(24 * i64::from(*days));
            for (at, it) in free.iter().enumerate() {
                if it.size.used.is_none_or(|used| now.duration_since(used) > limit) {
                    let days = plural(*days as usize, "day", "days");
                    name(at, format!("not used for more than {days}"));
                }
            }
        }
        Rule::AtMost { bytes } => {
            let mut left: u64 = all.iter().map(|it| it.size.bytes).sum();
            for (at, it) in free.iter().enumerate() {
                if left <= *bytes {
                    break;
                }
                left = left.saturating_sub(it.size.bytes);
                name(
                    at,
                    format!(
                        "together they may have {}, and it was used least recently",
                        words(*bytes)
                    ),
                );
            }
        }
        Rule::Free(goal) => {
            let mut there = goal.free;
            for (at, it) in free.iter().enumerate() {
                if there >= goal.wanted {
                    break;
                }
                if roots.get(it.root).is_none_or(|root| root.device != goal.device) {
                    continue;
                }
                there = there.saturating_add(it.size.freed());
                name(
                    at,
                    format!(
                        "free {}, wanted {}, and it was used least recently",
                        words(goal.free),
                        words(goal.wanted)
                    ),
                );
            }
        }
    }
}

fn the_last(keep: usize) -> String {
    match keep {
        0 => "none of the earlier directories is kept".to_owned(),
        1 => "the last directory is kept".to_owned(),
        many => format!("the last {many} directories are kept"),
    }
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// "2.1 GB".
pub(crate) fn words(bytes: u64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB"];
    let (mut whole, mut tenth, mut unit) = (bytes, 0, 0);
    while whole >= 1000 && unit + 1 < units.len() {
        (whole, tenth, unit) = (whole / 1000, whole % 1000 / 100, unit + 1);
    }
    let unit = units.get(unit).copied().unwrap_or_default();
    if unit == "bytes" || whole >= 100 {
        format!("{whole} {unit}")
    } else {
        format!("{whole}.{tenth} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(name: &str, days_ago: i64, bytes: u64) -> Candidate {
        let used = Timestamp::from_second(NOW - days_ago * 86_400).unwrap();
        Candidate {
            root: 0,
            path: name.into(),
            inode: 7,
            owner: 1000,
            size: Size { bytes, used: Some(used), ..Size::default() },
            lock: None,
            is_in_use: false,
            never_delete: false,
        }
    }

    const NOW: i64 = 1_790_000_000;

    fn chosen(candidates: &[Candidate], rules: &[Rule]) -> Vec<String> {
        let root = PlannedRoot { path: "/w".into(), device: 1, inode: 2, volume: 3, trash: None };
        let plan = plan(vec![root], candidates, rules, Timestamp::from_second(NOW).unwrap());
        plan.items.iter().map(|item| item.path.to_string()).collect()
    }

    #[test]
    fn the_last_ones_are_kept_and_the_old_ones_go() {
        let three = [candidate("new", 1, 5), candidate("old", 40, 5), candidate("middle", 10, 5)];
        assert_eq!(chosen(&three, &[Rule::KeepLast(2)]), ["old"]);
        assert_eq!(chosen(&three, &[Rule::KeepLast(9)]), [""; 0]);
        assert_eq!(chosen(&three, &[Rule::UnusedFor { days: 5 }]), ["old", "middle"]);
        assert_eq!(chosen(&three, &[Rule::UnusedFor { days: 10 }]), ["old"]);
    }

    #[test]
    fn the_least_recently_used_go_until_it_is_enough() {
        let three =
            [candidate("new", 1, 50), candidate("old", 40, 30), candidate("middle", 10, 20)];
        assert_eq!(chosen(&three, &[Rule::AtMost { bytes: 70 }]), ["old"]);
        assert_eq!(chosen(&three, &[Rule::AtMost { bytes: 69 }]), ["old", "middle"]);
        let goal = |free, device| Rule::Free(Goal { device, free, wanted: 100 });
        assert_eq!(chosen(&three, &[goal(60, 1)]), ["old", "middle"]);
        assert_eq!(chosen(&three, &[goal(100, 1)]), [""; 0]);
        assert_eq!(chosen(&three, &[goal(0, 2)]), [""; 0], "another volume gains nothing");
    }

    #[test]
    fn what_is_marked_or_in_use_stays_and_counts_as_kept() {
        let mut three =
            [candidate("new", 1, 50), candidate("old", 40, 30), candidate("middle", 10, 20)];
        three[1].is_in_use = true;
        assert_eq!(chosen(&three, &[Rule::All]), ["middle", "new"]);
        three[0].never_delete = true;
        assert_eq!(chosen(&three, &[Rule::KeepLast(2)]), ["middle"]);
    }

    #[test]
    fn the_reason_has_the_number_that_the_owner_set_whatever_is_marked() {
        let mut three = ["new", "old", "older"].map(|name| candidate(name, 1, 50));
        let why = |three: &[Candidate], keep| {
            let root =
                PlannedRoot { path: "/w".into(), device: 1, inode: 2, volume: 3, trash: None };
            let now = Timestamp::from_second(NOW).unwrap();
            let plan = plan(vec![root], three, &[Rule::KeepLast(keep)], now);
            plan.items.first().map(|item| item.why.clone())
        };
        assert_eq!(why(&three, 2).as_deref(), Some("the last 2 directories are kept"));
        three[0].never_delete = true;
        assert_eq!(why(&three, 2).as_deref(), Some("the last 2 directories are kept"));
        assert_eq!(why(&three, 1).as_deref(), Some("the last directory is kept"));
        assert_eq!(why(&three, 0).as_deref(), Some("none of the earlier directories is kept"));
    }

    #[test]
    fn bytes_are_said_as_people_do() {
        assert_eq!(
            [0, 999, 2_150_000_000, 123_456].map(words),
            ["0 bytes", "999 bytes", "2.1 GB", "123 kB"]
        );
    }
}
