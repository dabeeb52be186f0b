//! Which of the programs that jobs need are on a PATH.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use doctor::TOOLS;

pub(super) fn on(path: &str) -> Vec<String> {
    let folders: Vec<_> = std::env::split_paths(path).collect();
    let is_there = |tool: &&str| folders.iter().any(|folder| is_program(&folder.join(tool)));
    TOOLS.iter().filter(|tool| is_there(tool)).map(ToString::to_string).collect()
}

fn is_program(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_there_where_its_file_may_be_run() {
        let folder = tempfile::tempdir().unwrap();
        for (name, mode) in [("git", 0o755), ("tar", 0o644)] {
            let file = folder.path().join(name);
            run_dir::write_atomically(&file, b"#!/bin/sh").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        }
        fs::create_dir(folder.path().join("ssh")).unwrap();
        assert_eq!(on(&format!("/nowhere:{}", folder.path().display())), ["git"]);
    }
}
