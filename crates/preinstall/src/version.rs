//! Versions as tools print them, and ranges of them.

use std::cmp::Ordering;
use std::fmt;

/// Where the version stands in a pattern.
const PLACE: &str = "{version}";

/// Numbers with dots between them; what follows them in the text counts for nothing.
#[derive(Clone, Debug)]
pub struct Version {
    text: String,
    /// Without zeros at the end: 2.20 and 2.20.0 are the same.
    numbers: Vec<u64>,
}

impl Version {
    /// Of the beginning of a text: `1.8.0_292` is 1.8.0. None where it begins with no digit.
    pub fn at_start_of(text: &str) -> Option<Self> {
        let length = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let text = text.get(..length)?.trim_end_matches('.');
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let mut numbers =
            text.split('.').map(|part| part.parse().ok()).collect::<Option<Vec<u64>>>()?;
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        Some(Self { text: text.to_owned(), numbers })
    }

    /// All of a text.
    pub fn of(text: &str) -> Option<Self> {
        Self::at_start_of(text).filter(|version| version.text == text)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.numbers == other.numbers
    }
}

impl Eq for Version {}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Which versions will do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    pub at_least: Option<Version>,
    pub below: Option<Version>,
}

impl Range {
    /// "2.20 or newer, below 4"; none where any will do.
    pub fn words(&self) -> Option<String> {
        let Self { at_least, below } = self;
        let words = [
            at_least.as_ref().map(|version| format!("{version} or newer")),
            below.as_ref().map(|version| format!("below {version}")),
        ];
        let words: Vec<String> = words.into_iter().flatten().collect();
        (!words.is_empty()).then(|| words.join(", "))
    }

    /// Less: too old; greater: too new.
    pub fn judge(&self, version: &Version) -> Ordering {
        if self.at_least.as_ref().is_some_and(|least| version < least) {
            Ordering::Less
        } else if self.below.as_ref().is_some_and(|below| version >= below) {
            Ordering::Greater
        } else {
            Ordering::Equal
        }
    }
}

/// The version in what a tool said. A pattern is the text before it and `{version}`; what follows that
/// explains and is not looked for.
pub fn version_in(said: &str, pattern: &str) -> Option<Version> {
    let before = pattern.split(PLACE).next().unwrap_or_default();
    let mut rest = said;
    if before.is_empty() {
        // The first number that no letter stands before.
        let mut last = ' ';
        for (at, c) in said.char_indices() {
            if c.is_ascii_digit() && !last.is_alphanumeric() && last != '.' {
                return Version::at_start_of(&said[at..]);
            }
            last = c;
        }
        return None;
    }
    while let Some(at) = rest.find(before) {
        rest = &rest[at + before.len()..];
        if let Some(version) = Version::at_start_of(rest) {
            return Some(version);
        }
    }
    None
}

/// Whether a pattern says where the version stands.
pub(crate) fn is_pattern(pattern: &str) -> bool {
    pattern.matches(PLACE).count() == 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version {
        Version::of(text).unwrap()
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(version("2.9") < version("2.20"));
        assert!(version("17") > version("1.8.0"));
        assert_eq!(version("2.20"), version("2.20.0"));
        assert!(Version::of("2.x").is_none() && Version::of("").is_none());
        assert!(Version::of("v2").is_none());
    }

    #[test]
    fn what_tools_print_is_read() {
        for (said, pattern, found) in [
            ("git version 2.39.5 (Apple Git-154)", "git version {version}", "2.39.5"),
            ("openjdk version \"1.8.0_292\"", "version \"{version}\"", "1.8.0"),
            ("go version go1.24.1 linux/amd64", "go version go{version}", "1.24.1"),
            ("OpenSSH_9.2p1 Debian-2, OpenSSL 3.0", "OpenSSH_{version}", "9.2"),
            ("tar (GNU tar) 1.34", "{version}", "1.34"),
            ("Apple gzip 430.140.2", "{version}", "430.140.2"),
            ("cc (Debian 12.2.0-14) 12.2.0", "{version}", "12.2.0"),
            ("note: version unknown\nversion 3.1", "version {version}", "3.1"),
        ] {
            assert_eq!(version_in(said, pattern), Version::of(found), "{said}");
        }
        assert_eq!(version_in("command not found", "git version {version}"), None);
        assert_eq!(version_in("", "{version}"), None);
    }

    #[test]
    fn a_range_says_what_it_wants() {
        let range = Range { at_least: Version::of("2.20"), below: Version::of("4") };
        assert_eq!(range.words().unwrap(), "2.20 or newer, below 4");
        assert_eq!(Range::default().words(), None);
        assert_eq!(range.judge(&version("2.19.9")), Ordering::Less);
        assert_eq!(range.judge(&version("2.20.0")), Ordering::Equal);
        assert_eq!(range.judge(&version("4.0")), Ordering::Greater);
    }

    proptest! {
        #[test]
        fn whatever_a_tool_says_is_read_or_not_and_nothing_else(said in ".*", before in ".{0,6}") {
            let pattern = format!("{before}{{version}}");
            if let Some(version) = version_in(&said, &pattern) {
                prop_assert!(said.contains(&version.to_string()));
            }
        }
    }
}
