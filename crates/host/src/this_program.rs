//! Where the program that runs lies, also once an upgrade has put another file there.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Where this program lay when it was first asked, so ask early: one that is moved aside is found there
/// later, and the path of another is what counts then.
pub fn this_program() -> io::Result<PathBuf> {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    if let Some(path) = PATH.get() {
        return Ok(path.clone());
    }
    let path = unmarked(std::env::current_exe()?);
    Ok(PATH.get_or_init(|| path).clone())
}

/// Linux marks a file that was removed or replaced (proc(5), `/proc/pid/exe`).
fn unmarked(path: PathBuf) -> PathBuf {
    let marked = path.to_str().and_then(|path| path.strip_suffix(" (deleted)")).map(Path::new);
    match marked {
        Some(path_then) if !path.exists() => path_then.to_owned(),
        Some(_) | None => path,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_program_that_was_replaced_or_removed_is_known_by_where_it_lay() {
        let folder = tempfile::tempdir().unwrap();
        let (program, marked) = (folder.path().join("app"), folder.path().join("app (deleted)"));
        assert_eq!(unmarked(program.clone()), program);
        assert_eq!(unmarked(marked.clone()), program, "removed");
        fs::File::create(&program).unwrap();
        assert_eq!(unmarked(marked.clone()), program, "replaced");
        fs::File::create(&marked).unwrap();
        assert_eq!(unmarked(marked.clone()), marked, "it is called so");
        assert_eq!(this_program().unwrap(), std::env::current_exe().unwrap());
    }
}
