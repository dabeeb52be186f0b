//! Random wishes and `kill -9` at random moments, round after round, on a runner that works all the
//! time. Nothing that was not cancelled, and whose wrapper was not killed, may be lost.
//!
//! `RUNNER_TRAY_TRIALS_ROUNDS` (100) is shared by the tests of this file; a failing one prints its
//! seed, and `RUNNER_TRAY_TRIALS_SEED` repeats it, as far as real processes can be repeated.

mod chance;
mod invariants;
mod round;
mod world;

use chance::Chance;
use world::World;

const TESTS: u64 = 4;
const ROUNDS: u64 = 100;

#[test]
fn no_task_is_lost_first_quarter() {
    rounds(0);
}

#[test]
fn no_task_is_lost_second_quarter() {
    rounds(1);
}

#[test]
fn no_task_is_lost_third_quarter() {
    rounds(2);
}

#[test]
fn no_task_is_lost_fourth_quarter() {
    rounds(3);
}

fn rounds(quarter: u64) {
    let seed = from_environment("RUNNER_TRAY_TRIALS_SEED").unwrap_or_else(chance::any_seed);
    let rounds = from_environment("RUNNER_TRAY_TRIALS_ROUNDS").unwrap_or(ROUNDS);
    println!("seed {seed}: RUNNER_TRAY_TRIALS_SEED={seed} repeats it");
    let mut world = World::new(Chance::new(seed.wrapping_add(quarter)));
    for round in 0..rounds.div_ceil(TESTS) {
        println!("round {round}");
        world.round();
        world.check();
    }
    world.end();
}

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}")))
}
