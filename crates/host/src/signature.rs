//! Whether the system itself would let a program run that we have downloaded. Only ever adds a "no":
//! that the program is the right one is shown by its hash alone.

use std::path::Path;

use crate::os;

/// Whose signature a program must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// Apple, or somebody to whom Apple gave a Developer ID.
    Developer,
    /// Whoever built it; that it is whole is all that is shown.
    Anybody,
}

/// On macOS the program's signature must hold and be of that signer, and where it is marked as come
/// from the internet (quarantined) Gatekeeper must accept it. Linux has no such thing. The error says
/// in words why not. Starts the system's tools and waits for them: call it off the event loop.
pub fn check_signature(program: &Path, signer: Signer) -> Result<(), String> {
    os::check_signature(program, signer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_the_system_passes() {
        for signer in [Signer::Developer, Signer::Anybody] {
            check_signature(Path::new("/bin/ls"), signer).unwrap();
        }
    }
}
