//! Which crate may depend on which: dependencies point downwards only, and each edge was decided.

use std::path::Path;
use std::process::Command;

use anyhow::Context;
use serde_json::Value;

/// Every crate of the workspace, from the floor up, with the ones it may depend on.
const ALLOWED: &[(&str, &[&str])] = &[
    ("skipped", &[]),
    ("process", &[]),
    ("protocol", &[]),
    ("circleci", &[]),
    ("run-dir", &["process"]),
    ("cleanup", &["process"]),
    ("preinstall", &["process", "protocol"]),
    ("keeper", &["cleanup", "process", "run-dir"]),
    ("supervisor-core", &["protocol"]),
    ("host", &["process"]),
    ("doctor", &["circleci", "host", "protocol"]),
    (
        "supervisor",
        &[
            "circleci",
            "cleanup",
            "doctor",
            "host",
            "preinstall",
            "process",
            "protocol",
            "run-dir",
            "supervisor-core",
        ],
    ),
    ("client", &["host", "protocol"]),
    ("cli", &["circleci", "client", "host", "preinstall", "protocol"]),
    ("runner-tray", &["circleci", "client", "host", "protocol"]),
    // Stands in for somebody else's program, so it knows nothing of ours.
    ("local-circleci", &[]),
    ("demo", &["local-circleci", "process", "protocol"]),
    // The product end to end, with the stand-in: tests alone.
    ("trials", &["process", "protocol", "run-dir", "host", "client", "local-circleci", "skipped"]),
    // What it costs, measured from outside: never part of the product.
    (
        "bench",
        &[
            "process",
            "protocol",
            "run-dir",
            "cleanup",
            "preinstall",
            "client",
            "local-circleci",
            "trials",
        ],
    ),
    // What the app is compared with; it knows nothing of ours.
    ("smallest-app", &[]),
    ("xtask", &["cleanup", "cli", "host", "preinstall", "protocol"]),
];

/// Tests may also drive the stand-in, speak as a client does, and say what they leave out.
const ALLOWED_IN_TESTS: &[&str] = &["local-circleci", "client", "skipped"];

/// A dependency on another crate of the workspace, by its short name.
struct Edge<'a> {
    to: &'a str,
    is_dev: bool,
}

/// Each edge that was not decided, and each crate that the table misses or has too many.
pub(crate) fn broken(root: &Path) -> anyhow::Result<Vec<String>> {
    let metadata = metadata(root)?;
    judge(&metadata).context("cargo metadata printed a form that is not known here")
}

fn metadata(root: &Path) -> anyhow::Result<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .context("start cargo metadata")?;
    anyhow::ensure!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).context("read what cargo metadata printed")
}

fn judge(metadata: &Value) -> Option<Vec<String>> {
    let mut findings = Vec::new();
    let mut seen = Vec::new();
    for package in metadata.get("packages")?.as_array()? {
        let from = short(package.get("name")?.as_str()?);
        seen.push(from);
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == from) else {
            findings
                .push(format!("{from} has no line in crates/xtask/src/edges.rs. Decide its layer"));
            continue;
        };
        findings.extend(edges(package)?.iter().filter_map(|edge| refused(from, edge, allowed)));
    }
    for (name, _) in ALLOWED {
        if !seen.contains(name) {
            findings
                .push(format!("crates/xtask/src/edges.rs has a line for {name}, which is gone"));
        }
    }
    Some(findings)
}

/// The package's dependencies that have a path; those from a registry have none.
fn edges(package: &Value) -> Option<Vec<Edge<'_>>> {
    let dependencies = package.get("dependencies")?.as_array()?;
    dependencies
        .iter()
        .filter(|dependency| dependency.get("path").is_some_and(Value::is_string))
        .map(|dependency| {
            let to = short(dependency.get("name")?.as_str()?);
            Some(Edge { to, is_dev: dependency.get("kind")?.as_str() == Some("dev") })
        })
        .collect()
}

fn refused(from: &str, edge: &Edge<'_>, allowed: &[&str]) -> Option<String> {
    let to = edge.to;
    let is_allowed = allowed.contains(&to) || edge.is_dev && ALLOWED_IN_TESTS.contains(&to);
    (!is_allowed).then(|| {
        format!("{from} -> {to}: dependencies point downwards only. See crates/xtask/src/edges.rs")
    })
}

fn short(package: &str) -> &str {
    package.strip_prefix("runner-tray-").unwrap_or(package)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A workspace with every crate of the table, where `from` also depends on `to`.
    fn workspace_with(from: &str, to: &str, kind: Option<&str>) -> Vec<String> {
        let package = |(name, _): &(&str, _)| {
            let to = json!({"name": format!("runner-tray-{to}"), "path": "/w", "kind": kind});
            let edges = if *name == from { json!([to]) } else { json!([]) };
            json!({"name": name, "dependencies": edges})
        };
        let packages: Vec<Value> = ALLOWED.iter().map(package).collect();
        judge(&json!({ "packages": packages })).expect("known form")
    }

    #[test]
    fn an_edge_that_was_decided_is_silent() {
        assert_eq!(workspace_with("run-dir", "process", None), Vec::<String>::new());
    }

    #[test]
    fn an_edge_upwards_is_found() {
        let found = workspace_with("process", "run-dir", None);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("process -> run-dir: "), "{found:?}");
    }

    #[test]
    fn a_client_that_reaches_round_the_local_api_is_found() {
        assert_eq!(workspace_with("runner-tray", "supervisor-core", None).len(), 1);
        assert_eq!(workspace_with("cli", "run-dir", Some("build")).len(), 1);
    }

    #[test]
    fn only_tests_may_use_the_stand_in() {
        let in_tests = workspace_with("circleci", "local-circleci", Some("dev"));
        assert_eq!(in_tests, Vec::<String>::new());
        assert_eq!(workspace_with("circleci", "local-circleci", None).len(), 1);
    }

    #[test]
    fn a_crate_without_a_line_is_found_and_so_is_a_line_without_a_crate() {
        let found = judge(&json!({"packages": [{"name": "novel", "dependencies": []}]}));
        let found = found.expect("known form");
        assert!(found[0].starts_with("novel has no line"), "{found:?}");
        assert_eq!(found.len(), 1 + ALLOWED.len());
    }

    #[test]
    fn the_table_itself_points_downwards() {
        for (at, (name, allowed)) in ALLOWED.iter().enumerate() {
            for to in *allowed {
                let below = ALLOWED[..at].iter().any(|(lower, _)| lower == to);
                assert!(below, "{name} -> {to}");
            }
        }
    }
}
