//! Keeps generated files current and the layers of the workspace apart; never part of the product.

mod banned;
mod cli;
mod code;
mod edges;
mod generated;
mod icns;
mod icons;
mod packages;
#[cfg(test)]
mod pages;
mod preinstall;
mod presets;
mod problems;
#[cfg(test)]
mod proof;
#[cfg(test)]
mod read_by;
mod shipped;
mod sources;
mod third_party;
mod types;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use generated::Mode;
use packages::Package;

const USAGE: &str = "usage: cargo xtask COMMAND

  types write|check       ui/src/generated/protocol.ts, from crates/protocol
  icons write|check       icons/**/*.png, from icons/**/*.svg
  problems write|check    docs/problems.md, from crates/protocol
  presets write|check     docs/presets.md, from crates/cleanup
  preinstall write|check  docs/preinstall.md, from crates/preinstall
  cli write|check         docs/cli.md, from crates/cli
  generated write|check   all of the above
  shipped write|check     installers/generated: all that packages hold and nobody writes by hand; not in git
  lay-out PACKAGE PROGRAMS INTO
                          the tree of a package (deb, rpm, app), with the programs of a folder
  package-files PACKAGE   each file of a package with its mode
  layering                dependency edges, platform code, unsafe, long files, banned crates";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let findings = match args[..] {
        ["layering"] => layering(&root()),
        ["lay-out", package, programs, into] => match Package::named(package) {
            Some(package) => lay_out(package, Path::new(programs), Path::new(into)),
            None => return usage(),
        },
        ["package-files", package] => match Package::named(package) {
            Some(package) => package_files(package),
            None => return usage(),
        },
        [what, mode] => match Mode::named(mode) {
            Some(mode) => generated(what, mode, &root()),
            None => return usage(),
        },
        _ => return usage(),
    };
    match findings {
        Ok(findings) if findings.is_empty() => ExitCode::SUCCESS,
        Ok(findings) => {
            for finding in findings {
                eprintln!("{finding}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

/// What is stale, one line each; empty when all is current.
fn generated(what: &str, mode: Mode, root: &Path) -> anyhow::Result<Vec<String>> {
    let files = match what {
        "types" => types::files(root),
        "icons" => icons::files(root)?,
        "problems" => problems::files(root),
        "presets" => presets::files(root),
        "preinstall" => preinstall::files(root),
        "cli" => cli::reference(root),
        "shipped" => shipped::files(root)?,
        "generated" => [
            types::files(root),
            icons::files(root)?,
            problems::files(root),
            presets::files(root),
            preinstall::files(root),
            cli::reference(root),
        ]
        .concat(),
        _ => anyhow::bail!("nothing named {what} is generated\n\n{USAGE}"),
    };
    generated::settle(&files, mode, root)
}

/// Says what is left out; a package without it is still laid out.
fn lay_out(package: Package, programs: &Path, into: &Path) -> anyhow::Result<Vec<String>> {
    for place in packages::lay_out(package, &root(), programs, into)? {
        println!("left out: {}", place.display());
    }
    Ok(Vec::new())
}

fn package_files(package: Package) -> anyhow::Result<Vec<String>> {
    for line in packages::listing(package, &root())? {
        println!("{line}");
    }
    Ok(Vec::new())
}

/// Every broken rule of the layers, one line each; empty when all hold.
fn layering(root: &Path) -> anyhow::Result<Vec<String>> {
    Ok([edges::broken(root)?, sources::broken(root)?, banned::found(root)?].concat())
}

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layers_of_this_workspace_hold() {
        assert_eq!(layering(&root()).expect("readable"), Vec::<String>::new());
    }

    #[test]
    fn the_generated_files_of_this_workspace_are_current() {
        let stale = generated("generated", Mode::Check, &root()).expect("readable");
        assert_eq!(stale, Vec::<String>::new());
    }
}
