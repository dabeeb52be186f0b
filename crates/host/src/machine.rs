//! This machine in a few words, as reports and default names need them.

use std::env::consts;

use rustix::system::uname;

/// What a report says of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    pub hostname: String,
    /// `linux` or `macos`.
    pub os: &'static str,
    /// `x86_64` or `aarch64`.
    pub arch: &'static str,
    /// The kernel's release, such as `6.1.0-18-amd64`.
    pub kernel: String,
}

impl Machine {
    pub fn this() -> Self {
        Self {
            hostname: hostname(),
            os: consts::OS,
            arch: consts::ARCH,
            kernel: uname().release().to_string_lossy().into_owned(),
        }
    }
}

/// The machine's name as it knows it itself; `localhost` where it has none.
pub fn hostname() -> String {
    let name = uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_a_name_and_words_for_what_it_is() {
        let machine = Machine::this();
        assert!(!machine.hostname.is_empty() && !machine.kernel.is_empty());
        assert!(["linux", "macos"].contains(&machine.os));
        assert!(["x86_64", "aarch64"].contains(&machine.arch));
    }
}
