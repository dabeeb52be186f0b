//! Bytes of the agent's log keep their places, however often it is cut and whoever dies meanwhile.

use std::fs::{self, File};
use std::io::Write;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use run_dir::{AgentLog, RunDir, TokenMark};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

struct Run {
    _folder: tempfile::TempDir,
    dir: RunDir,
    log: File,
}

impl Run {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = RunDir::at(folder.path().to_owned());
        File::create(folder.path().join("keeper.lock")).expect("a lock");
        let log = dir.open_agent_log().expect("a log");
        Self { _folder: folder, dir, log }
    }

    fn write(&mut self, text: &str) {
        self.log.write_all(text.as_bytes()).expect("room");
    }

    fn cut(&self) {
        self.dir.cut_agent_log(Some(&TokenMark::of(TOKEN)), u64::MAX).expect("it is cut");
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.dir.path().join(from), self.dir.path().join(to)).expect("it is there");
    }

    fn log(&self) -> AgentLog {
        AgentLog::open(&self.dir).expect("it can be read")
    }
}

fn read(log: &mut AgentLog, wanted: Range<u64>) -> (u64, String) {
    let mut bytes = Vec::new();
    let at = log.read(wanted, &mut bytes).expect("it can be read");
    (at, String::from_utf8(bytes).expect("text"))
}

fn text(at: u64, text: &str) -> (u64, String) {
    (at, text.to_owned())
}

#[test]
fn a_byte_keeps_its_place_when_the_log_is_cut() {
    let mut run = Run::new();
    run.write("first\n");
    let mut reader = run.log();
    assert_eq!(read(&mut reader, 0..100), text(0, "first\n"));
    run.cut();
    run.write("second\n");
    assert_eq!(read(&mut reader, 2..100), text(2, "rst\nsecond\n"));
    assert_eq!((reader.from(), reader.end().unwrap()), (0, 13));
    run.cut();
    run.write("third\n");
    assert_eq!(read(&mut reader, 2..100), text(6, "second\nthird\n"), "the first line is gone");
    assert_eq!(read(&mut reader, 8..15), text(8, "cond\nth"));
    assert_eq!((reader.from(), reader.end().unwrap()), (6, 19));
    assert_eq!(reader.edges(), [6, 13, 13]);
}

#[test]
fn a_token_that_is_moved_aside_is_covered_and_moves_nothing() {
    let mut run = Run::new();
    run.write(&format!("token={TOKEN};\n"));
    let end = run.log().end().unwrap();
    run.cut();
    assert_eq!(run.log().end().unwrap(), end);
    let (_, seen) = read(&mut run.log(), 0..100);
    assert_eq!(seen, format!("token=[token]{};\n", "*".repeat(TOKEN.len() - 7)));
}

#[test]
fn what_was_moved_aside_says_in_words_where_it_belongs() {
    let mut run = Run::new();
    run.write("first\n");
    run.cut();
    run.write("second");
    run.cut();
    let aside = fs::read_to_string(run.dir.agent_log_before()).unwrap();
    assert_eq!(aside, "second\n[Runner Tray: bytes 6 to 12 of the agent's log, moved aside]\n");
}

#[test]
fn a_part_without_such_words_is_the_beginning() {
    let mut run = Run::new();
    File::create(run.dir.agent_log_before()).unwrap().write_all(b"by an older keeper\n").unwrap();
    run.write("and on\n");
    assert_eq!(read(&mut run.log(), 3..100), text(3, "an older keeper\nand on\n"));
}

#[test]
fn a_cut_that_a_killed_keeper_left_half_done_loses_and_repeats_nothing() {
    for emptied in [false, true] {
        let mut run = Run::new();
        run.write("first\n");
        run.cut();
        run.write("second\n");
        let whole = fs::read(run.dir.agent_log()).unwrap();
        run.cut();
        run.rename("agent.log.1", "agent.log.cutting");
        if emptied {
            run.write("3\n");
        } else {
            run.log.write_all(&whole).unwrap();
            run.write("3\n");
        }
        assert_eq!(read(&mut run.log(), 0..100), text(6, "second\n3\n"), "emptied: {emptied}");
        // The next keeper ends it.
        run.dir.finish_log_cut().unwrap();
        assert!(!run.dir.path().join("agent.log.cutting").exists());
        assert!(read(&mut run.log(), 0..100).1.starts_with("second\n"));
    }
}

#[test]
fn who_must_not_wait_is_told_that_the_log_is_being_cut() {
    let mut run = Run::new();
    run.write("first\n");
    run.cut();
    let keeper = run.dir.take_lock().unwrap();
    run.rename("agent.log.1", "agent.log.cutting");
    let error = AgentLog::open_at_once(&run.dir).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    drop(keeper);
    assert_eq!(AgentLog::open_at_once(&run.dir).unwrap().end().unwrap(), 6, "nobody is cutting it");
}

#[test]
fn a_log_that_is_deleted_or_was_never_there_is_read_to_its_end() {
    let mut run = Run::new();
    run.write("words\n");
    let mut reader = run.log();
    fs::remove_dir_all(run.dir.path()).unwrap();
    assert_eq!(read(&mut reader, 0..100), text(0, "words\n"));
    assert_eq!(run.log().end().unwrap(), 0);
    assert_eq!(read(&mut run.log(), 5..9).1, "");
}

#[test]
fn where_a_copy_is_impossible_the_log_is_cut_all_the_same() {
    let mut run = Run::new();
    run.write("first\n");
    run.cut();
    run.write("second\n");
    // In place of the copy there is something that no file can replace.
    fs::create_dir(run.dir.path().join("agent.log.new")).unwrap();
    run.dir.cut_agent_log(None, u64::MAX).unwrap_err();
    assert_eq!(fs::metadata(run.dir.agent_log()).unwrap().len(), 0);
    fs::remove_dir(run.dir.path().join("agent.log.new")).unwrap();
    run.write("third\n");
    assert_eq!(read(&mut run.log(), 0..100), text(0, "first\nthird\n"));
}

/// Readers are never given a byte for another while the log is cut under them.
#[test]
fn a_reader_sees_every_line_once_while_the_log_is_cut_again_and_again() {
    const LINES: u64 = 20_000;
    let mut run = Run::new();
    let dir = run.dir.clone();
    // What is written between copy and cut would be lost: here nobody writes then.
    let quiet = Mutex::new(());
    let done = AtomicBool::new(false);
    let line = |n: u64| format!("line {n:06}\n");
    let size = line(0).len() as u64;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..LINES {
                let _quiet = quiet.lock().unwrap();
                run.log.write_all(line(n).as_bytes()).unwrap();
            }
            done.store(true, Ordering::Release);
        });
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                let _quiet = quiet.lock().unwrap();
                if fs::metadata(dir.agent_log()).unwrap().len() > 100 * size {
                    dir.cut_agent_log(None, u64::MAX).unwrap();
                }
            }
        });
        let mut reader = AgentLog::open(&dir).unwrap();
        let (mut at, mut bytes, mut lines) = (0, Vec::new(), 0);
        while at < LINES * size {
            let read = reader.read(at..at + 64 * size, &mut bytes).unwrap();
            let whole = bytes.len() - bytes.len() % usize::try_from(size).unwrap();
            for (n, seen) in
                (read / size..).zip(bytes[..whole].chunks(usize::try_from(size).unwrap()))
            {
                assert_eq!(String::from_utf8_lossy(seen), line(n), "at {read}");
                lines += 1;
            }
            at = read + whole as u64;
        }
        assert!(lines > 0);
    });
}
