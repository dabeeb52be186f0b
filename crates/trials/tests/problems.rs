//! Problems that nothing else here comes by: a keychain that refuses, an agent that crashes after it
//! had long worked, one that cannot be put in its place, a keeper that dies and cannot be followed, one
//! that dies before it could say that it drained. And a list: no problem is without a trial.
#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use local_circleci::Outcome;
use protocol::{ProblemCode, RunnerState, TaskResult, TokenStore};
use trials::{
    Circle, DEADLINE, Desktop, Options, Place, REFUSAL, RUNNER, Refusing, Rig, is_alive, keeper,
    kill, signals_heard, until, until_some,
};

const USUAL: Options<'_> = Options { hold_at: None, variant: "" };

#[test]
fn a_keychain_that_refuses_is_told_in_its_words_costs_no_task_and_heals() {
    let Some(mut desktop) = Desktop::start() else { return };
    let mut place = Place::new();
    place.set_env("DBUS_SESSION_BUS_ADDRESS", desktop.address());
    let circle = Circle::start(&place);
    let mut rig = Rig::with(place, circle, &USUAL);
    rig.set_up();
    rig.until_state(RunnerState::Idle);
    rig.api.move_token(RUNNER, TokenStore::Keychain).unwrap();
    let job = rig.long_job();
    job.until_begun();
    desktop.end_keychain();
    let refusing = Refusing::start(desktop.address());
    // What runs has its token; the next agent does not get one.
    rig.api.pause(RUNNER).unwrap();
    rig.until_state(RunnerState::Draining);
    job.let_go();
    rig.assert_ended_well(&job);
    rig.until_state(RunnerState::Paused);
    rig.api.resume(RUNNER).unwrap();
    let told = rig.place.until_told(ProblemCode::KeychainRefused, REFUSAL);
    assert_eq!(told.runner.unwrap().state, RunnerState::Problem);
    let refused = rig.api.set_token(RUNNER, &rig.circle.token(trials::CLASS)).unwrap_err();
    assert!(refused.to_string().contains(REFUSAL), "{refused}");
    assert_eq!(rig.witness.agents(), 1);

    drop(refusing);
    desktop.unlock();
    rig.assert_works_again();
    rig.finish();
}

#[test]
fn an_agent_that_crashes_after_it_had_long_worked_is_told_and_its_task_runs_to_its_end() {
    /// What ends sooner ended at its start.
    const LONG: Duration = Duration::from_secs(31);
    let mut rig = Rig::idle(&USUAL);
    let job = rig.long_job();
    job.until_begun();
    let (run, begun) = (rig.run(), Instant::now());
    let (task, processes) = rig.task(&run);
    // It began before we looked.
    until(DEADLINE, "it has lived for long", || begun.elapsed() > LONG);
    kill(&run.started().written().unwrap().process);
    let told = rig.place.until_told(ProblemCode::AgentCrashed, "ended by signal 9");
    assert_eq!(told.runner.unwrap().state, RunnerState::Busy);
    assert_eq!(rig.witness.agents(), 1, "the next agent waits for the task");
    job.let_go();
    job.until_nothing_is_left(&processes.all());
    until_some(DEADLINE, "its end is on record", || task.finished().written());
    assert!(job.is_done());
    let next = rig.short_job();
    assert_eq!(rig.circle.finished(next.number).outcome, Some(Outcome::Success));
    rig.until_well();
    until(DEADLINE, "both tasks are in the history", || rig.api.history().unwrap().len() == 2);
    rig.finish();
}

#[test]
fn an_agent_that_cannot_be_put_in_its_place_is_told_with_the_folder_and_heals_by_itself() {
    let mut rig = Rig::bare(&USUAL);
    let agents = rig.place.folders().agents();
    let _ = fs::remove_dir_all(&agents);
    run_dir::write_atomically(&agents, b"no folder").unwrap();
    rig.set_up();
    let about = agents.to_str().unwrap();
    let told = rig.place.until_told(ProblemCode::AgentNotInstalled, about);
    assert_eq!(told.runner.unwrap().state, RunnerState::Problem);
    assert_eq!(rig.runs().len(), 0);
    assert_eq!(fs::read(&agents).unwrap(), b"no folder", "what is not ours is left alone");
    fs::remove_file(&agents).unwrap();
    rig.assert_works_again();
    rig.finish();
}

#[test]
fn a_keeper_that_dies_before_it_could_say_that_it_drained_is_told_and_costs_no_task() {
    let mut rig = Rig::idle(&Options { hold_at: Some("drain-written"), ..USUAL });
    let run = rig.run();
    rig.api.pause(RUNNER).unwrap();
    rig.held("drain-written");
    kill(&keeper(&run).unwrap());
    rig.release_held();
    let (runner, problem) = rig.until_problem(ProblemCode::DrainUnconfirmed);
    assert_eq!(runner.state, RunnerState::Draining);
    assert!(problem.reading.unwrap().contains("drain-sent.json is not"));
    // The signal was lost: the agent goes on claiming, and its second task proves it.
    let first = rig.short_job();
    rig.assert_ended_well(&first);
    let second = rig.long_job();
    second.until_begun();
    until_some(DEADLINE, "the TERM is sent again", || run.drain_sent().written());
    second.let_go();
    rig.assert_ended_well(&second);
    rig.until_state(RunnerState::Paused);
    rig.until_well();
    assert_eq!(signals_heard(&run), 1);
    rig.api.resume(RUNNER).unwrap();
    rig.assert_works_again();
    until(DEADLINE, "all tasks are in the history", || rig.api.history().unwrap().len() == 3);
    for task in rig.api.history().unwrap() {
        assert_eq!(task.result, TaskResult::Succeeded, "{task:?}");
    }
    rig.finish();
}

#[test]
fn an_agent_whose_keeper_died_and_cannot_be_followed_is_told_and_works_on_until_it_can() {
    let mut rig = Rig::idle(&USUAL);
    let job = rig.long_job();
    job.until_begun();
    let run = rig.run();
    let agent = run.started().written().unwrap().process;
    let helper = run.plan().written().unwrap().helper;
    let executable = |mode| fs::set_permissions(&helper, Permissions::from_mode(mode)).unwrap();
    executable(0o600);
    kill(&keeper(&run).unwrap());
    let (runner, problem) = rig.until_problem(ProblemCode::AgentUnattended);
    assert_eq!(runner.agent_pid, Some(agent.pid.get()));
    assert!(problem.reading.unwrap().contains("lock is free"));
    assert!(is_alive(&agent) && !job.processes().is_empty());
    rig.kill_supervisor();
    rig.start_supervisor(&USUAL);
    rig.until_problem(ProblemCode::AgentUnattended);

    executable(0o755);
    rig.until_well();
    until(DEADLINE, "an adopting keeper is in charge", || {
        keeper(&run).is_some() && run.keeper().written().is_some_and(|keeper| keeper.adopted)
    });
    job.let_go();
    rig.assert_ended_well(&job);
    rig.assert_works_again();
    assert_eq!(rig.witness.agents(), 1);
    rig.finish();
}

/// Where each problem is reached by the real programs: a file of these trials, and a test in it. A code
/// without one does not compile.
fn trial_of(code: ProblemCode) -> Option<(&'static str, &'static str)> {
    use ProblemCode as Code;
    Some(match code {
        Code::TokenRefused => {
            ("faults", "a_refused_token_is_told_and_not_tried_again_until_there_is_a_new_one")
        }
        Code::TokenMissing => ("keychain", "a_forgotten_token_is_missing_from_the_next_start_on"),
        Code::KeychainLocked | Code::KeychainAbsent => {
            ("keychain", "a_locked_keychain_and_one_that_is_gone_are_told_and_heal_when_it_opens")
        }
        Code::KeychainWaits => {
            ("keychain", "a_prompt_that_nobody_answers_is_told_and_heals_when_it_is_gone")
        }
        Code::KeychainRefused => {
            ("problems", "a_keychain_that_refuses_is_told_in_its_words_costs_no_task_and_heals")
        }
        Code::TokenFileUnusable => {
            ("keychain", "a_token_file_that_is_not_the_owners_alone_is_told_and_not_used")
        }
        Code::TokenCopied => (
            "token_move",
            "a_keychain_that_gives_a_token_out_and_then_hangs_may_have_a_copy_and_that_is_told",
        ),
        Code::RotationUnfinished => ("rotation", "a_pause_stays_and_the_old_token_with_it"),
        Code::RotationUnreadable => {
            ("rotation", "a_record_that_cannot_be_read_is_told_and_nothing_is_done")
        }
        Code::AgentExitsAtStart => (
            "faults",
            "an_agent_that_exits_at_start_is_told_with_its_last_lines_and_tried_ever_more_seldom",
        ),
        Code::AgentCrashed => (
            "problems",
            "an_agent_that_crashes_after_it_had_long_worked_is_told_and_its_task_runs_to_its_end",
        ),
        Code::AgentNotInstalled => (
            "problems",
            "an_agent_that_cannot_be_put_in_its_place_is_told_with_the_folder_and_heals_by_itself",
        ),
        Code::ReleasesUnreachable => ("faults", "a_release_server_that_is_away_is_told_and_heals"),
        Code::ReleasesRefused | Code::ReleaseNotOffered => {
            ("downloads", "a_manifest_that_is_none_is_told_and_never_believed")
        }
        Code::ProxyUnusable => {
            ("downloads", "a_proxy_that_cannot_be_understood_is_told_without_its_password")
        }
        Code::ReleasesUntrusted => {
            ("downloads", "a_server_that_cannot_prove_itself_is_not_trusted")
        }
        Code::ReleaseUnsound => {
            ("faults", "a_release_that_is_not_what_the_manifest_says_is_never_started")
        }
        Code::CleanupFailed => {
            ("cleaning/main", "a_clean_up_that_hangs_is_ended_and_the_task_goes_on")
        }
        Code::DiskNearlyFull => {
            ("full_disk", "a_disk_that_is_nearly_full_is_told_after_the_task_and_so_is_new_room")
        }
        Code::NoRoom => {
            ("full_disk", "an_agent_for_which_the_disk_has_no_room_is_not_even_downloaded")
        }
        Code::InstallStopped => {
            ("downloads", "a_slow_download_tells_its_pace_is_stopped_and_goes_on_where_it_was")
        }
        Code::AgentDamaged => {
            ("faults", "an_agent_that_was_changed_on_disk_is_not_started_but_installed_anew")
        }
        Code::CannotStart => ("disks", "without_inodes_a_pause_holds_tasks_end_well_and_it_heals"),
        Code::DrainUnconfirmed => (
            "problems",
            "a_keeper_that_dies_before_it_could_say_that_it_drained_is_told_and_costs_no_task",
        ),
        Code::AgentUnattended => (
            "problems",
            "an_agent_whose_keeper_died_and_cannot_be_followed_is_told_and_works_on_until_it_can",
        ),
        Code::Offline => ("server_faults", "a_network_that_is_gone_for_a_while_costs_nothing"),
        Code::ServerTroubled | Code::ClaimRefused => {
            ("server_faults", "each_refusal_of_a_claim_has_its_name_and_heals")
        }
        Code::DrainIgnored => (
            "agent_faults",
            "an_agent_that_does_not_heed_its_term_is_named_and_its_tasks_are_left_alone",
        ),
        Code::CannotSave => {
            ("disks", "on_a_disk_that_turns_read_only_tasks_end_well_and_nothing_is_promised")
        }
        Code::AfterTaskRefused => {
            ("session", "what_logind_refuses_is_told_in_its_words_and_the_runner_goes_on")
        }
        Code::StateUnreadable => {
            ("state", "with_wanted_empty_what_runs_goes_on_and_nothing_is_started_or_written")
        }
        Code::StateNewer => (
            "state",
            "with_wanted_from_a_newer_version_what_runs_goes_on_and_nothing_is_started_or_written",
        ),
        Code::HistoryUnavailable => {
            ("nonsense", "a_history_that_is_no_database_is_told_and_no_task_is_lost_for_it")
        }
        Code::SettingsUnreadable => {
            ("state", "with_settings_that_are_nonsense_what_runs_goes_on_and_a_pause_holds")
        }
        Code::JobUserUnusable => (
            "job_user/another",
            "a_job_user_that_is_gone_is_a_problem_with_the_exact_way_out_and_heals",
        ),
        Code::RunUnreadable => (
            "faults",
            "a_run_whose_directory_is_deleted_is_unknown_and_has_no_second_agent_beside_it",
        ),
        Code::TaskUnrecorded => {
            ("full_disk", "a_task_without_records_counts_as_busy_and_ends_well")
        }
        Code::TaskLost => {
            ("history", "a_lost_task_is_told_with_its_way_out_until_the_next_is_over")
        }
        // Nobody finds it.
        Code::Other => return None,
    })
}

/// The text of a test, from its name to its end, and of the functions of its file that it calls.
fn text_of(file: &str, test: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/{file}.rs"));
    let all = fs::read_to_string(path).unwrap();
    assert!(all.contains(&format!("#[test]\nfn {test}() {{\n")), "{file}.rs has no test {test}");
    let functions: Vec<(&str, &str)> = all
        .split("\nfn ")
        .skip(1)
        .filter_map(|text| Some((text.split(['(', '<']).next()?, text.split_once("\n}\n")?.0)))
        .collect();
    let (_, own) = functions.iter().find(|(name, _)| *name == test).unwrap();
    let called = functions.iter().filter(|(name, _)| own.contains(&format!("{name}(")));
    called.map(|(_, text)| *text).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_problem_is_reached_by_a_trial_that_waits_until_it_is_told() {
    for code in ProblemCode::ALL {
        let (file, test) = trial_of(*code).unwrap_or_else(|| panic!("{code:?} has no trial"));
        let body = text_of(file, test);
        let name = format!("{code:?}");
        let is_named = body.contains(&format!("ProblemCode::{name}"))
            || body.contains("use ProblemCode::{") && body.contains(&format!("({name}, "));
        assert!(is_named, "{file}::{test} does not name {name}");
    }
}
