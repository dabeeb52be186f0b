//! What may be the name of a package. Each manager reads more than names from its arguments: options,
//! addresses, paths, patterns, words that remove. All of that is refused.

fn only(name: &str, also: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
}

fn begins_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn is_file(name: &str, kind: &str) -> bool {
    let kind_of = std::path::Path::new(name).extension();
    kind_of.is_some_and(|it| it.eq_ignore_ascii_case(kind))
}

/// What npm and pip read as an archive, which may be a file of this machine.
fn is_archive(name: &str) -> bool {
    let kinds = [
        ".tgz",
        ".tar",
        ".tar.gz",
        ".tbz",
        ".tar.bz2",
        ".txz",
        ".tlz",
        ".tar.xz",
        ".tar.lz",
        ".tar.lzma",
        ".zip",
        ".whl",
    ];
    let name = name.to_ascii_lowercase();
    kinds.iter().any(|kind| name.ends_with(kind))
}

fn is_short(name: &str) -> bool {
    !name.is_empty() && name.len() <= 200
}

fn unless(is_good: bool, why: &'static str) -> Option<&'static str> {
    (!is_good).then_some(why)
}

/// As Debian's policy has it (5.6.7). One that ends in `-` would be removed.
pub(crate) fn apt(name: &str) -> Option<&'static str> {
    let plain =
        name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c));
    unless(
        is_short(name) && begins_plain(name) && plain && !name.ends_with('-'),
        "lower-case letters, digits and + - . alone, a letter or digit first and no - at the end",
    )
}

pub(crate) fn dnf(name: &str) -> Option<&'static str> {
    unless(
        is_short(name) && begins_plain(name) && only(name, "+-._"),
        "letters, digits and + - . _ alone, a letter or digit first",
    )
}

/// `name`, `name@11` or `owner/tap/name`.
pub(crate) fn brew(name: &str) -> Option<&'static str> {
    let parts: Vec<&str> = name.split('/').collect();
    let part = |part: &&str| {
        is_short(part) && begins_plain(part) && only(part, "+-._@") && !part.contains("..")
    };
    unless(
        (parts.len() == 1 || parts.len() == 3) && parts.iter().all(part) && !is_file(name, "rb"),
        "a formula's or cask's name, with owner/tap/ before it or not",
    )
}

/// `name`, `@scope/name`, either with `@version`. No address, file or alias.
pub(crate) fn npm(name: &str) -> Option<&'static str> {
    let (scope, rest) = match name.strip_prefix('@') {
        None => (None, name),
        Some(scoped) => match scoped.split_once('/') {
            Some((scope, rest)) => (Some(scope), rest),
            None => (Some(""), ""),
        },
    };
    let (package, version) = match rest.split_once('@') {
        Some((package, version)) => (package, Some(version)),
        None => (rest, None),
    };
    let plain = |text: &str| is_short(text) && begins_plain(text) && only(text, "-._~");
    let version = version.is_none_or(|it| is_short(it) && begins_plain(it) && only(it, "-._+"));
    unless(
        plain(package) && scope.is_none_or(plain) && version && !is_archive(name),
        "a package's name, with @scope/ before it and @version after it or not",
    )
}

/// `name`, `name[extra]`, either with `==version`.
pub(crate) fn python(name: &str) -> Option<&'static str> {
    let (package, version) = match name.split_once("==") {
        Some((package, version)) => (package, Some(version)),
        None => (name, None),
    };
    let (package, extras) = match package.strip_suffix(']').and_then(|it| it.split_once('[')) {
        Some((package, extras)) => (package, Some(extras)),
        None => (package, None),
    };
    let plain = |text: &str| is_short(text) && begins_plain(text) && only(text, "-._");
    let version = version.is_none_or(|it| is_short(it) && begins_plain(it) && only(it, "-._+!"));
    unless(
        plain(package)
            && extras.is_none_or(|it| it.split(',').all(plain))
            && version
            && ![name, package].into_iter().any(is_archive),
        "a project's name, with [extra] and ==version after it or not",
    )
}

/// `name` or `name@version`.
pub(crate) fn cargo(name: &str) -> Option<&'static str> {
    let (package, version) = match name.split_once('@') {
        Some((package, version)) => (package, Some(version)),
        None => (name, None),
    };
    let version = version.is_none_or(|it| is_short(it) && begins_plain(it) && only(it, "-.+"));
    unless(
        is_short(package) && begins_plain(package) && only(package, "-_") && version,
        "a crate's name, with @version after it or not",
    )
}

/// `path/of/package@version`, the path with a host first.
pub(crate) fn go(name: &str) -> Option<&'static str> {
    let good = name.split_once('@').is_some_and(|(path, version)| {
        let part = |part: &str| begins_plain(part) && only(part, "-._~") && !part.contains("..");
        let host = path.split('/').next().unwrap_or_default();
        is_short(path)
            && path.split('/').all(part)
            && host.contains('.')
            && is_short(version)
            && begins_plain(version)
            && only(version, "-.+")
    });
    unless(good, "a package's path with @version after it")
}

pub(crate) fn gem(name: &str) -> Option<&'static str> {
    unless(
        is_short(name) && begins_plain(name) && only(name, "-_.") && !is_file(name, "gem"),
        "letters, digits and - _ . alone, a letter or digit first",
    )
}

#[cfg(test)]
mod tests {
    use crate::package::Manager;

    #[test]
    fn what_is_no_mere_name_is_refused() {
        use Manager::{Apt, Brew, Cargo, Cask, Dnf, Gem, Go, Npm, Pip, Pipx};
        for (manager, good, bad) in [
            (
                Apt,
                &["g++", "libc6-dev", "docker.io", "python3.11"][..],
                &["git-", "git=1", "git/sid", "-y", "a*", "./x.deb", "Git", "task^", ""][..],
            ),
            (
                Dnf,
                &["gcc-c++", "java-latest-openjdk-devel"],
                &["@group", "/bin/ls", "-y", "http://x/y.rpm", "a*"],
            ),
            (
                Brew,
                &["python@3.13", "circleci-public/circleci/circleci-runner"],
                &["./x.rb", "x.rb", "https://x/y.rb", "a/b", "../a", "--HEAD"],
            ),
            (Cask, &["android-platform-tools"], &["-f", ""]),
            (
                Npm,
                &["yarn", "@angular/cli", "typescript@5.4.2"],
                &[
                    "git+ssh://x",
                    "file:..",
                    "../x",
                    "user/repo",
                    "@x",
                    "-g",
                    "a@npm:b",
                    "https://x",
                    "x.tgz",
                    "x@1.TGZ",
                    "@a/x.tar.gz",
                ],
            ),
            (
                Pipx,
                &["poetry", "black[jupyter]==24.1"],
                &[
                    "git+https://x",
                    "./x",
                    "-r",
                    "a;b",
                    "a @ http://x",
                    "x.whl/../y",
                    "x.whl",
                    "x.zip[a]",
                ],
            ),
            (Pip, &["tox"], &["--index-url=http://x", "-e.", "x.tar.gz", "x==1.ZIP"]),
            (Cargo, &["cargo-nextest", "just@1.2.3"], &["--git=x", "a b", "a@*", ""]),
            (
                Go,
                &["gotest.tools/gotestsum@latest"],
                &["./x@latest", "gotestsum", "gotest.tools/../x@latest", "-x@1", "cmd@latest"],
            ),
            (Gem, &["fastlane"], &["./x.gem", "x.gem", "-i", "a:b"]),
        ] {
            for name in good {
                assert_eq!(manager.refuses(name), None, "{manager:?} {name}");
            }
            for name in bad {
                assert!(manager.refuses(name).is_some(), "{manager:?} {name}");
            }
            for anywhere in [
                "a b", "a;b", "a|b", "$(a)", "`a`", "a\nb", "a'b", "a\"b", "a&b", "a>b", "é",
                "a\0b",
            ] {
                assert!(manager.refuses(anywhere).is_some(), "{manager:?} {anywhere:?}");
            }
        }
    }
}
