//! Names of entries still to be dealt with, packed: a million of them are some megabytes.

use std::ffi::CStr;

/// A stack of names; a name never contains a zero.
#[derive(Debug, Default)]
pub(crate) struct Names {
    bytes: Vec<u8>,
    count: usize,
}

impl Names {
    pub(crate) fn push(&mut self, name: &CStr) {
        self.bytes.extend_from_slice(name.to_bytes_with_nul());
        self.count += 1;
    }

    /// The last one, written to `name`. False: there is none.
    pub(crate) fn pop(&mut self, name: &mut Vec<u8>) -> bool {
        let Some(before_nul) = self.bytes.len().checked_sub(1) else { return false };
        let rest = self.bytes.get(..before_nul).unwrap_or_default();
        let start = rest.iter().rposition(|byte| *byte == 0).map_or(0, |nul| nul + 1);
        name.clear();
        name.extend_from_slice(self.bytes.get(start..).unwrap_or_default());
        self.bytes.truncate(start);
        self.count -= 1;
        true
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// The first half of them, taken away.
    pub(crate) fn give_half(&mut self) -> Self {
        let give = self.count.div_ceil(2);
        let mut end = 0;
        for _ in 0..give {
            let rest = self.bytes.get(end..).unwrap_or_default();
            end += rest.iter().position(|byte| *byte == 0).map_or(rest.len(), |nul| nul + 1);
        }
        let kept = self.bytes.split_off(end);
        let given = std::mem::replace(&mut self.bytes, kept);
        self.count -= give;
        Self { bytes: given, count: give }
    }
}

/// What [`Names::pop`] wrote, as the system wants it.
pub(crate) fn as_c(name: &[u8]) -> &CStr {
    CStr::from_bytes_until_nul(name).unwrap_or(c"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_names_can_be_given_away_and_none_is_lost() {
        let mut names = Names::default();
        for name in [c"a", c"bb", c"\n", c"\xff\xfe", c"e"] {
            names.push(name);
        }
        let mut given = names.give_half();
        assert_eq!((given.len(), names.len()), (3, 2));
        let (mut name, mut all) = (Vec::new(), Vec::new());
        while names.pop(&mut name) || given.pop(&mut name) {
            all.push(as_c(&name).to_bytes().to_vec());
        }
        assert_eq!(all, [&b"e"[..], b"\xff\xfe", b"\n", b"bb", b"a"]);
        assert!(names.len() + given.len() == 0);
    }
}
