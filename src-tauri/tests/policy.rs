//! What the web view is allowed, pinned: one command, one event, and nothing inline or from elsewhere.

use serde_json::{Value, json};

fn read(file: &str) -> Value {
    let path = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect(&path);
    serde_json::from_str(&text).expect(&path)
}

#[test]
fn the_window_may_ask_and_listen_and_nothing_else() {
    let capability = read("capabilities/window.json");
    assert_eq!(
        capability["permissions"],
        json!(["allow-ask", "core:event:allow-listen", "core:event:allow-unlisten"])
    );
    assert_eq!(capability["windows"], json!(["main"]));
    assert_eq!(read("tauri.conf.json")["app"]["security"]["capabilities"], json!(["window"]));
    assert!(capability.get("remote").is_none(), "no page from elsewhere may ask anything");
}

#[test]
fn no_script_or_style_runs_that_is_not_built_in() {
    let app = &read("tauri.conf.json")["app"];
    assert_eq!(app["withGlobalTauri"], json!(false));
    let policy = app["security"]["csp"].as_str().expect("a policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
    for loose in ["unsafe", "http:", "https:", "data:", "blob:", "*"] {
        let strict = policy.replace("http://ipc.localhost", "");
        assert!(!strict.contains(loose), "{loose} in {policy}");
    }
}

#[test]
fn the_app_has_one_command_and_one_event() {
    let sources = std::fs::read_dir(format!("{}/src", env!("CARGO_MANIFEST_DIR"))).expect("src");
    let text: String = sources
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|it| it == "rs"))
        .map(|path| std::fs::read_to_string(path).expect("a source"))
        .collect();
    let count = |word: &str| text.matches(word).count();
    assert_eq!(count("#[tauri::command"), 1);
    assert_eq!(count("generate_handler![ask_app]"), 1);
    assert_eq!(count("generate_handler!"), 1);
    assert_eq!(count("window::emit("), 1);
    assert_eq!(count("emit_to("), 1);
    for other in [".emit(", "emit_filter(", "emit_str(", "emit_str_to(", "emit_str_filter("] {
        assert_eq!(count(other), 0, "{other}");
    }
}
