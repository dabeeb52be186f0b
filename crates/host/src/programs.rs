//! Programs of a name that run on this machine, whoever's they are. The only reading of all
//! processes there is: for a doctor, once, and never to act on.

use std::io;
use std::path::Path;

use crate::os_machine;

/// A process, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    pub pid: u32,
    /// Program and arguments, with spaces between them.
    pub command: String,
}

/// All processes whose program has one of these names, of the system whose `/proc` lies below `root`.
/// macOS has none and is asked itself.
pub fn running(root: &Path, names: &[&str]) -> io::Result<Vec<Running>> {
    os_machine::running(root, names)
}

/// The last part of a program's path.
pub(crate) fn name_of(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}
