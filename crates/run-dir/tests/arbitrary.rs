//! Any bytes in any file of a run: whoever reads them goes on, and nothing that cannot be read is taken
//! for absent.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use run_dir::{AgentLog, RunDir, RunId, RunState, RunsFolder, TaskNumber, TaskState, TokenMark};

const RUN_RECORDS: [&str; 9] = [
    "plan.json",
    "keeper.json",
    "started.json",
    "drain.json",
    "drain-sent.json",
    "drain-lost.json",
    "cancel.json",
    "cancel-sent.json",
    "exit.json",
];

fn put(path: &Path, bytes: &[u8]) {
    run_dir::write_atomically(path, bytes).expect("a file of ours");
}

/// Bytes, text, and JSON of nearly the right shape.
fn nonsense() -> impl Strategy<Value = Vec<u8>> {
    let number = "-?[0-9]{1,25}(\\.[0-9]{1,3})?([eE][0-9]{1,4})?";
    let value = prop_oneof![
        number.prop_map(|number| number),
        Just("null".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        "\"[ -!#-\\[\\]-~]{0,12}\"",
        Just("\"2026-11-23T12:00:00Z\"".to_owned()),
        Just("{\"code\":0}".to_owned()),
        Just("{\"pid\":1,\"start\":1,\"boot\":\"b\"}".to_owned()),
    ];
    let key = prop::sample::select(vec![
        "version",
        "at",
        "end",
        "process",
        "pid",
        "task",
        "outcome",
        "tasks_before",
        "runner",
        "token_mark",
        "log_limit",
        "argv",
        "run",
        "front",
        "guard",
        "left_behind",
    ]);
    let object = prop::collection::vec((key, value), 0..8).prop_map(|fields| {
        let fields: Vec<String> =
            fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        format!("{{{}}}", fields.join(",")).into_bytes()
    });
    prop_oneof![prop::collection::vec(any::<u8>(), 0..200), object]
}

fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' ' | b'\n' | 0))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_in_any_record_are_read_to_an_answer(bytes in nonsense()) {
        let folder = tempfile::tempdir().expect("a folder");
        let runs = RunsFolder::open(folder.path()).expect("the folder of runs");
        let id: RunId = "20261123T181047.123Z-4f2a9c".parse().expect("a name");
        let run = RunDir::at(runs.path().join(id.as_str()));
        fs::create_dir_all(run.path()).expect("a folder of ours");
        run.reserve_next_task().expect("room");
        let (task, lock) = run.claim_task().expect("a task");
        drop(lock);
        fs::File::create(run.path().join("keeper.lock")).expect("a file of ours");
        for file in RUN_RECORDS {
            put(&run.path().join(file), &bytes);
        }
        let unwritten = [
            run.plan().is_unwritten(), run.keeper().is_unwritten(), run.started().is_unwritten(),
            run.drain().is_unwritten(), run.drain_sent().is_unwritten(),
            run.drain_lost().is_unwritten(), run.cancel().is_unwritten(),
            run.cancel_sent().is_unwritten(), run.exit().is_unwritten(),
        ];
        prop_assert_eq!(unwritten, [is_blank(&bytes); 9]);
        if run.exit().as_ref().written().is_none() && !is_blank(&bytes) {
            prop_assert!(matches!(run.state(), RunState::Unknown(_)));
        }
        put(&task.path().join("started.json"), &bytes);
        put(&task.path().join("finished.json"), &bytes);
        if task.finished().written().is_none() && !is_blank(&bytes) {
            prop_assert!(matches!(task.state(), TaskState::Unreadable(_)));
        }
        let _ = (run.has_lost_task(), run.tasks(), runs.list());
    }

    #[test]
    fn any_bytes_in_the_log_are_read_to_its_end(
        live in prop::collection::vec(any::<u8>(), 0..300),
        mut before in prop::collection::vec(any::<u8>(), 0..300),
        places in prop::option::of((any::<u64>(), any::<u64>())),
        from in any::<u64>(),
        length in 0_u64..1000,
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let run = RunDir::at(folder.path().to_owned());
        fs::File::create(folder.path().join("keeper.lock")).expect("a file of ours");
        if let Some((from, to)) = places {
            let line =
                format!("\n[Runner Tray: bytes {from} to {to} of the agent's log, moved aside]\n");
            before.extend_from_slice(line.as_bytes());
        }
        put(&run.agent_log(), &live);
        put(&run.agent_log_before(), &before);
        let mut log = AgentLog::open(&run).expect("it can be read");
        let (first, end) = (log.from(), log.end().expect("it has an end"));
        prop_assert!(first <= end);
        let _ = (log.gap(), log.edges(), log.live_from());
        let mut bytes = Vec::new();
        for from in [0, first, from, end] {
            let _ = log.read(from..from.saturating_add(length), &mut bytes);
        }
    }

    #[test]
    fn any_mark_of_a_token_can_be_looked_for_in_any_text(
        len in prop_oneof![0_usize..40, Just(usize::MAX), any::<usize>()],
        rolling in any::<u64>(),
        sha256 in "[0-9a-f]{0,64}",
        text in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mark = serde_json::json!({ "len": len, "rolling": rolling, "sha256": sha256 });
        let Ok(mark) = serde_json::from_value::<TokenMark>(mark) else {
            prop_assert!(len > 1 << 20, "a token may have {len} bytes");
            return Ok(());
        };
        prop_assert_eq!(&*mark.redact(&text), &text[..]);
        let mut copied = Vec::new();
        mark.copy_covered(&text[..], &mut copied).expect("it can be written to");
        prop_assert_eq!(copied, text);
    }

    #[test]
    fn any_name_of_a_run_or_task_is_one_or_none(text in "\\PC{0,40}|[0-9TZ.-]{0,40}") {
        if let Ok(run) = text.parse::<RunId>() {
            prop_assert_eq!(Path::new(run.as_str()).components().count(), 1);
        }
        let _ = text.parse::<TaskNumber>();
    }
}
