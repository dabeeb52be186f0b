//! Opens a folder in the file manager, and never anything that is none: what a job put in its place must
//! not be started.

use std::path::Path;

/// An error is a sentence.
pub(crate) fn open(path: &Path) -> Result<(), String> {
    let about = std::fs::symlink_metadata(path).map_err(|error| format!("{error}."))?;
    if !about.is_dir() {
        return Err("It is no folder any more.".to_owned());
    }
    tauri_plugin_opener::open_path(path, host::FILE_MANAGER).map_err(|error| format!("{error}."))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_is_no_folder_is_not_opened() {
        let home = tempfile::tempdir().expect("a folder");
        let at = |name: &str| home.path().join(name);
        File::create(at("program.desktop")).expect("a file");
        symlink("/", at("link")).expect("a link");
        assert_eq!(open(&at("program.desktop")), Err("It is no folder any more.".to_owned()));
        assert_eq!(open(&at("link")), Err("It is no folder any more.".to_owned()));
        let gone = open(&at("gone")).expect_err("it is not there");
        assert!(gone.ends_with('.') && gone.contains("No such file"), "{gone}");
    }
}
