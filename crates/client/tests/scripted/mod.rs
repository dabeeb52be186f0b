//! A supervisor that says what it is told to, byte by byte, and remembers what it was asked.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread::JoinHandle;

pub(crate) struct Scripted {
    pub(crate) socket: PathBuf,
    answering: JoinHandle<Vec<String>>,
    _home: tempfile::TempDir,
}

/// Gives each connection one of `answers`, in order, and then closes it.
pub(crate) fn supervisor(answers: Vec<String>) -> Scripted {
    let home = tempfile::tempdir().expect("a folder for the socket");
    let socket = home.path().join("s.sock");
    let listener = UnixListener::bind(&socket).expect("the socket can be bound");
    let answering = std::thread::spawn(move || {
        answers
            .into_iter()
            .map(|answer| {
                let (mut stream, _) = listener.accept().expect("somebody connects");
                let asked = request(&mut stream);
                stream.write_all(answer.as_bytes()).expect("the answer can be written");
                asked
            })
            .collect()
    });
    Scripted { socket, answering, _home: home }
}

impl Scripted {
    /// The requests, each its first line, a blank and its body.
    pub(crate) fn asked(self) -> Vec<String> {
        self.answering.join().expect("the script was played to its end")
    }
}

pub(crate) fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn request(stream: &mut UnixStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length: usize = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, length)| length.parse().expect("a length"));
            if body.len() >= length {
                let first = head.lines().next().unwrap_or_default();
                return format!("{first} {body}").trim().to_owned();
            }
        }
        let read = stream.read(&mut chunk).expect("the request can be read");
        assert!(read > 0, "the request ended early: {text:?}");
        bytes.extend_from_slice(&chunk[..read]);
    }
}
