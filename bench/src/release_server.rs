//! A release bucket on loopback with one agent in it: enough of HTTP for our download and for curl.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use sha2::{Digest, Sha256};

pub(crate) struct ReleaseServer {
    url: String,
    archive: PathBuf,
}

const VERSION: &str = "3.1.99";

impl ReleaseServer {
    /// Offers this program as the agent; its archive lies in `folder`. It serves as long as the bench runs.
    pub(crate) fn start(program: &Path, folder: &Path) -> Result<Self> {
        let archive = folder.join("agent.tar.gz");
        pack(program, &archive).context("packing the agent")?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let manifest = manifest(&url, &sha256(&archive)?)?;
        let offered = archive.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (offered, manifest) = (offered.clone(), manifest.clone());
                // Whoever hangs up has what it wants.
                std::thread::spawn(move || answer(&connection, &offered, &manifest));
            }
        });
        Ok(Self { url, archive })
    }

    /// Where anything else gets a 404, so it serves as a `CircleCI` that knows nobody, too.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn releases_url(&self) -> String {
        format!("{}/releases", self.url)
    }

    pub(crate) fn archive_url(&self) -> String {
        format!("{}{}", self.url, path().unwrap_or_default())
    }

    pub(crate) fn archive(&self) -> &Path {
        &self.archive
    }
}

fn platform() -> Result<(&'static str, &'static str)> {
    match std::env::consts::ARCH {
        "x86_64" => Ok(("linux", "amd64")),
        "aarch64" => Ok(("linux", "arm64")),
        other => anyhow::bail!("there are no agents for {other}"),
    }
}

fn path() -> Result<String> {
    let (os, arch) = platform()?;
    Ok(format!("/releases/{VERSION}/circleci-runner_{os}_{arch}.tar.gz"))
}

fn manifest(url: &str, sha256: &str) -> Result<String> {
    let (os, arch) = platform()?;
    let offer = json!({ "url": format!("{url}{}", path()?), "sha256": sha256 });
    Ok(json!({ "releases": { "current": { os: { arch: offer } } } }).to_string())
}

/// A tar.gz with the one file that an agent's archive has.
fn pack(program: &Path, archive: &Path) -> Result<()> {
    let mut tar = tar::Builder::new(GzEncoder::new(File::create(archive)?, Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(fs::metadata(program)?.len());
    header.set_mode(0o755);
    tar.append_data(&mut header, "circleci-runner", File::open(program)?)?;
    tar.into_inner()?.finish()?;
    Ok(())
}

pub(crate) fn sha256(file: &Path) -> Result<String> {
    let (mut file, mut hash, mut piece) = (File::open(file)?, Sha256::new(), vec![0; 1 << 18]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hex::encode(hash.finalize())),
            length => hash.update(&piece[..length]),
        }
    }
}

fn answer(mut connection: &TcpStream, archive: &Path, manifest: &str) -> io::Result<()> {
    let mut lines = BufReader::new(connection).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let asked = request.split(' ').nth(1).unwrap_or_default();
    let head = |status: &str, length: u64| {
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
    };
    if asked.ends_with("/manifest.json") {
        connection.write_all(head("200 OK", manifest.len() as u64).as_bytes())?;
        connection.write_all(manifest.as_bytes())
    } else if asked.ends_with(".tar.gz") {
        let mut file = File::open(archive)?;
        connection.write_all(head("200 OK", file.metadata()?.len()).as_bytes())?;
        // The kernel moves it: the server's own work is next to nothing.
        io::copy(&mut file, &mut connection).map(drop)
    } else {
        connection.write_all(head("404 Not Found", 0).as_bytes())
    }
}
