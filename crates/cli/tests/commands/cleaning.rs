//! `runnerctl clean`, `workdirs` and `presets`: what they say of plans and receipts, and with
//! which exit code.

use std::sync::Arc;

use insta::assert_snapshot;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::fake::Fake;
use crate::terminal::Terminal;

fn plan(groups: &Value, entries: u64) -> Value {
    json!({
        "id": "1790000000-1", "made_at": "2026-11-29T10:00:00Z", "groups": groups,
        "bytes": 2_100_000_000_u64, "entries": entries,
    })
}

fn full() -> Value {
    let items: Vec<Value> = (1..=9)
        .map(|number| {
            json!({
                "what": format!("/srv/mini/work.kept/run.{number}"), "bytes": 215_000_000,
                "why": "the last 3 directories are kept",
            })
        })
        .collect();
    let kept = json!({
        "preset": "kept", "title": "Kept working directories", "risk": "low", "bytes": 1_935_000_000_u64,
        "items": items, "more": 2,
    });
    let images = json!({
        "preset": "docker-images", "title": "Docker images", "risk": "medium",
        "items": [{ "what": "docker image prune", "why": "no container uses them" }], "more": 0,
        "note": "At most so much: what was used in the last 7 days stays.",
    });
    let npm = json!({
        "preset": "npm-cache", "title": "npm cache", "risk": "low", "bytes": 0, "items": [], "more": 0,
        "note": "It is done only while no task runs on this machine.",
    });
    plan(&json!([kept, images, npm]), 12)
}

/// One of a clean-up by hand; `change` overlays its fields.
fn receipt(change: Value) -> Value {
    let mut receipt = json!({
        "id": 7, "at": "2026-11-29T10:00:00Z", "why": "you", "freed": 0, "seconds": 3,
        "groups": [
            { "preset": "kept", "title": "Kept working directories", "planned": 1_935_000_000_u64,
              "freed": 0, "went": 11, "stayed": 0,
              "set_aside": { "entries": 11, "bytes": 1_935_000_000_u64 } },
            { "preset": "npm-cache", "title": "npm cache", "planned": 0, "freed": 0, "went": 0,
              "stayed": 0, "note": "There is nothing of it here." },
        ],
        "volumes": [{ "path": "/srv/mini/work.kept", "total": 500_000_000_000_u64,
                      "free_before": 41_000_000_000_u64, "free_after": 41_000_000_000_u64 }],
        "failures": [], "more_failures": 0, "undo_until": "2999-11-29T10:10:00Z", "undone": false,
    });
    let Value::Object(change) = change else { panic!("a change is an object") };
    for (field, value) in change {
        receipt[field] = value;
    }
    receipt
}

fn went(freed: u64, change: Value) -> Value {
    let mut all = receipt(json!({ "freed": freed, "undo_until": null }));
    all["groups"][0]["freed"] = freed.into();
    all["groups"][0]["set_aside"] = Value::Null;
    all["volumes"][0]["free_after"] = (41_000_000_000 + freed).into();
    let Value::Object(change) = change else { panic!("a change is an object") };
    for (field, value) in change {
        all[field] = value;
    }
    all
}

fn failures() -> Value {
    json!([{
        "path": "/srv/mini/work.kept/run.4/root", "why": "It belongs to user 0.",
        "way_out": "Remove it as root: sudo rm -rf -- /srv/mini/work.kept/run.4/root",
    }])
}

#[test]
fn a_dry_run_shows_what_would_go_and_why_and_wishes_nothing() {
    let fake = Fake::absent().on("POST /v1/cleanup/plan", full()).started();
    assert_snapshot!(fake.run(&["clean", "--dry-run"]));
    assert_eq!(fake.wishes().len(), 1, "{:?}", fake.wishes());
    let json = fake.run(&["clean", "--dry-run", "--json"]);
    assert!(json.starts_with("exit code 0\n") && json.contains("\"made_at\""), "{json}");
}

#[test]
fn where_nothing_would_go_nothing_is_carried_out() {
    let idle = json!([{
        "preset": "kept", "title": "Kept working directories", "risk": "low", "bytes": 0, "items": [],
        "more": 0, "note": "There is nothing of it here.",
    }]);
    let fake = Fake::absent().on("POST /v1/cleanup/plan", plan(&idle, 0)).started();
    assert_snapshot!(fake.run(&["clean", "--preset", "kept", "--runner", "mini"]));
    assert_eq!(
        fake.wishes(),
        [r#"POST /v1/cleanup/plan {"presets":["kept"],"directories":[],"runner":"mini"}"#]
    );
}

#[test]
fn what_was_planned_is_carried_out_and_how_to_put_it_back_is_said() {
    let fake = Fake::absent()
        .on("POST /v1/cleanup/plan", full())
        .on("POST /v1/cleanup", receipt(json!({})))
        .started();
    let said = fake.run(&["clean", "--directory", "mini/run.1"]);
    assert!(said.starts_with("exit code 0\n"), "{said}");
    assert!(said.contains("11 entries, 1.9 GB, are set aside. They go for good at "), "{said}");
    assert!(said.contains("To put them back: runnerctl clean --undo 7"), "{said}");
    let carried = fake.wishes().pop();
    assert_eq!(carried.as_deref(), Some(r#"POST /v1/cleanup {"plan":"1790000000-1"}"#));
}

#[test]
fn what_a_program_removed_and_what_stayed_are_not_called_set_aside() {
    let mut mixed = receipt(json!({ "freed": 9_800_000_000_u64 }));
    mixed["groups"][0]["set_aside"] = json!({ "entries": 9, "bytes": 1_500_000_000_u64 });
    mixed["groups"][0]["went"] = 9.into();
    mixed["groups"][0]["stayed"] = 2.into();
    mixed["groups"][1] = json!({
        "preset": "docker-images", "title": "Docker images", "planned": 9_800_000_000_u64,
        "freed": 9_800_000_000_u64, "went": 1, "stayed": 0,
    });
    let fake =
        Fake::absent().on("POST /v1/cleanup/plan", full()).on("POST /v1/cleanup", mixed).started();
    let said = fake.run(&["clean"]);
    assert!(said.contains("9 entries, 1.5 GB, are set aside. They go for good at "), "{said}");
    assert!(said.contains("1 entries went, 9.8 GB freed."), "{said}");
    // With nothing in the trash nothing is promised.
    let tool = went(9_800_000_000, json!({}));
    let fake =
        Fake::absent().on("POST /v1/cleanup/plan", full()).on("POST /v1/cleanup", tool).started();
    let said = fake.run(&["clean"]);
    assert!(!said.contains("set aside") && !said.contains("--undo"), "{said}");
}

#[test]
fn what_stayed_is_shown_with_its_way_out_and_is_a_failure_in_every_form() {
    let stayed = json!({ "failures": failures(), "more_failures": 2 });
    let fake = Fake::absent()
        .on("POST /v1/cleanup/plan", full())
        .on("POST /v1/cleanup", went(1_900_000_000, stayed))
        .started();
    assert_snapshot!(fake.run(&["clean"]));
    let json = fake.run(&["clean", "--json"]);
    assert!(json.starts_with("exit code 1\n") && json.contains("\"failures\""), "{json}");
}

#[test]
fn one_that_a_task_cut_short_says_what_was_left() {
    let left = "A task began, so what is done only while none runs was left: npm cache.";
    let fake = Fake::absent()
        .on("POST /v1/cleanup/plan", full())
        .on("POST /v1/cleanup", went(5000, json!({ "cut_short": left })))
        .started();
    assert_snapshot!(fake.run(&["clean"]));
}

#[test]
fn receipts_say_what_was_done_by_whom_and_what_was_put_back() {
    let weekly = went(7_000_000, json!({ "id": 6, "why": "weekly" }));
    let before = went(0, json!({ "id": 5, "why": "before-task", "runner": "mini" }));
    let undone = went(0, json!({ "id": 4, "undone": true }));
    let fake = Fake::absent()
        .on("GET /v1/cleanup/receipts?limit=20", json!({ "receipts": [weekly, before, undone] }))
        .started();
    assert_snapshot!(fake.run(&["clean", "--receipts"]));
    let none = json!({ "receipts": [] });
    let none = Fake::absent().on("GET /v1/cleanup/receipts?limit=20", none).started();
    assert_snapshot!(none.run(&["clean", "--receipts"]));
}

#[test]
fn earlier_receipts_are_a_page_further() {
    let page =
        |receipts: Value, before: Option<u64>| json!({ "receipts": receipts, "before": before });
    let rest = went(5000, json!({ "id": 3, "why": "rest" }));
    let fake = Fake::absent()
        .on("GET /v1/cleanup/receipts?limit=2", page(json!([went(0, json!({}))]), Some(4)))
        .on("GET /v1/cleanup/receipts?before=4&limit=2", page(json!([rest]), None))
        .on("GET /v1/cleanup/receipts?before=3&limit=20", page(json!([]), None))
        .started();
    let first = fake.run(&["clean", "--receipts", "--limit", "2"]);
    assert!(first.ends_with("Earlier ones: the same with --before 4\n"), "{first}");
    let second = fake.run(&["clean", "--receipts", "--limit", "2", "--before", "4"]);
    assert!(
        second.contains("the rest of earlier ones") && !second.contains("--before"),
        "{second}"
    );
    let third = fake.run(&["clean", "--receipts", "--before", "3"]);
    assert!(third.contains("There are no earlier ones."), "{third}");
    assert!(fake.run(&["clean", "--before", "4"]).starts_with("exit code 2\n"));
}

#[test]
fn who_could_not_be_looked_at_is_told_and_is_a_failure() {
    let left_out = json!([{
        "path": "all of ci", "why": "As ci: clean-up broke off: exit status: 1.",
        "way_out": "See what `runnerctl doctor` says of that user, then clean up again.",
    }]);
    let mut nothing = plan(&json!([]), 0);
    nothing["failures"] = left_out;
    let fake = Fake::absent().on("POST /v1/cleanup/plan", nothing).started();
    let said = fake.run(&["clean"]);
    assert!(said.starts_with("exit code 1\n"), "{said}");
    assert!(
        said.contains("Left out: all of ci. As ci: clean-up broke off: exit status: 1. See"),
        "{said}"
    );
    assert!(fake.run(&["clean", "--dry-run"]).starts_with("exit code 0\n"));
}

#[test]
fn at_a_terminal_how_far_it_is_is_told_and_in_a_pipe_it_is_not() {
    let runs = |stage: &str, of: Option<u64>| {
        let mut snapshot = crate::fake::snapshot(&[]);
        snapshot["cleanup"] = json!({
            "why": "you", "stage": stage, "since": "2026-11-29T10:00:00Z", "entries": 12,
            "bytes": 2_100_000_000_u64, "of": of,
        });
        snapshot
    };
    let (planned, done) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let fake = Fake::absent()
        .on_leave("POST /v1/cleanup/plan", full(), &planned)
        .on_leave("POST /v1/cleanup", went(1_900_000_000, json!({})), &done)
        .tells(&[runs("measuring", None)])
        .tells(&[runs("removing", Some(4_300_000_000))])
        .started();
    let Some(mut terminal) = Terminal::of(&fake, "clean") else { return };
    terminal.until("Measured 12 entries, 2.1 GB");
    planned.notify_one();
    terminal.until("Removed 12 entries, 2.1 GB of 4.3 GB");
    done.notify_one();
    let (said, status) = terminal.end();
    assert!(status.success() && said.contains("11 entries went, 1.9 GB freed."), "{said}");
    planned.notify_one();
    done.notify_one();
    let said = fake.run(&["clean"]);
    assert!(said.starts_with("exit code 0\n") && !said.contains("--- errors"), "{said}");
}

#[test]
fn the_last_clean_up_is_put_back_and_what_was_not_is_a_failure_in_every_form() {
    let receipts = json!({ "receipts": [went(0, json!({ "id": 8 })), receipt(json!({}))] });
    let fake = Fake::absent()
        .on("GET /v1/cleanup/receipts?limit=100", receipts)
        .on("POST /v1/cleanup/undo", json!({ "put_back": 11, "not": [] }))
        .started();
    assert_snapshot!(fake.run(&["clean", "--undo"]));
    assert_eq!(fake.wishes(), [r#"POST /v1/cleanup/undo {"receipt":7}"#]);
    let not = json!({ "put_back": 10, "not": ["run.4: something else has its name now"] });
    let fake = Fake::absent().on("POST /v1/cleanup/undo", not).started();
    assert_snapshot!(fake.run(&["clean", "--undo", "7"]));
    let json = fake.run(&["clean", "--undo", "7", "--json"]);
    assert!(json.starts_with("exit code 1\n") && json.contains("\"put_back\": 10"), "{json}");
    let nothing = Fake::absent()
        .on("GET /v1/cleanup/receipts?limit=100", json!({ "receipts": [went(0, json!({}))] }))
        .started();
    assert_snapshot!(nothing.run(&["clean", "--undo"]));
}

#[test]
fn a_clean_up_that_runs_is_told_and_ended() {
    let busy = ("cleaning-up", "A clean-up runs just now.", "Wait for its end, or stop it.");
    let fake = Fake::absent()
        .refuses("POST /v1/cleanup/plan", 409, busy.0, busy.1, busy.2)
        .grants("DELETE /v1/cleanup")
        .started();
    assert_snapshot!(fake.run(&["clean"]));
    assert_snapshot!(fake.run(&["clean", "--stop"]));
    assert!(fake.run(&["clean", "--stop", "--dry-run"]).starts_with("exit code 2\n"));
}

#[test]
fn working_directories_are_listed_with_size_task_and_use() {
    let dir = |id: &str, kind: &str, in_use: &str, more: Value| {
        let mut dir = json!({
            "id": id, "runner": "mini", "kind": kind, "path": format!("/srv/{id}"), "in_use": in_use,
            "never_delete": false,
        });
        let Value::Object(more) = more else { panic!("an object") };
        for (field, value) in more {
            dir[field] = value;
        }
        dir
    };
    let not_ours = "It is of an earlier job user, whose jobs do not run here any more. An admin \
                    deletes it: `sudo rm -rf -- '/srv/mini/jobs.1'`.";
    let named = json!({ "size": 2_100_000_000_u64, "project": "web-app", "job": "build" });
    let found = json!({
        "directories": [
            dir("mini", "current", "in-use", named),
            dir("mini/run.3", "kept", "free", json!({ "size": 41_000_000, "never_delete": true })),
            dir("mini/run.2", "kept", "unknown", json!({})),
            dir("old:/srv/old/work", "left", "free", json!({ "size": 4_100_000 })),
            dir("mini:/srv/mini/jobs.1", "left", "free", json!({ "kept_because": not_ours })),
        ],
        "volumes": [{
            "path": "/srv", "holds": "tasks, temporary files", "total": 500_000_000_000_u64,
            "free": 41_000_000_000_u64, "stops_below": 10_000_000_000_u64,
            "goes_on_above": 15_000_000_000_u64,
        }],
    });
    let fake = Fake::absent()
        .on("GET /v1/workdirs?measure=1", found)
        .grants("PUT /v1/workdirs/never-delete")
        .started();
    assert_snapshot!(fake.run(&["workdirs"]));
    assert_snapshot!(fake.run(&["workdirs", "keep", "mini/run.2"]));
    assert_snapshot!(fake.run(&["workdirs", "release", "mini/run.3"]));
    let none = json!({ "directories": [], "volumes": [] });
    let nothing = Fake::absent().on("GET /v1/workdirs?measure=1", none).started();
    assert_snapshot!(nothing.run(&["workdirs"]));
}

#[test]
fn presets_are_listed_with_what_stays_and_changed_one_by_one() {
    let preset = |id: &str, on: bool, limits: Value, not_here: Option<&str>| {
        json!({
            "id": id, "title": id.to_uppercase(), "touches": "", "why": "", "risk": "medium", "on": on,
            "on_by_default": on, "before_task": on, "limits": limits, "own": false, "not_here": not_here,
        })
    };
    let kept = preset("kept", true, json!({ "keep_last": 3, "unused_days": 14 }), None);
    let cache = json!({ "at_most": 5_000_000_000_u64 });
    let xcode = preset("xcode", false, cache, Some("It is for macOS only."));
    let fake = Fake::absent()
        .on("GET /v1/presets", json!({ "presets": [kept, xcode.clone()] }))
        .on("PUT /v1/presets/xcode", xcode)
        .refuses(
            "PUT /v1/presets/none",
            404,
            "no-such-preset",
            "There is no none.",
            "See the list.",
        )
        .started();
    assert_snapshot!(fake.run(&["presets"]));
    assert_snapshot!(fake.run(&["presets", "set", "xcode", "off", "--at-most-gb", "5"]));
    let change = r#"PUT /v1/presets/xcode {"on":false,"limits":{"at_most":5000000000}}"#;
    assert_eq!(fake.wishes(), [change]);
    assert!(fake.run(&["presets", "set", "none", "on"]).starts_with("exit code 1\n"));
    assert!(fake.run(&["presets", "set", "xcode"]).starts_with("exit code 2\n"));
    fake.run(&["presets", "set", "xcode", "--usual-limits"]);
    let usual = fake.wishes().pop();
    assert_eq!(usual.as_deref(), Some(r#"PUT /v1/presets/xcode {"limits":{}}"#));
    let both = ["presets", "set", "xcode", "--usual-limits", "--keep-last", "1"];
    assert!(fake.run(&both).starts_with("exit code 2\n"));
}
