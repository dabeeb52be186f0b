//! Sizes and lists as people say them.

/// "812 B", "41 MB", "2.1 GB": powers of ten, as disks are sold and shown.
pub fn size(bytes: u64) -> String {
    protocol::Bytes(bytes).words()
}

/// "a", "a and b", "a, b and c".
pub fn list(items: &[impl AsRef<str>]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match items.split_last() {
        None => "none".to_owned(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_lists_read_well() {
        for (bytes, words) in [
            (0, "0 B"),
            (999, "999 B"),
            (1500, "1.5 kB"),
            (40_999_999, "40 MB"),
            (9_960_000_000, "9.9 GB"),
            (2_000_000_000_000, "2.0 TB"),
        ] {
            assert_eq!(size(bytes), words);
        }
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(list(&[] as &[&str]), "none");
    }
}
