//! What a release server offers: the manifest, and the one archive of it that fits this machine.

use std::{env::consts, fmt};

use serde_json::Value;
use url::Url;

use crate::{ReleaseError, address};

/// CircleCI's public folder of machine runner releases; `manifest.json` lies in it.
pub const RELEASES_URL: &str = "https://circleci-binary-releases.s3.amazonaws.com/circleci-runner";

/// The release that CircleCI's own installers take.
pub const CURRENT: &str = "current";

/// The one file of a release's archive (machine runner 3 manual installation).
pub const AGENT_BINARY: &str = "circleci-runner";

/// Releases that a message lists.
const MOST_TOLD: usize = 12;

/// An operating system and a processor in Go's words, as the manifest has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Platform {
    pub os: &'static str,
    pub arch: &'static str,
}

impl Platform {
    pub fn this_machine() -> Result<Self, ReleaseError> {
        Self::from_rust(consts::OS, consts::ARCH)
    }

    fn from_rust(os: &'static str, arch: &'static str) -> Result<Self, ReleaseError> {
        let unsupported = || ReleaseError::UnsupportedMachine { os, arch };
        let os = match os {
            "linux" => "linux",
            "macos" => "darwin",
            _ => return Err(unsupported()),
        };
        let arch = match arch {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            _ => return Err(unsupported()),
        };
        Ok(Self { os, arch })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.arch)
    }
}

/// One archive that a manifest offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    pub url: Url,
    /// Of the archive: 64 lower-case hex digits.
    pub sha256: String,
    /// From the url, as the manifest need not state it; safe as a folder's name.
    pub version: String,
}

/// `.releases.<name>.<os>.<arch>.{url,sha256}`, the shape CircleCI's Windows installer reads; that
/// other systems stand beside Windows is inferred. Whatever else it holds is ignored.
#[derive(Debug, Clone)]
pub struct Manifest {
    url: Url,
    json: Value,
}

impl Manifest {
    /// `url` is where it came from: relative addresses in it are relative to that.
    pub fn parse(url: &Url, bytes: &[u8]) -> Result<Self, ReleaseError> {
        let wrong = |reason: String| ReleaseError::Manifest { url: url.to_string(), reason };
        let json: Value =
            serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
        if !json.get("releases").is_some_and(Value::is_object) {
            return Err(wrong("it has no \"releases\"".to_owned()));
        }
        Ok(Self { url: url.clone(), json })
    }

    /// The archive of release `name` (usually [`CURRENT`]) for `platform`.
    pub fn release(&self, name: &str, platform: Platform) -> Result<Release, ReleaseError> {
        let entry = &self.json["releases"][name][platform.os][platform.arch];
        if entry.is_null() {
            return Err(ReleaseError::NotOffered {
                url: self.url.to_string(),
                name: name.to_owned(),
                platform: platform.to_string(),
                offered: self.offered(),
            });
        }
        let wrong = |what: &str| ReleaseError::Manifest {
            url: self.url.to_string(),
            reason: format!("{name} for {platform} has no usable {what}"),
        };
        let url = entry["url"].as_str().and_then(|url| self.url.join(url).ok());
        // What stands before an @ would be shown in messages.
        let url = url.filter(|url| url.username().is_empty() && url.password().is_none());
        let url = url.ok_or_else(|| wrong("url"))?;
        if !address::is_safe(&url) {
            return Err(crate::AddressRefused::NotSafe { address: url.into() }.into());
        }
        let sha256 = entry["sha256"].as_str().unwrap_or_default().trim().to_ascii_lowercase();
        if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong("sha256"));
        }
        let version = version(&url, &sha256);
        Ok(Release { url, sha256, version })
    }

    fn offered(&self) -> String {
        let mut offered = Vec::new();
        for (name, systems) in self.json["releases"].as_object().into_iter().flatten() {
            for (os, processors) in systems.as_object().into_iter().flatten() {
                for arch in processors.as_object().into_iter().flatten().map(|(arch, _)| arch) {
                    if offered.len() == MOST_TOLD {
                        return format!("{} and more", offered.join(", "));
                    }
                    let [name, os, arch] = [name, os, arch].map(|word| short(word));
                    offered.push(format!("{name} for {os}/{arch}"));
                }
            }
        }
        if offered.is_empty() { "nothing".to_owned() } else { offered.join(", ") }
    }
}

/// Whoever writes a manifest does not write our messages: its words are told short, and plain.
fn short(word: &str) -> String {
    word.chars().filter(|letter| !letter.is_control()).take(40).collect()
}

/// `.../circleci-runner/<version>/circleci-runner_<os>_<arch>.tar.gz`. A folder that is no version
/// ("current") gets the archive's hash, so that two releases never share a name.
fn version(url: &Url, sha256: &str) -> String {
    let parts: Vec<&str> = url.path_segments().into_iter().flatten().collect();
    let folder = parts.iter().rev().nth(1).copied().unwrap_or_default();
    let is_plain = folder.len() <= 64
        && folder.starts_with(|c: char| c.is_ascii_alphanumeric())
        && folder.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte));
    let digits = folder.trim_start_matches('v');
    let is_version = digits.starts_with(|c: char| c.is_ascii_digit()) && digits.contains('.');
    match (is_plain, is_version) {
        (true, true) => folder.to_owned(),
        (true, false) => format!("{folder}-{}", &sha256[..8]),
        (false, _) => format!("unknown-{}", &sha256[..8]),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const LINUX: Platform = Platform { os: "linux", arch: "amd64" };
    const SHA: &str = "0d4d29aadde42911fd1928de7c8c7b6b3b48faa5ae386e27a6e45bd35ade6eb4";

    fn manifest(url: &str) -> Manifest {
        let json = json!({
            "schema": "of tomorrow",
            "releases": {
                "current": {
                    "linux": {"amd64": {"url": url, "sha256": SHA.to_uppercase(), "size": 1}},
                    "windows": {"amd64": {"url": 7}, "arm64": {"url": url, "sha256": "beef"}},
                },
                "edge": "not what it was",
            },
        });
        let at = Url::parse("https://releases.example.com/runner/manifest.json").unwrap();
        Manifest::parse(&at, json.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn the_version_comes_from_the_address() {
        for (url, version) in [
            (
                "https://x.example/circleci-runner/3.1.11/circleci-runner_linux_amd64.tar.gz",
                "3.1.11",
            ),
            ("https://x.example/r/3.1.4-7421-b48991f/a.tar.gz", "3.1.4-7421-b48991f"),
            ("https://x.example/r/current/a.tar.gz", "current-0d4d29aa"),
            ("https://x.example/r/%2e%2e%2f/a.tar.gz", "unknown-0d4d29aa"),
            ("https://x.example/a.tar.gz", "unknown-0d4d29aa"),
        ] {
            let release = manifest(url).release(CURRENT, LINUX).unwrap();
            assert_eq!(
                (release.version.as_str(), release.sha256.as_str()),
                (version, SHA),
                "{url}"
            );
        }
    }

    #[test]
    fn an_address_may_be_relative_to_the_manifest() {
        let release = manifest("3.1.11/a.tar.gz").release(CURRENT, LINUX).unwrap();
        assert_eq!(release.url.as_str(), "https://releases.example.com/runner/3.1.11/a.tar.gz");
    }

    #[test]
    fn an_archive_in_the_clear_is_refused() {
        let refused = manifest("http://x.example/3.1.11/a.tar.gz").release(CURRENT, LINUX);
        assert!(matches!(refused, Err(ReleaseError::Address(_))), "{refused:?}");
    }

    #[test]
    fn what_is_not_offered_is_told_with_what_is() {
        let platform = Platform { os: "darwin", arch: "arm64" };
        let error = manifest("3.1.11/a.tar.gz").release(CURRENT, platform).unwrap_err().to_string();
        assert!(
            error.contains("darwin/arm64") && error.contains("current for linux/amd64"),
            "{error}"
        );
        for arch in ["amd64", "arm64"] {
            let platform = Platform { os: "windows", arch };
            let wrong = manifest("3.1.11/a.tar.gz").release(CURRENT, platform);
            assert!(matches!(wrong, Err(ReleaseError::Manifest { .. })), "{wrong:?}");
        }
    }

    #[test]
    fn machines_have_go_s_names() {
        let platform = |os, arch| Platform::from_rust(os, arch).map(|it| it.to_string()).ok();
        assert_eq!(platform("macos", "aarch64").as_deref(), Some("darwin/arm64"));
        assert_eq!(platform("linux", "x86_64").as_deref(), Some("linux/amd64"));
        assert_eq!(platform("windows", "x86_64"), None);
        assert!(Platform::this_machine().is_ok());
    }

    /// Keys that matter and keys that do not, values of any kind.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,80}".prop_map(Value::from),
            Just(Value::from(SHA)),
            Just(Value::from("https://x.example/3.1.11/a.tar.gz")),
            Just(Value::from("http://x.example/3.1.11/a.tar.gz")),
        ];
        let key = prop_oneof![
            Just("linux".to_owned()),
            Just("amd64".to_owned()),
            Just("url".to_owned()),
            Just("sha256".to_owned()),
            ".{0,60}",
        ];
        leaf.prop_recursive(5, 60, 20, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(key.clone(), inner, 0..20)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn a_manifest_that_is_nested_too_deep_or_holds_a_password_is_refused() {
        let at = Url::parse("https://x.example/manifest.json").unwrap();
        let deep = format!("{{\"releases\":{}", "[".repeat(100_000));
        let error = Manifest::parse(&at, deep.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("recursion limit"), "{error}");
        let refused =
            manifest("https://me:hunter2@x.example/3.1.11/a.tar.gz").release(CURRENT, LINUX);
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("no usable url") && !error.contains("hunter2"), "{error}");
    }

    proptest! {
        #[test]
        fn a_version_is_always_a_plain_folder_name(path in "[a-zA-Z0-9./%_+~ -]{0,80}") {
            let url = Url::parse(&format!("https://x.example/{path}")).unwrap();
            let version = version(&url, SHA);
            prop_assert!(!version.starts_with('.') && !version.is_empty() && version.len() < 80);
            prop_assert!(!version.contains(['/', '\\', '%', ' ']));
        }

        #[test]
        fn no_json_makes_it_panic_or_say_too_much(json in any_json()) {
            let at = Url::parse("https://x.example/manifest.json").unwrap();
            let json = json!({"releases": {"current": json}, "else": 1});
            let manifest = Manifest::parse(&at, json.to_string().as_bytes()).unwrap();
            match manifest.release(CURRENT, LINUX) {
                Ok(release) => prop_assert!(address::is_safe(&release.url)),
                Err(error) => {
                    let words = error.to_string();
                    prop_assert!(words.len() < 4000 && !words.contains('\u{1b}'), "{words}");
                }
            }
        }

        #[test]
        fn no_manifest_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let at = Url::parse("https://x.example/manifest.json").unwrap();
            if let Ok(manifest) = Manifest::parse(&at, &bytes) {
                let _ = manifest.release(CURRENT, LINUX);
            }
        }
    }
}
