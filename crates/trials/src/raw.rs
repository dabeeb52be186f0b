//! The local API as any program sees it: the bytes on its socket.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Everything that is answered to a GET; nothing where nobody answers.
pub fn ask(socket: &Path, path: &str) -> Vec<u8> {
    let mut answer = Vec::new();
    if let Ok(mut stream) = open(socket, path) {
        // What came before the connection broke counts too.
        let _ = stream.read_to_end(&mut answer);
    }
    answer
}

/// What is answered to any call: status, content type and body. `call` is a method and a path; `more`
/// is what follows the lines that every call has: header lines, an empty one, a body.
#[track_caller]
pub fn call(socket: &Path, call: &str, more: &str) -> (u16, String, String) {
    let mut stream = UnixStream::connect(socket).expect("a supervisor listens");
    let head = format!("{call} HTTP/1.1\r\nHost: supervisor\r\nConnection: close\r\n{more}");
    // A call that is too long is answered before it is read, and then cut off.
    let _ = stream.write_all(head.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    answered(&answer).unwrap_or_else(|| panic!("no answer of HTTP to {call}: {answer:?}"))
}

/// Status, content type and body of an answer that is not chunked.
pub fn answered(answer: &str) -> Option<(u16, String, String)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let kind = head.lines().find_map(|line| line.strip_prefix("content-type: "));
    Some((status, kind.unwrap_or_default().to_owned(), body.to_owned()))
}

fn open(socket: &Path, path: &str) -> std::io::Result<UnixStream> {
    let mut stream = UnixStream::connect(socket)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: supervisor\r\nConnection: close\r\n\r\n")?;
    Ok(stream)
}

/// Somebody who listens to the events of one supervisor as long as it lives.
pub struct Listener {
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Listener {
    pub fn of(socket: &Path) -> Self {
        let heard = Arc::<Mutex<Vec<u8>>>::default();
        let mut stream = open(socket, "/v1/events?usage=1").expect("a supervisor listens");
        std::thread::spawn({
            let heard = Arc::clone(&heard);
            move || {
                let mut buffer = vec![0; 64 << 10];
                while let Ok(length @ 1..) = stream.read(&mut buffer) {
                    let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                    heard.extend_from_slice(&buffer[..length]);
                }
            }
        });
        Self { heard }
    }

    /// All bytes so far.
    pub fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
