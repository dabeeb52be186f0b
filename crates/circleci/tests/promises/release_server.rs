//! A release server of the tests' own, on loopback, that answers exactly what a test tells it to.

use std::{
    collections::{HashMap, VecDeque},
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use runner_tray_circleci::Platform;
use sha2::{Digest, Sha256};

/// What is sent, and whether it comes a few bytes at a time.
#[derive(Clone)]
pub(crate) struct Raw {
    bytes: Vec<u8>,
    drips: bool,
}

impl Raw {
    /// The same without its last bytes.
    pub(crate) fn cut_by(mut self, bytes: usize) -> Self {
        self.bytes.truncate(self.bytes.len() - bytes);
        self
    }
}

/// For each path what it is answered with, one after the other; the last stays.
type Answers = Arc<Mutex<HashMap<String, VecDeque<Raw>>>>;

/// Ends with the test's process; it holds nothing but a port.
pub(crate) struct ReleaseServer {
    pub(crate) url: String,
    answers: Answers,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// A path, and the range of it that was asked for.
pub(crate) type Asked = (String, Option<String>);

impl ReleaseServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/runner", listener.local_addr().unwrap());
        let server = Self { url, answers: Arc::default(), asked: Arc::default() };
        let (answers, asked) = (server.answers.clone(), server.asked.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, asked) = (answers.clone(), asked.clone());
                thread::spawn(move || answer(stream, &answers, &asked));
            }
        });
        server
    }

    /// The answers to `GET path`, each once and the last from then on.
    pub(crate) fn answers_in_turn(&self, path: &str, turns: impl IntoIterator<Item = Raw>) {
        self.answers.lock().unwrap().insert(path.to_owned(), turns.into_iter().collect());
    }

    /// The raw HTTP answer to `GET path`; anything else is answered with 404.
    pub(crate) fn answers_raw(&self, path: &str, raw: Vec<u8>) {
        self.answers_in_turn(path, [Raw { bytes: raw, drips: false }]);
    }

    pub(crate) fn answers(&self, path: &str, body: &[u8]) {
        self.answers_in_turn(path, [whole(body)]);
    }

    /// What `GET path` is answered with now.
    pub(crate) fn answer_to(&self, path: &str) -> Raw {
        self.answers.lock().unwrap()[path][0].clone()
    }

    /// Offers `archive` as the current release, under `version`, promising `sha256` of it.
    pub(crate) fn offers(&self, version: &str, archive: &[u8], sha256: &str) -> String {
        let path = path_of(version);
        self.points_to(&path, sha256);
        self.answers(&path, archive);
        path
    }

    /// Offers an archive that lies at `url`, which may be another server's.
    pub(crate) fn points_to(&self, url: &str, sha256: &str) {
        let Platform { os, arch } = Platform::this_machine().unwrap();
        let manifest = format!(
            r#"{{"releases":{{"current":{{"{os}":{{"{arch}":{{"url":"{url}","sha256":"{sha256}"}}}}}}}}}}"#
        );
        self.answers("/runner/manifest.json", manifest.as_bytes());
    }

    /// The paths asked for since the last call.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked_for().into_iter().map(|(path, _)| path).collect()
    }

    /// The same with their ranges.
    pub(crate) fn asked_for(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// The ranges of archives that were asked for since the last call.
    pub(crate) fn ranges(&self) -> Vec<Option<String>> {
        let archives = |(path, range): Asked| path.ends_with(".tar.gz").then_some(range);
        self.asked_for().into_iter().filter_map(archives).collect()
    }
}

pub(crate) fn path_of(version: &str) -> String {
    let Platform { os, arch } = Platform::this_machine().unwrap();
    format!("/runner/{version}/circleci-runner_{os}_{arch}.tar.gz")
}

pub(crate) fn whole(body: &[u8]) -> Raw {
    cut(body, body.len())
}

/// The first bytes of a body that is said to be longer.
pub(crate) fn cut(body: &[u8], at: usize) -> Raw {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    Raw { bytes: [head.as_bytes(), &body[..at]].concat(), drips: false }
}

/// What lies behind the first bytes.
pub(crate) fn rest(body: &[u8], from: usize) -> Raw {
    let (length, last) = (body.len() - from, body.len() - 1);
    let head = format!(
        "HTTP/1.1 206 Partial Content\r\nContent-Length: {length}\r\nContent-Range: bytes {from}-{last}/{}\r\n\r\n",
        body.len()
    );
    Raw { bytes: [head.as_bytes(), &body[from..]].concat(), drips: false }
}

/// A few bytes at a time.
pub(crate) fn dripping(body: &[u8]) -> Raw {
    Raw { drips: true, ..whole(body) }
}

pub(crate) fn status(status: u16, headers: &str) -> Raw {
    let bytes = format!("HTTP/1.1 {status} Odd\r\n{headers}Content-Length: 0\r\n\r\n").into_bytes();
    Raw { bytes, drips: false }
}

fn answer(mut stream: TcpStream, answers: &Answers, asked: &Mutex<Vec<Asked>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let is_range = |line: &&String| line.to_ascii_lowercase().starts_with("range:");
    let range = head.iter().find(is_range).map(|line| line[6..].trim().to_owned());
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let found =
        answers.lock().unwrap().get_mut(&path).and_then(|turns| {
            if turns.len() > 1 { turns.pop_front() } else { turns.front().cloned() }
        });
    asked.lock().unwrap().push((path, range));
    let found = found.unwrap_or_else(|| status(404, ""));
    let pieces = if found.drips { 100 } else { usize::MAX };
    // Closing after each answer: a cut answer must look cut. The client may have left already.
    for piece in found.bytes.chunks(pieces) {
        if stream.write_all(piece).is_err() {
            break;
        }
        if found.drips {
            thread::sleep(Duration::from_millis(10));
        }
    }
    let _ = stream.shutdown(std::net::Shutdown::Both);
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A tar.gz of plain files.
pub(crate) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    archive_of(|tar| {
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            // Written by hand: the library refuses names that an attacker would not.
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(content.len() as u64);
            header.set_mode(0o6777);
            header.set_cksum();
            tar.append(&header, *content).unwrap();
        }
    })
}

pub(crate) fn archive_of(fill: impl FnOnce(&mut tar::Builder<GzEncoder<Vec<u8>>>)) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    fill(&mut tar);
    tar.into_inner().unwrap().finish().unwrap()
}
