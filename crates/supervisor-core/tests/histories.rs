//! Random histories of a whole small world: kills, late news, set clocks, unreadable files, several
//! runners. After every step the laws hold; when all is quiet again, every runner comes back.
//!
//! `RUNNER_TRAY_HISTORIES` says how many each test lives through, `RUNNER_TRAY_SEED` which ones: the
//! same every time unless asked otherwise.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod world;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use world::{Flavour, World, histories};

const PLAIN: Flavour =
    Flavour { people: 1, clock: 0, deaths: 0, late: 0, unreadable: 0, settings: 0, faults: 0 };

#[test]
fn people_and_tasks() {
    live_through(2_500, Flavour { people: 3, ..PLAIN });
}

#[test]
fn everything_is_killed() {
    live_through(2_500, Flavour { people: 3, deaths: 2, ..PLAIN });
}

#[test]
fn news_comes_late_and_files_cannot_be_read() {
    live_through(2_500, Flavour { deaths: 1, late: 3, unreadable: 3, ..PLAIN });
}

#[test]
fn clocks_are_set_and_machines_reboot() {
    live_through(2_500, Flavour { people: 2, clock: 3, deaths: 1, ..PLAIN });
}

#[test]
fn settings_change_and_disks_are_full() {
    live_through(2_500, Flavour { people: 2, settings: 2, faults: 2, ..PLAIN });
}

#[test]
fn all_at_once() {
    let all = 1;
    live_through(
        2_500,
        Flavour {
            people: all,
            clock: all,
            deaths: all,
            late: all,
            unreadable: all,
            settings: all,
            faults: all,
        },
    );
}

fn live_through(histories_by_default: u32, flavour: Flavour) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u32>().unwrap());
    let cases = number("RUNNER_TRAY_HISTORIES").unwrap_or(histories_by_default);
    let seed = number("RUNNER_TRAY_SEED").unwrap_or(0);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let lived = TestRunner::new_with_rng(config, rng)
        .run(&histories(flavour), |(runners, steps)| {
            World::new(runners, false).live(&steps).map_err(TestCaseError::fail)
        });
    match lived {
        Ok(()) => {}
        Err(TestError::Fail(law, (runners, steps))) => {
            let mut world = World::new(runners, true);
            let again = world.live(&steps);
            panic!(
                "{law}\nseed {seed}, {runners} runners, the shortest history found:\n{}\n{again:?}",
                world.story()
            );
        }
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}
