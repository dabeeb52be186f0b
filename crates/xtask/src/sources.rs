//! Reads the workspace's sources for what belongs in two crates only, and for files that grew too long.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::code;

/// Platform code and `unsafe` live here.
const FLOOR: [&str; 2] = ["crates/process/", "crates/host/"];
/// Tauri's build script runs on the build machine, not in the product. An event of Tauri's that macOS alone has
/// cannot be told at the floor, which knows nothing of Tauri; the app's crate forbids `unsafe` by itself.
const EXEMPT: [&str; 2] = ["src-tauri/build.rs", "src-tauri/src/reopen.rs"];
const FLOOR_WORDS: [&str; 3] = ["target_os", "target_family", "unsafe"];
const LONG: usize = 500;

/// Where sources are, and folders in them that hold none of ours.
const ROOTS: [&str; 4] = ["crates", "bench", "src-tauri", "ui/src"];
const NOT_OURS: [&str; 4] = ["target", "gen", "generated", "node_modules"];

/// Each broken rule, as `path:line: what is wrong, and what to do`.
pub(crate) fn broken(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    for folder in ROOTS {
        list(&root.join(folder), &mut files)?;
    }
    files.sort();
    let mut findings = Vec::new();
    for file in files {
        let source =
            std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().into_owned();
        findings.extend(in_file(&name, &source));
    }
    Ok(findings)
}

/// All `.rs`, `.ts` and `.svelte` files below a folder, which need not exist.
pub(crate) fn list(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    list_of(&["rs", "ts", "svelte"], folder, files)
}

/// All files with one of these extensions below a folder, which need not exist.
pub(crate) fn list_of(
    extensions: &[&str],
    folder: &Path,
    files: &mut Vec<PathBuf>,
) -> anyhow::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("list {}", folder.display()))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !NOT_OURS.contains(&name.as_ref()) {
                list_of(extensions, &path, files)?;
            }
        } else if path.extension().is_some_and(|it| extensions.iter().any(|one| it == *one)) {
            files.push(path);
        }
    }
    Ok(())
}

fn in_file(name: &str, source: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let lines = source.lines().count();
    if lines > LONG && !explains_its_length(source) {
        findings.push(format!(
            "{name}:{LONG}: {lines} lines. Split it, or begin it with `//! Long because ...`"
        ));
    }
    let is_bound = Path::new(name).extension().is_some_and(|it| it == "rs")
        && !EXEMPT.contains(&name)
        && !FLOOR.iter().any(|floor| name.starts_with(floor));
    if is_bound {
        for (number, line) in code::only(source).lines().enumerate() {
            for word in FLOOR_WORDS.iter().filter(|word| has_word(line, word)) {
                findings.push(format!(
                    "{name}:{}: `{word}` outside the floor. Move it to crates/process or crates/host",
                    number + 1
                ));
            }
        }
    }
    findings
}

/// Says so among the comments that open the file.
fn explains_its_length(source: &str) -> bool {
    let is_comment = |line: &&str| line.starts_with("//") || line.starts_with("<!--");
    source.lines().take_while(is_comment).any(|line| line.contains("Long because"))
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platform_code_above_the_floor_is_found_where_it_is() {
        for attribute in [
            "#[cfg(target_os = \"linux\")]",
            "#[cfg(all(test, not(target_os = \"macos\")))]",
            "#[cfg_attr(target_family = \"unix\", inline)]",
            "if cfg!(target_os = \"macos\") {}",
        ] {
            let found = in_file("crates/keeper/src/main.rs", &format!("fn a() {{}}\n{attribute}"));
            assert_eq!(found.len(), 1, "{attribute}");
            assert!(found[0].starts_with("crates/keeper/src/main.rs:2: "), "{found:?}");
        }
    }

    #[test]
    fn unsafe_above_the_floor_is_found() {
        let found = in_file("src-tauri/src/main.rs", "unsafe { libc::fork() };");
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn the_floor_and_what_is_exempt_may_use_both() {
        let source = "#[cfg(target_os = \"linux\")]\nunsafe {}";
        let floor = ["crates/process/src/lib.rs", "crates/host/src/a.rs"];
        for name in floor.into_iter().chain(EXEMPT) {
            assert_eq!(in_file(name, source), Vec::<String>::new());
        }
    }

    #[test]
    fn words_in_comments_and_literals_are_no_finding() {
        let source = "//! Nothing unsafe.\n#![deny(unsafe_code)]\nlet a = \"target_os\";";
        assert_eq!(in_file("crates/cli/src/main.rs", source), Vec::<String>::new());
    }

    #[test]
    fn a_long_file_needs_a_reason_at_its_head() {
        let long = "//! A table.\n".to_owned() + &"fn a() {}\n".repeat(LONG);
        assert_eq!(in_file("crates/cli/src/a.rs", &long).len(), 1);
        assert_eq!(in_file("ui/src/a.svelte", &long).len(), 1);

        let explained = "//! A table.\n//! Long because it is one.\n".to_owned() + &long;
        assert_eq!(in_file("crates/cli/src/a.rs", &explained), Vec::<String>::new());

        let buried = long + "// Long because nobody looked.\n";
        assert_eq!(in_file("crates/cli/src/a.rs", &buried).len(), 1);
    }

    #[test]
    fn folders_that_are_not_ours_are_not_read() {
        let dir = tempfile::tempdir().expect("temp dir");
        let generated = dir.path().join("crates/a/generated");
        std::fs::create_dir_all(&generated).expect("create");
        std::fs::File::create(generated.join("a.rs")).expect("create");
        std::fs::File::create(dir.path().join("crates/a/b.rs")).expect("create");

        let mut files = Vec::new();
        list(&dir.path().join("crates"), &mut files).expect("list");

        assert_eq!(files, [dir.path().join("crates/a/b.rs")]);
    }
}
