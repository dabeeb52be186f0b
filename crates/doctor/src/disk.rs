//! Volumes: room for tasks and for us, and mounts that forbid what is needed.

use host::Room;
use protocol::{Check, Finding, Level};

use crate::unknown;
use crate::words::{list, size};

const MAKE_ROOM: &str = "Make room on it: `runnerctl clean --dry-run` lists what can go.";

/// What a folder is for; each asks for another amount of room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Where tasks work.
    Work,
    /// The home of whoever jobs run as, where tools keep their caches.
    Home,
    /// Where programs put what they need for a while.
    Temporary,
    /// Agents and helpers, which are started from there.
    Programs,
    /// Runs, logs, history.
    State,
}

impl Use {
    /// "temporary files".
    pub fn words(self) -> &'static str {
        match self {
            Self::Work => "tasks",
            Self::Home => "homes",
            Self::Temporary => "temporary files",
            Self::Programs => "agents",
            Self::State => "state",
        }
    }

    /// In bytes: below the first nothing works, below the second not for long.
    fn needs(self) -> (u64, u64) {
        const MB: u64 = 1_000_000;
        match self {
            Self::Work => (1000 * MB, 10_000 * MB),
            Self::Home | Self::Temporary => (100 * MB, 1000 * MB),
            Self::Programs => (200 * MB, 500 * MB),
            Self::State => (50 * MB, 500 * MB),
        }
    }
}

/// A volume and what lies on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// One folder on it.
    pub at: String,
    /// Folders and what they are for.
    pub uses: Vec<(Use, String)>,
    pub room: Result<Room, String>,
}

pub fn disk(volume: &Volume) -> Vec<Finding> {
    let mut uses: Vec<Use> = volume.uses.iter().map(|(of, _)| *of).collect();
    uses.sort_unstable();
    uses.dedup();
    let names: Vec<&str> = uses.iter().map(|of| of.words()).collect();
    let subject = format!("{} ({})", volume.at, list(&names));
    let room = match &volume.room {
        Ok(room) => room,
        Err(why) => return vec![unknown(Check::Disk, subject, why)],
    };
    let finding =
        |level, reading: String| Finding::new(Check::Disk, level, subject.clone(), reading);
    if room.read_only {
        let reading = "the volume can only be read".to_owned();
        return vec![
            finding(Level::Bad, reading).mend("Mount it for writing, or use another one."),
        ];
    }
    let mut findings = vec![bytes(&uses, room, finding)];
    findings.extend(inodes(room).map(|(level, reading)| {
        finding(level, reading).mend("Delete what is many and small: caches, old build folders.")
    }));
    let runs_programs: Vec<&str> = volume
        .uses
        .iter()
        .filter(|(of, _)| !matches!(of, Use::State | Use::Home))
        .map(|(_, folder)| folder.as_str())
        .collect();
    if room.no_exec && !runs_programs.is_empty() {
        let reading =
            format!("no program can be started from {}: mounted noexec", list(&runs_programs));
        findings.push(
            finding(Level::Bad, reading).mend("Mount it without noexec, or use another one."),
        );
    }
    findings
}

fn bytes(uses: &[Use], room: &Room, finding: impl Fn(Level, String) -> Finding) -> Finding {
    let least = |of: fn(&Use) -> u64| uses.iter().map(of).max().unwrap_or(0);
    let (bad, warn) = (least(|of| of.needs().0), least(|of| of.needs().1));
    let has = format!("free {} of {}", size(room.free), size(room.total));
    if room.free < bad {
        let reading = format!("{has}, needs {}", size(bad));
        finding(Level::Bad, reading).mend(format!("{MAKE_ROOM} Or give the runner another folder."))
    } else if room.free < warn {
        let reading = format!("{has}, better {}", size(warn));
        finding(Level::Warn, reading).mend(MAKE_ROOM)
    } else {
        finding(Level::Ok, has)
    }
}

fn inodes(room: &Room) -> Option<(Level, String)> {
    let (total, free) = room.inodes?;
    let reading = format!("{free} of {total} inodes are free, so hardly a file can be made");
    match free {
        _ if free < 100 => Some((Level::Bad, reading)),
        _ if free < 10_000 && free < total / 50 => Some((Level::Warn, reading)),
        _ => None,
    }
}

/// Whether the state's volume is one on which locks can be trusted.
pub fn state_folder(volume: &Volume) -> Vec<Finding> {
    let state = volume.uses.iter().find(|(of, _)| *of == Use::State);
    let subject = state.map_or_else(|| volume.at.clone(), |(_, folder)| folder.clone());
    vec![match &volume.room {
        Err(why) => unknown(Check::NetworkHome, subject, why),
        Ok(Room { network: None, .. }) => {
            Finding::new(Check::NetworkHome, Level::Ok, subject, "on a disk of this machine")
        }
        Ok(Room { network: Some(kind), .. }) => {
            let reading =
                format!("on a network file system ({kind}): the supervisor does not start");
            Finding::new(Check::NetworkHome, Level::Bad, subject, reading)
                .mend(format!("Set {} to a folder on a disk of this machine.", host::HOME_VARIABLE))
        }
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::levels;

    const GB: u64 = 1_000_000_000;

    fn room(free: u64) -> Room {
        Room {
            device: 1,
            total: 256 * GB,
            free,
            inodes: Some((1_000_000, 900_000)),
            read_only: false,
            no_exec: false,
            network: None,
        }
    }

    fn volume(uses: &[Use], room: Room) -> Volume {
        let uses = uses.iter().map(|of| (*of, format!("/{}", of.words()))).collect();
        Volume { at: "/".into(), uses, room: Ok(room) }
    }

    #[test]
    fn room_is_judged_by_what_needs_most_of_it() {
        use Use::{Home, Programs, State, Temporary, Work};
        for (uses, free, level) in [
            (&[Work, State][..], 61 * GB, Level::Ok),
            (&[Work, State], 9 * GB, Level::Warn),
            (&[Work, State], GB / 2, Level::Bad),
            (&[State], GB / 2, Level::Ok),
            (&[State], 40_000_000, Level::Bad),
            (&[Temporary, Programs], 150_000_000, Level::Bad),
            (&[Temporary], 150_000_000, Level::Warn),
            (&[Home], 150_000_000, Level::Warn),
        ] {
            let found = disk(&volume(uses, room(free)));
            assert_eq!(levels(&found), [level], "{uses:?} {free}: {found:?}");
            assert_eq!(found[0].mend.is_some(), level != Level::Ok);
        }
    }

    #[test]
    fn inodes_count_as_much_as_bytes_where_they_are_counted() {
        for (inodes, level) in [
            (None, None),
            (Some((1_000_000, 900_000)), None),
            (Some((1_000_000, 9000)), Some(Level::Warn)),
            (Some((20_000, 9000)), None),
            (Some((1000, 3)), Some(Level::Bad)),
        ] {
            let found = disk(&volume(&[Use::Work], Room { inodes, ..room(61 * GB) }));
            assert_eq!(found.get(1).map(|finding| finding.level), level, "{inodes:?}");
        }
    }

    #[test]
    fn a_mount_that_forbids_what_is_needed_is_bad() {
        let read_only = Room { read_only: true, ..room(61 * GB) };
        assert_eq!(levels(&disk(&volume(&[Use::Work], read_only))), [Level::Bad]);
        let no_exec = Room { no_exec: true, ..room(61 * GB) };
        let found = disk(&volume(&[Use::Temporary, Use::State], no_exec.clone()));
        assert_eq!(levels(&found), [Level::Ok, Level::Bad]);
        assert!(found[1].reading.contains("/temporary files"), "{found:?}");
        assert_eq!(levels(&disk(&volume(&[Use::State, Use::Home], no_exec))), [Level::Ok]);
    }

    #[test]
    fn state_over_a_network_is_bad() {
        let there = Room { network: Some("nfs".into()), ..room(GB) };
        let found = state_folder(&volume(&[Use::State], there));
        assert_eq!(levels(&found), [Level::Bad]);
        assert!(found[0].mend.as_ref().is_some_and(|mend| mend.contains("RUNNER_TRAY_HOME")));
        assert_eq!(levels(&state_folder(&volume(&[Use::State], room(GB)))), [Level::Ok]);
    }
}
