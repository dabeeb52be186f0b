use std::collections::HashSet;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use protocol::{HistoryPage, Outcome, TaskResult};
use tempfile::TempDir;

use super::*;

fn task(n: i64, runner: &str) -> FinishedTask {
    FinishedTask {
        id: TaskId::from(format!("run.{n}").as_str()),
        runner: runner.parse().unwrap(),
        project: Some("acme/web-app".into()),
        branch: None,
        job: None,
        build_number: None,
        link: None,
        started_at: Timestamp::from_second(n).unwrap(),
        finished_at: Timestamp::from_second(n + 5).unwrap(),
        result: TaskResult::Failed { exit_code: Some(3) },
        directory: None,
    }
}

fn with(tasks: &[FinishedTask]) -> (TempDir, PathBuf, History) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.sqlite");
    let history = History::open(&path).unwrap();
    for task in tasks {
        history.record(task).unwrap();
    }
    (folder, path, history)
}

fn all(path: &Path) -> Vec<FinishedTask> {
    page(path, &Asked { limit: Some(500), ..Asked::default() }).unwrap().tasks
}

#[test]
fn pages_follow_one_another_without_gap_or_repeat() {
    let of = |n: i64| task(n, if n % 2 == 0 { "even" } else { "odd" });
    let (_folder, path, _history) = with(&(0..25).map(of).collect::<Vec<_>>());
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = page(&path, &Asked { before, limit: Some(10), ..Asked::default() }).unwrap();
        seen.extend(page.tasks);
        before = page.before;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..25).rev().map(of).collect::<Vec<_>>());
}

#[test]
fn tasks_are_found_by_runner_result_project_and_time_and_by_all_of_them() {
    let results = [
        TaskResult::Succeeded,
        TaskResult::Failed { exit_code: None },
        TaskResult::Failed { exit_code: Some(3) },
        TaskResult::Cancelled,
        TaskResult::Lost,
    ];
    let of = |n: i64| FinishedTask {
        result: results[usize::try_from(n).unwrap() % results.len()],
        project: (n % 3 != 0).then(|| format!("acme/{}", n % 3)),
        ..task(n, if n % 2 == 0 { "even" } else { "odd" })
    };
    let tasks: Vec<_> = (0..60).rev().map(of).collect();
    let (_folder, path, _history) = with(&tasks);
    let since = Timestamp::from_second(40).unwrap();
    // The very end of one of them, which is not before it.
    let until = tasks[20].finished_at;
    for asked in [
        Asked { runner: Some("odd".parse().unwrap()), ..Asked::default() },
        Asked { outcome: Some(Outcome::Failed), ..Asked::default() },
        Asked { project: Some("acme/2".into()), ..Asked::default() },
        Asked { since: Some(since), ..Asked::default() },
        Asked { until: Some(until), ..Asked::default() },
        Asked {
            runner: Some("even".parse().unwrap()),
            outcome: Some(Outcome::Failed),
            project: Some("acme/1".into()),
            since: Some(Timestamp::from_second(10).unwrap()),
            until: Some(until),
            ..Asked::default()
        },
    ] {
        let asked = Asked { limit: Some(500), ..asked };
        let expected: Vec<_> = tasks
            .iter()
            .filter(|task| asked.runner.as_ref().is_none_or(|runner| *runner == task.runner))
            .filter(|task| asked.outcome.is_none_or(|outcome| outcome == task.result.outcome()))
            .filter(|task| asked.project.is_none() || asked.project == task.project)
            .filter(|task| asked.since.is_none_or(|since| task.finished_at >= since))
            .filter(|task| asked.until.is_none_or(|until| task.finished_at < until))
            .cloned()
            .collect();
        assert!(!expected.is_empty() && expected.len() < tasks.len());
        assert_eq!(page(&path, &asked).unwrap().tasks, expected, "{asked:?}");
    }
}

/// What `EXPLAIN QUERY PLAN` says, line by line.
fn plan(history: &History, query: &str, values: usize) -> Vec<String> {
    let mut statement = history.connection.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
    let values = (0..values).map(|_| rusqlite::types::Value::from(1));
    let rows = statement
        .query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3))
        .unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn every_question_goes_along_one_index_and_nothing_is_sorted() {
    let (_folder, _path, history) = with(&[]);
    for which in 0..16 {
        let is = |bit: u32| which & (1 << bit) != 0;
        let asked = Asked {
            runner: is(0).then(|| "mini".parse().unwrap()),
            outcome: is(1).then_some(Outcome::Lost),
            project: is(2).then(|| "acme/web-app".into()),
            since: is(3).then_some(Timestamp::UNIX_EPOCH),
            ..Asked::default()
        };
        let (query, values) = super::page::query(&asked, (i64::MAX, String::new()), 50);
        let plan = plan(&history, &query, values.len());
        let index = match (is(2), is(1), is(0)) {
            (true, _, _) => "task_by_project (project=? AND ",
            (_, true, _) => "task_by_outcome (<expr>=? AND ",
            (_, _, true) => "task_by_runner (runner=? AND ",
            _ => "task_by_end (",
        };
        assert_eq!(plan.len(), 1, "{asked:?}: {plan:#?}");
        assert!(plan[0].starts_with(&format!("SEARCH task USING INDEX {index}")), "{plan:#?}");
        assert!(plan[0].contains("(finished_ms,id)<(?,?)"), "{plan:#?}");
        assert!(!is(3) || plan[0].contains("finished_ms>?"), "{plan:#?}");
    }
    for (query, values) in [(super::prune::TOO_OLD, 2), (super::prune::TOO_MANY, 3)] {
        let plan = plan(&history, query, values);
        assert!(
            plan.len() == 1 && plan[0].starts_with("SEARCH task USING COVERING INDEX"),
            "{plan:#?}"
        );
    }
}

#[test]
fn the_first_record_of_a_task_stays() {
    let (_folder, path, history) = with(&[task(1, "a")]);
    history.record(&FinishedTask { project: None, ..task(1, "a") }).unwrap();
    assert_eq!(all(&path), [task(1, "a")]);
}

#[test]
fn an_amended_task_keeps_what_was_known_of_it() {
    let (_folder, path, history) = with(&[task(1, "a")]);
    let late = FinishedTask { project: None, result: TaskResult::Succeeded, ..task(1, "a") };
    history.amend(&late).unwrap();
    assert_eq!(all(&path), [FinishedTask { result: TaskResult::Succeeded, ..task(1, "a") }]);
}

#[test]
fn a_history_from_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.sqlite");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = std::fs::read(&path).unwrap();
    let words = History::open(&path).err().unwrap().to_string();
    assert!(words.contains("newer"), "{words}");
    let words = page(&path, &Asked::default()).unwrap_err().to_string();
    assert!(words.contains("newer"), "{words}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_reader_makes_no_file_and_can_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.sqlite");
    let none = HistoryPage { tasks: Vec::new(), before: None };
    assert_eq!(page(&path, &Asked::default()).unwrap(), none);
    assert!(!path.exists());
    // Begun, and no further.
    std::fs::File::create(&path).unwrap();
    assert_eq!(page(&path, &Asked::default()).unwrap(), none);
    let (_folder, path, _history) = with(&[task(1, "a")]);
    let reader = open_to_read(&path).unwrap().unwrap();
    let error = reader.execute("DELETE FROM task", []).unwrap_err().to_string();
    assert!(error.contains("readonly"), "{error}");
    assert_eq!(all(&path).len(), 1);
}

#[test]
fn a_page_after_a_task_that_is_not_there_is_no_page() {
    let (_folder, path, _history) = with(&[task(1, "a")]);
    let asked = Asked { before: Some(TaskId::from("run.9")), ..Asked::default() };
    assert!(matches!(page(&path, &asked), Err(PageError::NoSuchTask(_))));
}

#[test]
fn what_is_too_old_or_too_much_goes_bit_by_bit_and_what_is_needed_stays() {
    let mut tasks: Vec<_> = (0..1500).map(|n| task(n, "busy")).collect();
    tasks.extend((1..=3).map(|n| task(1500 + n, "calm")));
    let (_folder, path, mut history) = with(&tasks);
    let now = Timestamp::from_second(3000).unwrap();
    let count = |runner: &str| {
        let asked = Asked { runner: Some(runner.parse().unwrap()), ..Asked::default() };
        page(&path, &Asked { limit: Some(500), ..asked }).unwrap().tasks.len()
    };
    let needed = HashSet::from([TaskId::from("run.7")]);
    let keep = Keep { days: 1, tasks: 100 };
    assert_eq!(history.prune(keep, &needed, now).unwrap(), 1000);
    assert_eq!(history.prune(keep, &needed, now).unwrap(), 399);
    assert_eq!(history.prune(keep, &needed, now).unwrap(), 0);
    assert_eq!((count("busy"), count("calm")), (101, 3));
    assert!(history.has(&TaskId::from("run.7")).unwrap());

    let much_later = now + SignedDuration::from_hours(24);
    assert_eq!(history.prune(keep, &HashSet::new(), much_later).unwrap(), 104);
    assert_eq!(all(&path), []);
    // Without a limit that anybody reaches nothing goes.
    history.record(&task(1, "calm")).unwrap();
    assert_eq!(history.prune(Keep::default(), &HashSet::new(), much_later).unwrap(), 0);
}

#[test]
fn what_is_forgotten_gives_its_room_back() {
    let tasks: Vec<_> = (0..1500).map(|n| task(n, "busy")).collect();
    let (_folder, path, history) = with(&tasks);
    drop(history);
    let size = || std::fs::metadata(&path).unwrap().len();
    let before = size();
    let mut history = History::open(&path).unwrap();
    let keep = Keep { days: 400, tasks: 10 };
    let now = Timestamp::from_second(3000).unwrap();
    while history.prune(keep, &HashSet::new(), now).unwrap() > 0 {}
    assert_eq!(all(&path).len(), 10);
    drop(history);
    assert!(size() * 4 < before, "{} of {before} bytes are left", size());
}

/// What the documentation says of its size.
#[test]
fn a_hundred_thousand_tasks_take_some_seventy_megabytes() {
    let (_folder, path, history) = with(&[]);
    let of = |n: i64| FinishedTask {
        id: TaskId::from(format!("20261123T181047.{:03}Z-4f2a9c.{n}", n % 1000).as_str()),
        branch: Some("feature/some-branch-of-usual-length".into()),
        job: Some("build-and-test".into()),
        build_number: Some(n.to_string()),
        link: Some(format!("https://circleci.com/gh/acme/web-app/{n}")),
        ..task(n, "mac-mini-01")
    };
    history.connection.execute_batch("BEGIN").unwrap();
    for n in 0..20_000 {
        history.record(&of(n)).unwrap();
    }
    history.connection.execute_batch("COMMIT").unwrap();
    drop(history);
    let bytes = std::fs::metadata(&path).unwrap().len() * 5;
    assert!((50_000_000..90_000_000).contains(&bytes), "{bytes} bytes");
}

#[test]
fn a_directory_that_jobs_chose_is_known_with_its_last_task() {
    let in_folder = |n: i64, runner: &str, directory: &str| FinishedTask {
        directory: Some(directory.into()),
        ..task(n, runner)
    };
    let tasks = [
        in_folder(1, "a", "/srv/one"),
        in_folder(2, "a", "/srv/two"),
        in_folder(3, "a", "/srv/one"),
        in_folder(4, "b", "/srv/one"),
        task(5, "a"),
    ];
    let (_folder, path, _history) = with(&tasks);
    let found = chosen(&path).unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|it| (it.runner.as_str(), it.path.to_str().unwrap(), it.task.as_str()))
        .collect();
    assert_eq!(
        found,
        [("b", "/srv/one", "run.4"), ("a", "/srv/one", "run.3"), ("a", "/srv/two", "run.2")]
    );
    assert_eq!(all(&path)[2].directory.as_deref(), Some("/srv/one"));
}

#[test]
fn a_history_of_the_first_form_is_taken_over_with_all_its_tasks() {
    let (_folder, path, history) = with(&[task(1, "a"), task(2, "a")]);
    history
        .connection
        .execute_batch("DROP INDEX task_by_directory; ALTER TABLE task DROP COLUMN directory; PRAGMA user_version = 1")
        .unwrap();
    drop(history);
    let history = History::open(&path).unwrap();
    let third = FinishedTask { directory: Some("/srv/one".into()), ..task(3, "a") };
    history.record(&third).unwrap();
    assert_eq!(all(&path), [third, task(2, "a"), task(1, "a")]);
    assert_eq!(chosen(&path).unwrap().len(), 1);
}
