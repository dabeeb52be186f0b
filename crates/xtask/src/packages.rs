//! Lays out what a package holds, from the tables `installers/*/files`. It builds nothing, and names what it leaves
//! out because only another system can build it.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use flate2::{Compression, GzBuilder};

use crate::generated;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Package {
    Deb,
    Rpm,
    /// `Runner Tray.app`, for macOS.
    App,
}

impl Package {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "deb" => Some(Self::Deb),
            "rpm" => Some(Self::Rpm),
            "app" => Some(Self::App),
            _ => None,
        }
    }

    fn table(self) -> &'static str {
        match self {
            Self::Deb | Self::Rpm => "installers/linux/files",
            Self::App => "installers/macos/files",
        }
    }

    /// The system that builds its programs, as `std::env::consts::OS` has it.
    fn system(self) -> &'static str {
        match self {
            Self::Deb | Self::Rpm => "linux",
            Self::App => "macos",
        }
    }

    fn has(self, word: &str) -> bool {
        match self {
            Self::Deb => word == "deb" || word == "both",
            Self::Rpm => word == "rpm" || word == "both",
            Self::App => word == "app",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// Tauri's bundler puts it there.
    Bundler,
    Program(String),
    /// Below the project.
    File(PathBuf),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    AsItIs,
    Gzip,
    /// `@VERSION@` is filled in.
    Version,
}

/// One file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) mode: u32,
    /// Below `/`, or below the `.app`.
    pub(crate) place: PathBuf,
    pub(crate) source: Source,
    pub(crate) how: How,
}

/// Every file that the package holds, in the order of its table.
pub(crate) fn rows(package: Package, root: &Path) -> anyhow::Result<Vec<Row>> {
    let path = root.join(package.table());
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let mut rows = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let read = row(line).with_context(|| format!("{}:{number}", path.display()))?;
        let (word, row) = read;
        if package.has(word) {
            expand(row, root, &mut rows)?;
        }
    }
    Ok(rows)
}

/// `0755 usr/bin/runnerctl` for each file, sorted by place: what the finished package is compared with.
pub(crate) fn listing(package: Package, root: &Path) -> anyhow::Result<Vec<String>> {
    let mut rows = rows(package, root)?;
    rows.sort_by(|one, other| one.place.cmp(&other.place));
    Ok(rows.iter().map(|row| format!("{:04o} {}", row.mode, row.place.display())).collect())
}

/// Makes the tree anew below `into`, with the programs that lie in `programs`. Gives the places of what is left out:
/// programs that only another system can build.
pub(crate) fn lay_out(
    package: Package,
    root: &Path,
    programs: &Path,
    into: &Path,
) -> anyhow::Result<Vec<PathBuf>> {
    if into.exists() {
        fs::remove_dir_all(into).with_context(|| format!("remove {}", into.display()))?;
    }
    let mut left_out = Vec::new();
    for row in rows(package, root)? {
        let source = match row.source {
            Source::Bundler => continue,
            Source::Program(_) if std::env::consts::OS != package.system() => {
                left_out.push(row.place);
                continue;
            }
            Source::Program(name) => programs.join(name),
            Source::File(path) => root.join(path),
        };
        let bytes = fs::read(&source).with_context(|| format!("read {}", source.display()))?;
        let place = into.join(&row.place);
        generated::write(&place, &made(bytes, row.how)?)?;
        fs::set_permissions(&place, Permissions::from_mode(row.mode))
            .with_context(|| format!("set the mode of {}", place.display()))?;
    }
    Ok(left_out)
}

/// A line of the table: the word for its packages, and the file or folder it stands for.
fn row(line: &str) -> anyhow::Result<(&str, Row)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (word, mode, place, source, how) = match words[..] {
        [word, mode, place, source] => (word, mode, place, source, How::AsItIs),
        [word, mode, place, source, "gzip"] => (word, mode, place, source, How::Gzip),
        [word, mode, place, source, "version"] => (word, mode, place, source, How::Version),
        _ => bail!("not: package, mode, place, source, how"),
    };
    if !["deb", "rpm", "both", "app"].contains(&word) {
        bail!("there is no package {word}");
    }
    let mode = u32::from_str_radix(mode, 8).with_context(|| format!("{mode} is no mode"))?;
    let source = match source.strip_prefix("program/") {
        Some(name) => Source::Program(name.to_owned()),
        None if source == "bundler" => Source::Bundler,
        None => Source::File(source.into()),
    };
    Ok((word, Row { mode, place: place.into(), source, how }))
}

/// A folder stands for its files; what is packed is called so.
fn expand(row: Row, root: &Path, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let Source::File(source) = &row.source else {
        rows.push(row);
        return Ok(());
    };
    if !source.to_string_lossy().ends_with('/') {
        rows.push(row);
        return Ok(());
    }
    let folder = root.join(source);
    let mut names = fs::read_dir(&folder)
        .and_then(|entries| {
            entries.map(|entry| Ok(entry?.file_name())).collect::<Result<Vec<_>, _>>()
        })
        .with_context(|| format!("list {}", folder.display()))?;
    names.sort();
    for name in names {
        let source = source.join(&name);
        let mut place = row.place.join(&name).into_os_string();
        if row.how == How::Gzip {
            place.push(".gz");
        }
        rows.push(Row { place: place.into(), source: Source::File(source), ..row });
    }
    Ok(())
}

/// Packed without a name and a time, so that the same source gives the same bytes.
fn made(bytes: Vec<u8>, how: How) -> anyhow::Result<Vec<u8>> {
    match how {
        How::AsItIs => Ok(bytes),
        How::Gzip => {
            let mut packed = GzBuilder::new().write(Vec::new(), Compression::best());
            packed.write_all(&bytes)?;
            Ok(packed.finish()?)
        }
        How::Version => {
            let text = String::from_utf8(bytes).context("not a text")?;
            Ok(text.replace("@VERSION@", env!("CARGO_PKG_VERSION")).into_bytes())
        }
    }
}

#[cfg(test)]
#[path = "packages_tests.rs"]
mod tests;
