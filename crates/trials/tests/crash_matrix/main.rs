//! `kill -9` of each of our processes at each moment of a runner's life, while its agent is logging.
//! A row a victim, a test a cell; what has no such process stands in a table of its own.

mod aftermath;
mod moment;
mod scene;
mod victim;

use moment::Moment::{
    self, BackingOff, BetweenDrainAndTerm, BetweenSpawnAndGo, BetweenTheTwoTerms, Cancelling,
    Draining, Idle, InATask, Starting,
};
use scene::Scene;
use victim::Victim::{
    self, Client, Keeper, Supervisor, SupervisorAndKeeper, WrapperFront, WrapperGuard, WrapperWhole,
};

macro_rules! rows {
    ($($promise:ident: $victim:ident at { $($moment:ident as $name:ident,)* })*) => {
        $(mod $promise {
            $(#[test]
            fn $name() {
                super::trial(super::$victim, super::$moment);
            })*
        })*

        const TRIED: &[(Victim, Moment)] = &[$($(($victim, $moment),)*)*];
    };
}

rows! {
    a_killed_client_changes_nothing: Client at {
        Starting as while_starting,
        BetweenSpawnAndGo as between_spawn_and_go,
        Idle as while_idle,
        InATask as in_a_task,
        BetweenDrainAndTerm as between_drain_and_term,
        Draining as while_draining,
        Cancelling as while_cancelling,
        BetweenTheTwoTerms as between_the_two_terms,
        BackingOff as while_backing_off,
    }
    a_killed_supervisor_is_followed_by_one_that_knows_all: Supervisor at {
        Starting as while_starting,
        BetweenSpawnAndGo as between_spawn_and_go,
        Idle as while_idle,
        InATask as in_a_task,
        BetweenDrainAndTerm as between_drain_and_term,
        Draining as while_draining,
        Cancelling as while_cancelling,
        BetweenTheTwoTerms as between_the_two_terms,
        BackingOff as while_backing_off,
    }
    a_killed_keeper_costs_the_exit_code_and_no_task: Keeper at {
        Starting as while_starting,
        BetweenSpawnAndGo as between_spawn_and_go,
        Idle as while_idle,
        InATask as in_a_task,
        BetweenDrainAndTerm as between_drain_and_term,
        Draining as while_draining,
        Cancelling as while_cancelling,
        BetweenTheTwoTerms as between_the_two_terms,
    }
    supervisor_and_keeper_killed_together_cost_no_task: SupervisorAndKeeper at {
        Starting as while_starting,
        BetweenSpawnAndGo as between_spawn_and_go,
        Idle as while_idle,
        InATask as in_a_task,
        BetweenDrainAndTerm as between_drain_and_term,
        Draining as while_draining,
        Cancelling as while_cancelling,
        BetweenTheTwoTerms as between_the_two_terms,
    }
    a_killed_wrapper_front_ends_its_whole_task: WrapperFront at {
        InATask as in_a_task,
        BetweenDrainAndTerm as between_drain_and_term,
        Draining as while_draining,
        Cancelling as while_cancelling,
        BetweenTheTwoTerms as between_the_two_terms,
    }
    a_killed_wrapper_guard_ends_its_whole_task: WrapperGuard at {
        InATask as in_a_task,
        BetweenDrainAndTerm as between_drain_and_term,
        Draining as while_draining,
        Cancelling as while_cancelling,
        BetweenTheTwoTerms as between_the_two_terms,
    }
    the_next_task_finds_nothing_of_one_whose_whole_wrapper_was_killed: WrapperWhole at {
        InATask as in_a_task,
        BetweenDrainAndTerm as between_drain_and_term,
        Draining as while_draining,
        Cancelling as while_cancelling,
        BetweenTheTwoTerms as between_the_two_terms,
    }
}

/// There is nothing to kill in these cells, and why.
fn nothing_to_kill(victim: Victim, moment: Moment) -> Option<&'static str> {
    match (victim, moment) {
        (
            WrapperFront | WrapperGuard | WrapperWhole,
            Starting | BetweenSpawnAndGo | Idle | BackingOff,
        ) => Some("only a task has a wrapper"),
        (Keeper | SupervisorAndKeeper, BackingOff) => {
            Some("an agent that is not there has no keeper")
        }
        (
            Client | Supervisor | Keeper | SupervisorAndKeeper | WrapperFront | WrapperGuard
            | WrapperWhole,
            _,
        ) => None,
    }
}

#[test]
fn every_cell_of_the_matrix_is_tried_or_has_nothing_to_kill() {
    for victim in Victim::ALL {
        for moment in Moment::ALL {
            let tried = TRIED.iter().filter(|cell| **cell == (victim, moment)).count();
            let wanted = usize::from(nothing_to_kill(victim, moment).is_none());
            assert_eq!(tried, wanted, "{victim:?} {moment:?}");
        }
    }
}

fn trial(victim: Victim, moment: Moment) {
    let mut scene = Scene::at(moment);
    scene.kill(victim);
    scene.aftermath(victim);
}
