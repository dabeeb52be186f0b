//! Archives that no honest release server offers. Small on the wire, whatever they stand for.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};

use crate::control::OddArchive;

const AGENT: &str = "circleci-runner";
const CONTENT: &[u8] = b"#!/bin/sh\nexit 3\n";
const MB: usize = 1 << 20;

/// The bytes, as they are offered.
pub(super) fn bytes(odd: OddArchive) -> Vec<u8> {
    let agent = || file(AGENT, CONTENT);
    match odd {
        OddArchive::NotGzip => b"<html>Sign in to the guest network</html>".to_vec(),
        OddArchive::Empty => packed(&[]),
        OddArchive::Elsewhere => packed(&[file("bin/circleci-runner", CONTENT)]),
        OddArchive::Twice => packed(&[agent(), agent()]),
        OddArchive::Parent => packed(&[agent(), file("../circleci-runner", CONTENT)]),
        OddArchive::Absolute => packed(&[agent(), file("/tmp/circleci-runner", CONTENT)]),
        OddArchive::Symlink => packed(&[link(EntryType::Symlink)]),
        OddArchive::Hardlink => packed(&[link(EntryType::Link)]),
        OddArchive::Device => packed(&[bare(AGENT, EntryType::Char, 0)]),
        OddArchive::Fifo => packed(&[bare(AGENT, EntryType::Fifo, 0)]),
        OddArchive::Sparse => packed(&[bare(AGENT, EntryType::GNUSparse, 0)]),
        OddArchive::HugeSize => packed(&[bare(AGENT, EntryType::Regular, 1 << 40)]),
        OddArchive::LongName => bomb(&bare("x", EntryType::GNULongName, 1 << 33), b'a', 8 * MB),
        OddArchive::Bomb => bomb(&bare("readme", EntryType::Regular, 1 << 33), 0, 96 * MB),
        OddArchive::ManyEntries => {
            let entries = (0..20_000).map(|at| bare(&format!("{at}"), EntryType::Regular, 0));
            packed(&entries.collect::<Vec<_>>())
        }
        OddArchive::CutShort => {
            let whole = packed(&[file(AGENT, &[7; 4096])]);
            whole[..whole.len() / 2].to_vec()
        }
    }
}

/// A header that says what it says, true or not.
fn bare(name: &str, kind: EntryType, size: u64) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o6777);
    header.set_size(size);
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn file(name: &str, content: &[u8]) -> Vec<u8> {
    let mut entry = bare(name, EntryType::Regular, content.len() as u64);
    entry.extend_from_slice(content);
    entry.resize(entry.len().next_multiple_of(512), 0);
    entry
}

fn link(kind: EntryType) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(0);
    let _ = header.set_path(AGENT);
    let _ = header.set_link_name("/etc/passwd");
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn packed(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    let written = entries
        .iter()
        .try_for_each(|entry| gz.write_all(entry))
        .and_then(|()| gz.write_all(&[0; 1024]))
        .and_then(|()| gz.finish());
    written.unwrap_or_else(|error| unreachable!("packing in memory: {error}"))
}

/// A header, then the same byte again and again.
fn bomb(header: &[u8], byte: u8, length: usize) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    let piece = vec![byte; MB];
    let written = gz
        .write_all(header)
        .and_then(|()| (0..length / MB).try_for_each(|_| gz.write_all(&piece)))
        .and_then(|()| gz.finish());
    written.unwrap_or_else(|error| unreachable!("packing in memory: {error}"))
}
