//! Manifests that no honest release server offers.

use serde_json::{Value, json};

use crate::control::OddManifest;
use crate::platform;

/// The body that is sent in the place of the true manifest.
pub(super) fn body(odd: OddManifest, mut manifest: Value) -> Vec<u8> {
    let (os, arch) = (platform::os(), platform::arch());
    let mut current = |key: &str, value: Value| {
        manifest["releases"]["current"][os][arch][key] = value;
        manifest.to_string().into_bytes()
    };
    match odd {
        OddManifest::NotJson => b"<html>Sign in to the guest network</html>".to_vec(),
        OddManifest::OtherShape => json!([{"version": "3.1.11"}]).to_string().into_bytes(),
        OddManifest::OtherPlatform => {
            let offer =
                json!({"url": "https://releases.example/a.tar.gz", "sha256": "0".repeat(64)});
            let plan9 = json!({"releases": {"current": {"plan9": {"mips": offer}}}});
            plan9.to_string().into_bytes()
        }
        OddManifest::Huge => vec![b' '; 8 << 20],
        OddManifest::Deep => {
            let depth = 200_000;
            format!("{{\"releases\":{}{}}}", "[".repeat(depth), "]".repeat(depth)).into_bytes()
        }
        OddManifest::WrongHash => current("sha256", "ab".repeat(32).into()),
        OddManifest::NoHash => current("sha256", Value::Null),
        OddManifest::InTheClear => {
            current("url", "http://releases.example/3.1.11/circleci-runner.tar.gz".into())
        }
    }
}
