//! Agents that CircleCI's own packages and instructions put on a machine: where they lie, and what
//! name their configuration gives them. Only looked at, never touched.

use std::path::PathBuf;

use serde::Deserialize;

/// The names of agents' programs, of both generations.
pub const AGENT_PROGRAMS: [&str; 2] = ["circleci-runner", "circleci-launch-agent"];

/// A way in which CircleCI tells people to install an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallWay {
    /// In words: "machine runner 3 from a package".
    pub way: &'static str,
    /// Without the leading `/`; one of these is there where it was installed so.
    pub files: Vec<PathBuf>,
    /// Its configuration, which holds the runner's name.
    pub config: PathBuf,
}

/// All ways there are on a system (`std::env::consts::OS`), from CircleCI's installation pages, its
/// package and its Homebrew cask. `home` is the owner's, absolute.
pub fn install_ways(os: &str, home: &std::path::Path) -> Vec<InstallWay> {
    let way = |way, files: &[&str], config: &str| InstallWay {
        way,
        files: files.iter().map(PathBuf::from).collect(),
        config: config.into(),
    };
    let home = home.strip_prefix("/").unwrap_or(home);
    match os {
        "linux" => vec![
            way(
                "machine runner 3 from CircleCI's package",
                &[
                    "usr/bin/circleci-runner",
                    "usr/lib/systemd/system/circleci-runner.service",
                    "etc/circleci-runner/circleci-runner-config.yaml",
                ],
                "etc/circleci-runner/circleci-runner-config.yaml",
            ),
            way(
                "launch agent 1.x, which CircleCI no longer supports",
                &[
                    "opt/circleci/circleci-launch-agent",
                    "usr/lib/systemd/system/circleci.service",
                    "etc/opt/circleci/launch-agent-config.yaml",
                ],
                "etc/opt/circleci/launch-agent-config.yaml",
            ),
        ],
        "macos" => {
            let in_home = |path: &str| home.join(path);
            vec![
                InstallWay {
                    way: "machine runner 3 from Homebrew",
                    files: vec![
                        "opt/homebrew/bin/circleci-runner".into(),
                        "usr/local/bin/circleci-runner".into(),
                        "Library/LaunchAgents/com.circleci.runner.plist".into(),
                        in_home("Library/LaunchAgents/com.circleci.runner.plist"),
                        in_home("Library/Preferences/com.circleci.runner/config.yaml"),
                    ],
                    config: in_home("Library/Preferences/com.circleci.runner/config.yaml"),
                },
                way(
                    "launch agent 1.x, which CircleCI no longer supports",
                    &[
                        "opt/circleci/circleci-launch-agent",
                        "Library/LaunchDaemons/com.circleci.runner.plist",
                        "Library/Preferences/com.circleci.runner/launch-agent-config.yaml",
                    ],
                    "Library/Preferences/com.circleci.runner/launch-agent-config.yaml",
                ),
            ]
        }
        _ => Vec::new(),
    }
}

/// The configuration file that an agent's command line names: `--config FILE` or `-c FILE`, its last
/// argument in every documented use. Whatever flags follow, a token may be among them, are left out.
pub fn config_named_in(command: &str) -> Option<PathBuf> {
    ["--config ", "--config=", " -c "].iter().find_map(|flag| {
        let (_, file) = command.split_once(flag)?;
        let file = file.split(" --").next().unwrap_or_default().trim();
        (!file.is_empty()).then(|| file.into())
    })
}

/// `runner.name` of an agent's configuration; none where it sets none, an error where it cannot be
/// understood. A name still to be filled in (`[[RUNNER_NAME]]`) is none.
pub fn runner_name_in(yaml: &str) -> Result<Option<String>, String> {
    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        runner: Option<Runner>,
    }
    #[derive(Deserialize)]
    struct Runner {
        #[serde(default)]
        name: Option<serde_json::Value>,
    }
    if yaml.trim().is_empty() {
        return Ok(None);
    }
    let file: File = serde_saphyr::from_str(yaml).map_err(|error| {
        // The first line alone: what follows may repeat the file, token and all.
        error.to_string().lines().next().unwrap_or("it is not YAML").to_owned()
    })?;
    let name = file.runner.and_then(|runner| runner.name);
    Ok(name.and_then(|name| name.as_str().map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_documented_places_are_looked_at_on_each_system() {
        let linux = install_ways("linux", Path::new("/home/me"));
        assert!(linux[0].files.contains(&"usr/bin/circleci-runner".into()));
        let mac = install_ways("macos", Path::new("/Users/me"));
        let plist = "Users/me/Library/LaunchAgents/com.circleci.runner.plist";
        assert!(mac[0].files.contains(&plist.into()));
        assert!(linux.iter().chain(&mac).flat_map(|way| &way.files).all(|file| file.is_relative()));
        assert!(install_ways("plan9", Path::new("/")).is_empty());
    }

    #[test]
    fn a_command_line_names_its_configuration() {
        for (line, file) in [
            ("/usr/bin/circleci-runner machine -c /etc/x.yaml", Some("/etc/x.yaml")),
            ("circleci-runner machine --config /Users/me/a b/c.yaml", Some("/Users/me/a b/c.yaml")),
            ("circleci-launch-agent --config=/opt/c.yaml", Some("/opt/c.yaml")),
            ("circleci-runner machine -c /a b.yaml --api.auth-token t0p", Some("/a b.yaml")),
            ("circleci-runner machine", None),
            ("circleci-runner machine --config ", None),
        ] {
            assert_eq!(config_named_in(line), file.map(PathBuf::from), "{line}");
        }
    }

    #[test]
    fn a_name_is_read_from_what_people_and_casks_write() {
        let named = "api:\n  auth_token: t0p\nrunner:\n  name: mini\n";
        assert_eq!(runner_name_in(named), Ok(Some("mini".into())));
        for none in ["", "api:\n  auth_token: t0p\n", "runner:\n  name: [[RUNNER_NAME]]\n"] {
            assert_eq!(runner_name_in(none), Ok(None), "{none}");
        }
        let broken = runner_name_in("api: {auth_token: t0p-secret\n]").unwrap_err();
        assert!(!broken.contains("t0p-secret"), "{broken}");
    }

    /// Somebody else's file: whatever it holds, looking at it costs little and names nobody.
    #[test]
    fn bombs_in_anothers_configuration_name_nobody() {
        let doubled = |n: u32| format!("a{n}: &a{n} [*a{m}, *a{m}, *a{m}, *a{m}]\n", m = n - 1);
        let laughs = (1..40).map(doubled).collect::<String>();
        for bomb in [
            "[".repeat(100_000),
            "a: {".repeat(100_000),
            "- ".repeat(100_000),
            format!("runner: {{ name: {}", "[".repeat(100_000)),
            format!("a0: &a0 [x, x]\n{laughs}"),
            format!("a0: &a0 [x, x]\n{laughs}runner: {{ name: *a39 }}\n"),
            "runner: &r { name: *r }".to_owned(),
            "a: [x, y]\n".repeat((1 << 20) / 10),
            "- &a x\n".repeat((1 << 20) / 7),
            format!("runner: {{ name: [{}] }}", "x, ".repeat((1 << 20) / 3)),
        ] {
            let named = runner_name_in(&bomb);
            assert!(!matches!(named, Ok(Some(_))), "{}: {named:?}", &bomb[..20]);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_a_configuration_or_refused(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..400),
                "\\PC{0,80}|(runner|name|[:&*{}\\[\\],!|>\"'# \n-]|[0-9a]){0,60}"
                    .prop_map(String::into_bytes),
            ],
        ) {
            let _ = runner_name_in(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn any_command_line_names_a_part_of_itself_or_nothing(
            line in "\\PC{0,80}|(--config|--config=| -c | --|[ =a/\u{e9}-]){0,30}",
        ) {
            if let Some(file) = config_named_in(&line) {
                prop_assert!(line.contains(file.to_str().unwrap()));
            }
        }
    }
}
