//! A release server of the tests' own, on loopback, that answers exactly what a test tells it to.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use flate2::{Compression, write::GzEncoder};
use runner_tray_circleci::Platform;
use sha2::{Digest, Sha256};

type Answers = Arc<Mutex<HashMap<String, Vec<u8>>>>;

/// Ends with the test's process; it holds nothing but a port.
pub(crate) struct ReleaseServer {
    pub(crate) url: String,
    answers: Answers,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ReleaseServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/runner", listener.local_addr().unwrap());
        let server = Self { url, answers: Arc::default(), asked: Arc::default() };
        let (answers, asked) = (server.answers.clone(), server.asked.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &answers, &asked);
            }
        });
        server
    }

    /// The raw HTTP answer to `GET path`; anything else is answered with 404.
    pub(crate) fn answers_raw(&self, path: &str, raw: Vec<u8>) {
        self.answers.lock().unwrap().insert(path.to_owned(), raw);
    }

    pub(crate) fn answers(&self, path: &str, body: &[u8]) {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        self.answers_raw(path, [head.as_bytes(), body].concat());
    }

    /// Offers `archive` as the current release, under `version`, promising `sha256` of it.
    pub(crate) fn offers(&self, version: &str, archive: &[u8], sha256: &str) {
        let Platform { os, arch } = Platform::this_machine().unwrap();
        let path = format!("/runner/{version}/circleci-runner_{os}_{arch}.tar.gz");
        let manifest = format!(
            r#"{{"releases":{{"current":{{"{os}":{{"{arch}":{{"url":"{path}","sha256":"{sha256}"}}}}}}}}}}"#
        );
        self.answers("/runner/manifest.json", manifest.as_bytes());
        self.answers(&path, archive);
    }

    /// The paths asked for since the last call.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn answer(mut stream: TcpStream, answers: &Answers, asked: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    lines.find(String::is_empty);
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let found = answers.lock().unwrap().get(&path).cloned();
    asked.lock().unwrap().push(path);
    let missing = || b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec();
    // Closing after each answer: a cut answer must look cut. The client may have left already.
    let _ = stream.write_all(&found.unwrap_or_else(missing));
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
