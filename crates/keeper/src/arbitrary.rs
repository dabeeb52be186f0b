//! Any bytes in what a keeper reads: understood or refused, and never a panic.

use std::io::Write;
use std::os::unix::net::UnixStream;

use proptest::prelude::*;

use crate::link::{Forward, Link, Told};
use crate::secrets::Secrets;

/// All that is told until the other side is gone, or until it is not understood.
fn told(pieces: &[&[u8]]) -> Option<usize> {
    let (mut here, there) = UnixStream::pair().unwrap();
    let (mut link, mut count) = (Link::over(there), 0);
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        here.write_all(piece).unwrap();
        count += link.receive::<Told>().ok()?.messages.len();
    }
    drop(here);
    loop {
        let came = link.receive::<Told>().ok()?;
        count += came.messages.len();
        if came.closed {
            return Some(count);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_two_sides_of_a_wrapper_hear_whole_words_however_they_come(
        bytes in prop::collection::vec(any::<u8>(), 0..100),
        cut in 0_usize..60,
    ) {
        let words = b"{\"Running\":{\"task\":7,\"spared\":[]}}\n{\"Over\":{\"code\":3}}\n";
        let (first, second) = words.split_at(cut.min(words.len()));
        prop_assert_eq!(told(&[first, second]), Some(2));
        let _ = told(&[&bytes, b"\n"]);
        let _ = serde_json::from_slice::<Forward>(&bytes);
    }

    #[test]
    fn any_bytes_are_an_environment_or_refused_without_a_word_of_them(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "\\{\"(environment|token)\":(\\{\"A\":(\"hunter2\"|[0-9]{1,22})\\}|\"hunter2\"|null)(,\"token\":(\"hunter2\"|7))?\\}?"
                .prop_map(String::into_bytes),
        ],
    ) {
        if let Err(error) = Secrets::of(&bytes) {
            let words = format!("{error:?}");
            prop_assert!(!words.contains("hunter2"));
        }
    }
}
