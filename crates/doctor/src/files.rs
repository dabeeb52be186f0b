//! Our own folders and files: whose they are and who else reaches them; and whether the settings can
//! be read.

use protocol::{Check, Finding, Level, ProblemCode};

use crate::unknown;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Folder,
    File,
    Link,
    Other,
}

/// What lies at a path, links not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub kind: Kind,
    /// Whether it belongs to whoever runs Runner Tray.
    pub is_ours: bool,
    pub owner: u32,
    /// The permission bits.
    pub mode: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// Nobody else may do anything with it.
    Private,
    /// Others may read it, and nobody else may change it.
    OursToChange,
}

/// A path and what was found there; `Ok(None)`: nothing yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub path: String,
    pub wants: Wants,
    pub found: Result<Option<Entry>, String>,
}

/// One finding for each place that is not as it should be; one for all where everything is.
pub fn files(places: &[Place]) -> Vec<Finding> {
    let findings: Vec<Finding> = places.iter().filter_map(of).collect();
    if !findings.is_empty() {
        return findings;
    }
    let there = places.iter().filter(|place| matches!(place.found, Ok(Some(_)))).count();
    let reading = match there {
        0 => "nothing there yet".to_owned(),
        1 => "1 of ours, closed as it should be".to_owned(),
        _ => format!("{there} of ours, closed as they should be"),
    };
    vec![Finding::new(Check::Files, Level::Ok, "folders, settings and tokens", reading)]
}

fn of(place: &Place) -> Option<Finding> {
    let path = &place.path;
    let finding = |level, reading: String| Finding::new(Check::Files, level, path.clone(), reading);
    let entry = match &place.found {
        Err(why) => return Some(unknown(Check::Files, path.clone(), why)),
        Ok(None) => return None,
        Ok(Some(entry)) => entry,
    };
    let Entry { kind, is_ours, owner, mode } = entry;
    match kind {
        Kind::Link => {
            let mend = format!("Replace it by what it leads to, or set {}.", host::HOME_VARIABLE);
            return Some(finding(Level::Bad, "a symbolic link".into()).mend(mend));
        }
        Kind::Other => {
            let reading = "neither a file nor a folder".to_owned();
            return Some(finding(Level::Bad, reading).mend("Move it away."));
        }
        Kind::Folder | Kind::File => {}
    }
    if !is_ours {
        let mend = format!("Give it to yourself: `sudo chown -R \"$(id -un)\" '{path}'`");
        return Some(finding(Level::Bad, format!("belongs to user {owner}")).mend(mend));
    }
    let (others, change, level) = match place.wants {
        Wants::Private => (0o077, "go-rwx", Level::Warn),
        Wants::OursToChange => (0o022, "go-w", Level::Bad),
    };
    if mode & others == 0 {
        return None;
    }
    let level = if mode & 0o022 == 0 { level } else { Level::Bad };
    let who = if mode & 0o022 == 0 { "can be read" } else { "can be changed" };
    let reading = format!("{who} by other users (mode {mode:o})");
    Some(finding(level, reading).mend(format!("Close it: `chmod {change} '{path}'`")))
}

/// `read`: how many runners the settings name.
pub fn settings(path: &str, read: Result<usize, String>) -> Vec<Finding> {
    vec![match read {
        Ok(0) => Finding::new(Check::Settings, Level::Note, path, "no runner is set up yet"),
        Ok(1) => Finding::new(Check::Settings, Level::Ok, path, "1 runner"),
        Ok(several) => {
            let reading = format!("{several} runners; CircleCI documents one for each machine");
            Finding::new(Check::Settings, Level::Note, path, reading)
        }
        Err(why) => Finding::new(Check::Settings, Level::Bad, path, why)
            .mend(ProblemCode::SettingsUnreadable.about().hint),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::levels;

    fn place(wants: Wants, kind: Kind, is_ours: bool, mode: u32) -> Place {
        let entry = Entry { kind, is_ours, owner: if is_ours { 1000 } else { 12 }, mode };
        Place { path: "/home/me/x y".into(), wants, found: Ok(Some(entry)) }
    }

    #[test]
    fn what_others_could_read_or_change_is_told_with_the_command_that_closes_it() {
        use Kind::{File, Folder, Link, Other};
        use Wants::{OursToChange, Private};
        for (place, level, says) in [
            (place(Private, Folder, true, 0o755), Level::Warn, "chmod go-rwx '/home/me/x y'"),
            (place(Private, Folder, true, 0o770), Level::Bad, "can be changed"),
            (place(Private, File, true, 0o640), Level::Warn, "can be read"),
            (place(OursToChange, Folder, true, 0o775), Level::Bad, "chmod go-w"),
            (place(OursToChange, Folder, false, 0o755), Level::Bad, "sudo chown"),
            (place(Private, Link, true, 0o777), Level::Bad, "symbolic link"),
            (place(Private, Other, true, 0o600), Level::Bad, "Move it away"),
        ] {
            let found = files(&[place]);
            assert_eq!(levels(&found), [level], "{found:?}");
            let words = format!("{} {}", found[0].reading, found[0].mend.as_ref().unwrap());
            assert!(words.contains(says), "{words}");
        }
    }

    #[test]
    fn closed_places_and_those_to_come_are_one_line() {
        let closed = place(Wants::Private, Kind::Folder, true, 0o700);
        let open = place(Wants::OursToChange, Kind::Folder, true, 0o755);
        let none = Place { found: Ok(None), ..closed.clone() };
        let found = files(&[closed, open, none]);
        assert_eq!(levels(&found), [Level::Ok]);
        assert!(found[0].reading.starts_with("2 of ours"), "{found:?}");
    }

    #[test]
    fn settings_are_bad_where_they_cannot_be_read_and_a_note_before_set_up() {
        for (read, level) in [
            (Ok(0), Level::Note),
            (Ok(1), Level::Ok),
            (Ok(3), Level::Note),
            (Err("line 3: what is this".to_owned()), Level::Bad),
        ] {
            assert_eq!(levels(&settings("/s", read.clone())), [level], "{read:?}");
        }
    }
}
