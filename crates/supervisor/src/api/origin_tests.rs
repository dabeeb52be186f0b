//! Against processes made up where the system cannot be brought to it, and real ones elsewhere.

use std::collections::HashMap;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use process::State;

use super::*;

fn pid(number: u32) -> Pid {
    Pid::new(number).unwrap()
}

fn look(parent: Option<u32>, start: u64) -> Look {
    Look {
        parent: parent.map(pid),
        start: StartTime(start),
        state: State::Runs,
        threads: 1,
        cpu: Duration::ZERO,
        rss: 0,
    }
}

/// Each is there, has ended, or is hidden.
enum Seen {
    There(Option<u32>, u64),
    Hidden,
}

fn line(of: u32, table: &HashMap<u32, Seen>) -> Option<Line> {
    line_of(pid(of), |pid| match table.get(&pid.get()) {
        Some(Seen::There(parent, start)) => Ok(Some(look(*parent, *start))),
        Some(Seen::Hidden) => Err(io::ErrorKind::PermissionDenied.into()),
        None => Ok(None),
    })
}

fn id(number: u32, start: u64) -> Id {
    (pid(number), StartTime(start))
}

#[test]
fn who_descends_from_a_run_is_a_job_and_a_number_alone_is_not_enough() {
    use Seen::There;
    let table = HashMap::from([
        (9, There(Some(7), 90)),
        (7, There(Some(5), 70)),
        (5, There(Some(1), 50)),
        (1, There(None, 1)),
    ]);
    let line = line(9, &table).unwrap();
    for id in [id(9, 90), id(5, 50)] {
        assert_eq!(judge(&line, &HashSet::from([id]), false, || false), Origin::Job);
    }
    // The run's process has ended, and its number is another's.
    assert_eq!(judge(&line, &HashSet::from([id(5, 49)]), false, || true), Origin::Outside);
    assert_eq!(judge(&line, &HashSet::new(), true, || false), Origin::Job);
}

#[test]
fn who_cannot_be_seen_is_unknown_and_so_is_who_may_hide_among_a_jobs() {
    use Seen::{Hidden, There};
    let table = HashMap::from([(9, There(Some(7), 90)), (7, Hidden), (4, Hidden)]);
    let hidden_above = line(9, &table).unwrap();
    let none = HashSet::new();
    assert!(matches!(judge(&hidden_above, &none, false, || true), Origin::Unknown(_)));
    // All that jobs have is seen, so the hidden one is none of theirs: a login of another user.
    assert_eq!(judge(&hidden_above, &none, false, || false), Origin::Outside);
    let hidden = line(4, &table).unwrap();
    assert!(matches!(judge(&hidden, &none, false, || false), Origin::Unknown(_)));
}

#[test]
fn who_has_ended_and_whose_parents_number_is_anothers_is_nobody() {
    use Seen::There;
    let table =
        HashMap::from([(9, There(Some(7), 90)), (7, There(None, 91)), (3, There(Some(2), 5))]);
    for of in [8, 9, 3] {
        assert_eq!(line(of, &table), None, "{of}");
    }
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(of(None, folder.path()), Origin::Unknown(_)));
    let mut ended = Command::new("true").spawn().unwrap();
    let pid = Pid::of_child(&ended);
    ended.wait().unwrap();
    assert!(matches!(of(Some(pid), folder.path()), Origin::Unknown(_)));
}

#[test]
fn a_parent_that_ends_between_two_looks_is_looked_for_again() {
    let looks = std::cell::Cell::new(0);
    let line = line_of(pid(9), |pid| {
        looks.set(looks.get() + 1);
        Ok(match (pid.get(), looks.get()) {
            (9, 1) => Some(look(Some(7), 90)),
            (9, _) => Some(look(Some(1), 90)),
            (1, _) => Some(look(None, 1)),
            _ => None,
        })
    });
    assert_eq!(line.unwrap().seen, [id(9, 90), id(1, 1)]);
}

/// A process with this in its environment that lives until its input ends.
fn waiting(environment: &[(&str, &str)]) -> Child {
    let mut command = Command::new("cat");
    command.env_clear().envs(environment.iter().copied());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // Once it echoes, it is `cat` with its own environment.
    child.stdin.as_mut().unwrap().write_all(b".").unwrap();
    io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0]).unwrap();
    child
}

#[test]
fn a_real_process_is_judged_by_what_jobs_are_told_and_by_nothing_like_it() {
    let folder = tempfile::tempdir().unwrap();
    for (environment, origin) in [
        (vec![("CIRCLECI", "true")], Origin::Job),
        (vec![("CIRCLECI", "1"), ("CI", "true")], Origin::Outside),
        (vec![], Origin::Outside),
    ] {
        let mut child = waiting(&environment);
        assert_eq!(of(Some(Pid::of_child(&child)), folder.path()), origin, "{environment:?}");
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
