//! Keeping the machine awake, and putting it to sleep or starting it anew. Asking for it may take a
//! while and start threads that stay, so short-lived children of the supervisor do it; what keeps the
//! machine awake afterwards is a thing that costs nothing and goes with its holder.

use std::io;
use std::path::Path;

use crate::os_session;

/// The machine stays awake while this lives, and no longer than the process that has it.
pub struct Awake(#[expect(dead_code, reason = "it is held")] pub(crate) os_session::Held);

/// What the machine may be told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    Sleep,
    Restart,
}

impl Machine {
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "sleep" => Some(Self::Sleep),
            "restart" => Some(Self::Restart),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sleep => "sleep",
            Self::Restart => "restart",
        }
    }

    /// Tells it so; a refusal in the system's words. For a process of its own: it may leave threads.
    pub fn tell(self) -> Result<(), String> {
        os_session::tell_machine(self)
    }
}

/// Keeps the machine awake, with the help of `child`: our own program and its arguments, which calls
/// [`give`]. Blocks until it is so or refused, in the system's words.
pub fn keep(child: &Path, arguments: &[&str]) -> Result<Awake, String> {
    os_session::keep_awake(child, arguments).map(Awake)
}

/// In that child: asks the system, and hands what keeps it awake to whoever has the other end of its
/// standard output.
pub fn give() -> io::Result<()> {
    os_session::give_awake()
}
