//! Server-sent events, only as much as the local API uses: the `data` of each event, in order.
//! Format: <https://html.spec.whatwg.org/multipage/server-sent-events.html>.

/// Takes bytes as they come and gives each event's data once it is whole.
#[derive(Debug, Default)]
pub(crate) struct EventReader {
    unread: Vec<u8>,
    /// The data lines of the event that is being read.
    data: Option<String>,
}

impl EventReader {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
    }

    /// The next whole event's data, if there is one.
    pub(crate) fn next_event(&mut self) -> Option<String> {
        let mut read = 0;
        let mut event = None;
        while let Some(length) = self.unread[read..].iter().position(|&byte| byte == b'\n') {
            let line = &self.unread[read..read + length];
            read += length + 1;
            let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
            if line.is_empty() {
                event = self.data.take();
                if event.is_some() {
                    break;
                }
            } else if let Some(text) = line.strip_prefix("data:") {
                let text = text.strip_prefix(' ').unwrap_or(text);
                match &mut self.data {
                    Some(data) => {
                        data.push('\n');
                        data.push_str(text);
                    }
                    None => self.data = Some(text.to_owned()),
                }
            }
            // Comments (":" first) keep the connection alive; other fields are not used.
        }
        self.unread.drain(..read);
        event
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::EventReader;

    fn read(chunks: &[&str]) -> Vec<String> {
        let mut reader = EventReader::default();
        let mut events = Vec::new();
        for chunk in chunks {
            reader.push(chunk.as_bytes());
            while let Some(event) = reader.next_event() {
                events.push(event);
            }
        }
        events
    }

    #[test]
    fn an_event_may_come_in_any_pieces() {
        let text = "data: {\"a\":1}\n\n: still here\n\ndata:{\"b\":\r\ndata: 2}\r\n\r\n";
        let whole = vec!["{\"a\":1}".to_owned(), "{\"b\":\n2}".to_owned()];
        assert_eq!(read(&[text]), whole);
        let letters: Vec<String> = text.chars().map(String::from).collect();
        let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
        assert_eq!(read(&letters), whole, "letter by letter");
    }

    #[test]
    fn half_an_event_is_none() {
        assert!(read(&["data: {\"a\":1}\n"]).is_empty());
    }

    #[test]
    fn fields_that_are_not_used_are_passed_over() {
        assert_eq!(read(&["event: snapshot\nid: 7\ndata: x\nretry: 5\n\n"]), ["x"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_the_same_in_whatever_pieces(
            text in prop::collection::vec(
                prop_oneof![any::<u8>(), Just(b'\n'), Just(b'\r'), Just(b':'), Just(b' ')], 0..200,
            ),
            known in "(data: ?[a-z]{0,3}\r?\n|\n|:\n|event: x\n){0,20}",
            size in 1_usize..20,
        ) {
            for bytes in [&text[..], known.as_bytes()] {
                let mut whole = EventReader::default();
                whole.push(bytes);
                let at_once: Vec<String> = std::iter::from_fn(|| whole.next_event()).collect();
                let mut reader = EventReader::default();
                let mut in_pieces = Vec::new();
                for piece in bytes.chunks(size) {
                    reader.push(piece);
                    in_pieces.extend(std::iter::from_fn(|| reader.next_event()));
                }
                prop_assert_eq!(at_once, in_pieces);
            }
        }
    }
}
