//! Looking for a secret wherever it could have gone: in bytes, in files, in what processes were
//! started with. It finds the secret in every form that programs commonly give to text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::nap;

const BETWEEN_LOOKS: Duration = Duration::from_millis(5);
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A secret in all the forms it is looked for in.
#[derive(Clone)]
pub struct Secret {
    forms: Vec<(&'static str, Vec<u8>)>,
}

impl Secret {
    pub fn new(plain: &str) -> Self {
        let bytes = plain.as_bytes();
        let each =
            |form: fn(u8) -> String| bytes.iter().map(|byte| form(*byte)).collect::<String>();
        let mut forms = vec![
            ("plain", bytes.to_vec()),
            ("reversed", bytes.iter().rev().copied().collect()),
            ("hex", each(|byte| format!("{byte:02x}")).into_bytes()),
            ("HEX", each(|byte| format!("{byte:02X}")).into_bytes()),
            ("url", each(|byte| format!("%{byte:02x}")).into_bytes()),
            ("URL", each(|byte| format!("%{byte:02X}")).into_bytes()),
            ("JSON", each(|byte| format!("\\u{byte:04x}")).into_bytes()),
            ("UTF-16", bytes.iter().flat_map(|byte| [*byte, 0]).collect()),
        ];
        // Wherever in a longer text it stands: three ways to begin in the middle of a group.
        for before in 0..3 {
            let standard = base64(bytes, before);
            let for_urls = standard.iter().map(|sign| match sign {
                b'+' => b'-',
                b'/' => b'_',
                other => *other,
            });
            forms.push(("base64 for URLs", for_urls.collect()));
            forms.push(("base64", standard));
        }
        Self { forms }
    }

    /// The form in which it is there.
    pub fn form_in(&self, bytes: &[u8]) -> Option<&'static str> {
        self.forms.iter().find(|(_, form)| holds(bytes, form)).map(|(name, _)| *name)
    }

    /// The files below a folder that have it, in name or content, with its form.
    pub fn files(&self, folder: &Path) -> BTreeMap<PathBuf, &'static str> {
        let mut found = BTreeMap::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                let name = entry.file_name();
                let mut form = self.form_in(name.as_encoded_bytes());
                let kind = entry.file_type();
                if kind.as_ref().is_ok_and(fs::FileType::is_dir) {
                    folders.push(path.clone());
                } else if kind.is_ok_and(|kind| kind.is_file()) {
                    form = form.or_else(|| self.form_in(&fs::read(&path).unwrap_or_default()));
                }
                found.extend(form.map(|form| (path, form)));
            }
        }
        found
    }
}

fn holds(mut bytes: &[u8], form: &[u8]) -> bool {
    let Some((first, more)) = form.split_first() else { return true };
    while let Ok(1..) = bytes.skip_until(*first) {
        if bytes.starts_with(more) {
            return true;
        }
    }
    false
}

/// Arguments and environment of all living processes that name `mark` in one of them. A process
/// that becomes another program just then is left for the next look.
fn started_with(mark: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.parse::<u32>().is_ok()))
        .filter_map(|entry| {
            let read = |file: &str| fs::read(entry.path().join(file)).ok();
            let (arguments, environment) = (read("cmdline")?, read("environ")?);
            let same = read("cmdline")? == arguments;
            let ours = holds(&arguments, mark) || holds(&environment, mark);
            (same && ours).then_some((arguments, environment))
        })
        .collect()
}

/// The part of the encoding that depends on nothing but the bytes, where `before` others stand
/// before them.
fn base64(bytes: &[u8], before: usize) -> Vec<u8> {
    let skipped = (3 - before) % 3;
    let whole = bytes[skipped..].chunks_exact(3);
    let mut text = Vec::new();
    for group in whole {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        for shift in [18, 12, 6, 0] {
            text.push(BASE64[(bits >> shift & 63) as usize]);
        }
    }
    text
}

/// Somebody who looks all the time at what the processes of a trial were started with.
pub struct Hunt {
    seen: Arc<Mutex<Seen>>,
    enough: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Seen {
    all: BTreeSet<String>,
    in_arguments: BTreeSet<String>,
    in_environment: BTreeSet<String>,
}

impl Hunt {
    /// `mark` is what all processes that are looked at name in their arguments or environment.
    pub fn begin(secret: Secret, mark: &Path) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let enough = Arc::<AtomicBool>::default();
        let mark = mark.to_str().expect("a folder's name is UTF-8").to_owned();
        let thread = std::thread::spawn({
            let (seen, enough) = (Arc::clone(&seen), Arc::clone(&enough));
            move || {
                while !enough.load(Ordering::Relaxed) {
                    for (arguments, environment) in started_with(mark.as_bytes()) {
                        let words = String::from_utf8_lossy(&arguments).replace('\0', " ");
                        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                        if secret.form_in(&arguments).is_some() {
                            seen.in_arguments.insert(words.clone());
                        }
                        if secret.form_in(&environment).is_some() {
                            seen.in_environment.insert(words.clone());
                        }
                        seen.all.insert(words);
                    }
                    nap(BETWEEN_LOOKS);
                }
            }
        });
        Self { seen, enough, thread: Some(thread) }
    }

    /// The arguments of all processes so far.
    pub fn all(&self) -> BTreeSet<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).all.clone()
    }

    /// The arguments of those that had it in their arguments.
    pub fn in_arguments(&self) -> BTreeSet<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).in_arguments.clone()
    }

    /// The arguments of those that had it in their environment.
    pub fn in_environment(&self) -> BTreeSet<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).in_environment.clone()
    }
}

impl Drop for Hunt {
    fn drop(&mut self) {
        self.enough.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_form_and_at_every_place() {
        let secret = Secret::new("abcdefghijklmnop");
        for (text, form) in [
            ("x abcdefghijklmnop", "plain"),
            ("6162636465666768696a6b6c6d6e6f70", "hex"),
            ("YWJjZGVmZ2hpamtsbW5vcA==", "base64"),
            ("eGFiY2RlZmdoaWprbG1ub3A=", "base64"),
            ("eHhhYmNkZWZnaGlqa2xtbm9w", "base64"),
            ("%61%62%63%64%65%66%67%68%69%6a%6b%6c%6d%6e%6f%70", "url"),
        ] {
            let found = secret.form_in(text.as_bytes());
            assert!(found.is_some_and(|found| found.starts_with(form)), "{text}: {found:?}");
        }
        assert_eq!(secret.form_in(b"abcdefghijklmno"), None);
    }
}
