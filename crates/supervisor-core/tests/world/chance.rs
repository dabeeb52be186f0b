//! How often each of the things that may happen does.

use proptest::prelude::*;
use proptest::strategy::Union;

use super::agent::Manner;
use super::disk::How;
use super::jobs::Ending;
use super::keeper::At;
use super::step::Step;

/// What a history is rich in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flavour {
    pub(crate) people: u32,
    pub(crate) clock: u32,
    pub(crate) deaths: u32,
    pub(crate) late: u32,
    pub(crate) unreadable: u32,
    pub(crate) settings: u32,
    pub(crate) faults: u32,
}

fn endings() -> impl Strategy<Value = Ending> {
    prop_oneof![
        8 => Just(Ending::Well),
        1 => Just(Ending::Halfway),
        1 => Just(Ending::Badly),
        1 => Just(Ending::Oddly),
    ]
}

fn manners() -> impl Strategy<Value = Manner> {
    prop_oneof![
        10 => Just(Manner::Well),
        3 => Just(Manner::Claiming),
        1 => Just(Manner::Refused),
        1 => prop_oneof![Just(0), Just(1)].prop_map(Manner::Exits),
        1 => Just(Manner::Crashes),
    ]
}

fn ends() -> impl Strategy<Value = How> {
    prop_oneof![4 => Just(How::Code(0)), 1 => Just(How::Code(1)), 1 => Just(How::Lost)]
}

/// Between any two things a keeper does; most of all round the TERM.
fn points() -> impl Strategy<Value = At> {
    prop_oneof![
        1 => Just(At::LockTaken),
        1 => Just(At::StartedWritten),
        3 => Just(At::DrainWritten),
        3 => Just(At::TermSent),
        1 => Just(At::CancelSent),
        1 => Just(At::ExitWritten),
    ]
}

/// How many runners, and what happens to them.
pub(crate) fn histories(of: Flavour) -> impl Strategy<Value = (usize, Vec<Step>)> {
    let n = any::<u8>;
    let yes = any::<bool>;
    let steps: Vec<(u32, BoxedStrategy<Step>)> = vec![
        (
            4 * of.people,
            (n(), n(), prop_oneof![Just(0), 1..60_u8])
                .prop_map(|(runner, by, minutes)| Step::Pause { runner, by, minutes })
                .boxed(),
        ),
        (4 * of.people, (n(), n()).prop_map(|(runner, by)| Step::Resume { runner, by }).boxed()),
        (
            3 * of.people,
            (n(), prop::bool::weighted(0.8))
                .prop_map(|(run, newest)| Step::Cancel { run, newest })
                .boxed(),
        ),
        (of.people, n().prop_map(|runner| Step::StopInstall { runner }).boxed()),
        (of.people, n().prop_map(|runner| Step::Install { runner }).boxed()),
        (4, (0..400_u16).prop_map(|seconds| Step::Wait { seconds }).boxed()),
        (
            of.clock,
            prop_oneof![-10_000..10_000_i32, -30..30_i32, -40_000_000..40_000_000_i32]
                .prop_map(|seconds| Step::SetClock { seconds })
                .boxed(),
        ),
        (of.clock.min(of.deaths), Just(Step::Reboot).boxed()),
        (2 * of.deaths, Just(Step::SupervisorDies).boxed()),
        (
            2 * of.deaths,
            (0..8_u8).prop_map(|effects| Step::SupervisorDiesAfter { effects }).boxed(),
        ),
        (4 + 4 * of.deaths, Just(Step::SupervisorStarts).boxed()),
        (
            12,
            (n(), 1..5_u8, yes())
                .prop_map(|(run, moves, seen)| Step::KeeperMoves { run, moves, seen })
                .boxed(),
        ),
        (
            3 * of.deaths,
            (n(), yes()).prop_map(|(run, seen)| Step::KeeperDies { run, seen }).boxed(),
        ),
        (
            3 * of.deaths,
            (n(), points()).prop_map(|(run, at)| Step::KeeperDiesAt { run, at }).boxed(),
        ),
        (1, n().prop_map(|run| Step::KeeperCannotStart { run }).boxed()),
        (
            12,
            (n(), manners(), yes())
                .prop_map(|(run, manner, seen)| Step::AgentMoves { run, manner, seen })
                .boxed(),
        ),
        (5, (n(), 1..4_u8).prop_map(|(runner, tasks)| Step::Queue { runner, tasks }).boxed()),
        (
            3,
            (n(), prop::bool::weighted(0.3), yes())
                .prop_map(|(run, failed, seen)| Step::TaskSpeaks { run, failed, seen })
                .boxed(),
        ),
        (
            5,
            (n(), ends(), yes())
                .prop_map(|(run, how, seen)| Step::TaskEnds { run, how, seen })
                .boxed(),
        ),
        (10, (n(), endings()).prop_map(|(which, ending)| Step::Job { which, ending }).boxed()),
        (6, Just(Step::News).boxed()),
        (3 * of.late, (n(), yes()).prop_map(|(run, torn)| Step::ReadLater { run, torn }).boxed()),
        (
            3 * of.late,
            (n(), yes()).prop_map(|(which, twice)| Step::LateNews { which, twice }).boxed(),
        ),
        (2 * of.unreadable, (n(), n()).prop_map(|(run, what)| Step::Hide { run, what }).boxed()),
        (2 * of.unreadable, n().prop_map(|run| Step::Unhide { run }).boxed()),
        (of.settings, (n(), yes()).prop_map(|(runner, seen)| Step::List { runner, seen }).boxed()),
        (
            of.settings,
            (n(), yes()).prop_map(|(runner, seen)| Step::Change { runner, seen }).boxed(),
        ),
        (of.settings, yes().prop_map(|yes| Step::SettingsReadable { yes }).boxed()),
        (
            of.unreadable,
            prop::bool::weighted(0.7).prop_map(|yes| Step::WantedReadable { yes }).boxed(),
        ),
        (of.faults, yes().prop_map(|yes| Step::DiskFull { yes }).boxed()),
        (of.faults, prop::bool::weighted(0.4).prop_map(|yes| Step::NoSpawn { yes }).boxed()),
        (of.faults, prop::bool::weighted(0.6).prop_map(|up| Step::Network { up }).boxed()),
        (1, n().prop_map(|runner| Step::TokenChanged { runner }).boxed()),
        (1, Just(Step::Prune).boxed()),
        (8, (1..6_u8).prop_map(|moments| Step::AllGoesWell { moments }).boxed()),
    ];
    let steps = steps.into_iter().filter(|(weight, _)| *weight > 0).collect();
    (1..=3_usize, prop::collection::vec(Union::new_weighted(steps), 10..70))
}
