//! Download, check and unpack of a large archive, and the same by a pipeline of well-known tools.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use protocol::{RunnerSpec, TokenStore};
use trials::{Api, Place};

use crate::Bench;
use crate::numbers::{mb, median, percentile, ratio, short};
use crate::release_server::{ReleaseServer, sha256};
use crate::report::{Bar, Section, Table};

/// Unpacked; it packs to about 200 MB.
const SIZE: u64 = 330_000_000;

pub(crate) fn row(bench: &Bench) -> Result<Section> {
    let rounds = bench.times(7, 2);
    let folder = tempfile::tempdir()?;
    let program = folder.path().join("circleci-runner");
    invent(&program, if bench.quick { SIZE / 10 } else { SIZE })?;
    let server = ReleaseServer::start(&program, folder.path())?;
    let sum = sha256(server.archive())?;
    fs::remove_file(&program)?;
    let quiet = bench.quiet.wait();
    let (mut ours, mut pipeline) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        ours.push(installed(&server)?);
        pipeline.push(piped(&server, &sum, folder.path())?);
    }
    let mut table = Table::new(&["", "median s", "p95", "Runner Tray / it"]);
    for (name, times) in [("Runner Tray", &ours), ("pipeline", &pipeline)] {
        table.line([
            name.to_owned(),
            short(median(times)),
            short(percentile(times, 95)),
            ratio(median(&ours), median(times)),
        ]);
    }
    Ok(Section {
        title: "Download, check, unpack".into(),
        how: format!(
            "An archive of {} MB from a server on loopback, {rounds} rounds by turns. Runner Tray: from the call that sets a runner up until the\n\
             agent has its place below `data/agents`, with its receipt, both on disk (`fsync`). Pipeline:\n\
             `curl -s URL | tee >(sha256sum > sum) | tar xz`, then a look at the sum; nothing of it need be on disk yet.",
            short(mb(fs::metadata(server.archive())?.len()))
        ),
        table,
        notes: vec![quiet],
        bars: vec![Bar::new(
            "download, check, unpack: 1.1 x the pipeline",
            median(&ours),
            median(&pipeline) * 1.1,
            "s",
        )],
    })
}

/// A file that packs about as well as a program does.
fn invent(file: &Path, size: u64) -> Result<()> {
    let mut file = BufWriter::new(File::create(file)?);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut block = [0_u8; 128];
    for _ in 0..size / 128 {
        // Some of it new, the rest as in the block before.
        for word in block.chunks_exact_mut(8).take(9) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            word.copy_from_slice(&state.to_le_bytes());
        }
        file.write_all(&block)?;
    }
    file.flush()?;
    Ok(())
}

/// In seconds, with a supervisor of its own.
fn installed(server: &ReleaseServer) -> Result<f64> {
    let place = Place::new();
    place.folders().ensure()?;
    let api = Api::of(&place);
    let supervisor = trials::Ours::start(place.command("runner-tray-supervisor"));
    trials::until(trials::DEADLINE, "the supervisor answers", || api.health().is_ok());
    let spec = RunnerSpec {
        resource_class: "bench/linux".parse()?,
        working_directory: None,
        api_url: Some(server.url().to_owned()),
        releases_url: Some(server.releases_url()),
        job_user: None,
        token_store: TokenStore::File.into(),
    };
    let agents = place.folders().data.join("agents");
    let begun = Instant::now();
    api.set_up_as("mini", spec, Some("no-such-token"))?;
    let time = loop {
        let there = fs::read_dir(&agents).into_iter().flatten().flatten();
        if there.into_iter().any(|entry| {
            entry.path().join("circleci-runner").is_file()
                && !entry.file_name().as_encoded_bytes().starts_with(b".")
        }) {
            break begun.elapsed().as_secs_f64();
        }
        ensure!(
            begun.elapsed() < trials::DEADLINE,
            "the agent was not installed: {:?}",
            api.runner("mini")
        );
        trials::nap(std::time::Duration::from_millis(1));
    };
    // It is no program at all, and must not be started again and again.
    let _ = api.pause("mini");
    drop(supervisor);
    let runs = place.runs();
    trials::until(trials::DEADLINE, "no keeper is left", || {
        runs.list().unwrap_or_default().iter().all(|run| trials::keeper(&runs.run(run)).is_none())
    });
    Ok(time)
}

fn piped(server: &ReleaseServer, sum: &str, folder: &Path) -> Result<f64> {
    let into = folder.join("piped");
    fs::create_dir(&into)?;
    // A process substitution is not waited for by itself.
    let script = "exec 3< <(exec 4>&1; curl -sf \"$1\" | tee >(sha256sum >&4) | tar xz); read -r sum _ <&3; cat <&3; [ \"$sum\" = \"$2\" ]";
    let begun = Instant::now();
    let status = Command::new("bash")
        .args(["-c", script, "bash", &server.archive_url(), sum])
        .current_dir(&into)
        .stdin(Stdio::null())
        .status()
        .context("running bash")?;
    let time = begun.elapsed().as_secs_f64();
    ensure!(status.success(), "the pipeline ended with {status}");
    ensure!(into.join("circleci-runner").is_file(), "the pipeline unpacked nothing");
    fs::remove_dir_all(&into)?;
    Ok(time)
}
