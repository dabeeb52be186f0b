//! Whether the machine goes to sleep under a task.

use host::Sleep;
use protocol::{Check, Finding, Level};

use crate::unknown;

pub fn sleep(read: &Sleep) -> Vec<Finding> {
    let finding = |level, why: &str| Finding::new(Check::Sleep, level, "sleep", why);
    vec![match read {
        Sleep::Never(why) | Sleep::WhenTold(why) => finding(Level::Ok, why),
        Sleep::ByItself(why) => finding(Level::Warn, why).mend(
            "Switch it off while the machine is plugged in: in the system's power settings (GNOME: \
             Automatic Suspend), with sudo systemctl mask sleep.target, or on macOS with sudo pmset \
             -c sleep 0.",
        ),
        Sleep::Unknown(why) => unknown(Check::Sleep, "sleep", why)
            .mend("Look into the system's power settings: it must not sleep by itself."),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::levels;

    #[test]
    fn only_sleep_without_a_hand_is_a_warning() {
        for (read, level) in [
            (Sleep::Never("masked".into()), Level::Ok),
            (Sleep::WhenTold("no IdleAction".into()), Level::Ok),
            (Sleep::ByItself("sleep 10".into()), Level::Warn),
            (Sleep::Unknown("KDE".into()), Level::Unknown),
        ] {
            assert_eq!(levels(&sleep(&read)), [level]);
        }
    }
}
