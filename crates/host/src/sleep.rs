//! Whether this machine goes to sleep by itself. Reads settings and changes none.

use std::path::Path;

use crate::os_machine;

/// Each with what was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sleep {
    /// It cannot, or must not.
    Never(String),
    /// Only by somebody's hand: a menu, a button, a lid.
    WhenTold(String),
    /// After a time without anybody at it.
    ByItself(String),
    /// The settings that would say so cannot be read.
    Unknown(String),
}

impl Sleep {
    /// Of the system whose files lie below `root`; a desktop's own settings are asked only of `/`.
    pub fn at(root: &Path) -> Self {
        os_machine::sleep(root)
    }
}

/// What `pmset -g` says (`pmset(1)`): a line "sleep 10 (...)", in minutes, 0 = never.
#[cfg(any(target_os = "macos", test))]
pub(crate) fn from_pmset(text: &str) -> Sleep {
    let minutes = text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some("sleep")).then(|| words.next()?.parse::<u32>().ok())?
    });
    match minutes {
        Some(0) => Sleep::WhenTold("pmset: sleep 0, so never by itself".into()),
        Some(minutes) => {
            Sleep::ByItself(format!("pmset: sleep {minutes}, so after {minutes} min at rest"))
        }
        None => Sleep::Unknown("pmset -g says nothing of sleep".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pmset_is_understood() {
        let text = "System-wide power settings:\nCurrently in use:\n standby              1\n \
                    sleep                10 (sleep prevented by caffeinate)\n displaysleep  5\n";
        assert!(matches!(from_pmset(text), Sleep::ByItself(why) if why.contains("10 min")));
        let never = text.replace("10 (", "0 (");
        assert!(matches!(from_pmset(&never), Sleep::WhenTold(_)));
        assert!(matches!(from_pmset("displaysleep 5"), Sleep::Unknown(_)));
    }
}
