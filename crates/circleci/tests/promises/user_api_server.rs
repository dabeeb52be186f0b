//! A server of the tests' own, on loopback, that answers each call of the user API with exactly what
//! a test tells it to, and remembers what was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What is sent back to a call.
type Reply = Vec<u8>;
type Replies = Arc<Mutex<Vec<(String, Reply)>>>;

/// Ends with the test's process; it holds nothing but a port.
pub(crate) struct UserApiServer {
    pub(crate) url: String,
    replies: Replies,
    asked: Arc<Mutex<Vec<String>>>,
}

impl UserApiServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { url, replies: Arc::default(), asked: Arc::default() };
        let (replies, asked) = (server.replies.clone(), server.asked.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &replies, &asked);
            }
        });
        server
    }

    /// `call` is the beginning of `GET /path?query`; the last that was told counts. What nothing was
    /// told of is a 404.
    pub(crate) fn says(&self, call: &str, status: u16, body: &str) {
        self.says_with(call, status, "", body);
    }

    /// With further header lines, each ended with `\r\n`.
    pub(crate) fn says_with(&self, call: &str, status: u16, headers: &str, body: &str) {
        let length = body.len();
        let head = format!("HTTP/1.1 {status} x\r\n{headers}Content-Length: {length}\r\n\r\n");
        self.says_raw(call, [head.as_bytes(), body.as_bytes()].concat());
    }

    /// An answer of no bytes is none: the connection stays open in silence.
    pub(crate) fn says_raw(&self, call: &str, reply: Reply) {
        self.replies.lock().unwrap().push((call.to_owned(), reply));
    }

    /// All calls since the last time, each with its body.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn answer(mut stream: TcpStream, replies: &Replies, asked: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    let _ = reader.read_line(&mut first);
    let call = first.trim().trim_end_matches(" HTTP/1.1").to_owned();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
            break;
        }
        let line = line.to_ascii_lowercase();
        if let Some(text) = line.strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
    let asked_now = format!("{call} {}", String::from_utf8_lossy(&body));
    asked.lock().unwrap().push(asked_now.trim().to_owned());
    let found = {
        let replies = replies.lock().unwrap();
        replies.iter().rev().find(|(beginning, _)| call.starts_with(beginning)).cloned()
    };
    let missing = || b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n".to_vec();
    let reply = found.map_or_else(missing, |(_, reply)| reply);
    if reply.is_empty() {
        // Held until the other side gives up.
        let _ = stream.read(&mut [0; 1]);
        return;
    }
    let _ = stream.write_all(&reply);
    let _ = stream.shutdown(std::net::Shutdown::Both);
}
