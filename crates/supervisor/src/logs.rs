//! The agent's log for readers: page by page, whole lines, redacted. It survives the keeper's cutting
//! of the file and goes on with the next run.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use protocol::{LogPage, RunId};
use run_dir::TokenMark;

/// Where the log of a run lies, and what must not be seen in it.
#[derive(Debug, Clone)]
pub(crate) struct LogSource {
    pub(crate) run: RunId,
    pub(crate) path: PathBuf,
    pub(crate) mark: Option<TokenMark>,
    /// The run after it, if there is one: this log will not grow.
    pub(crate) next: Option<RunId>,
}

/// Waits for a log to grow or to appear.
pub(crate) struct Grows {
    grown: tokio::sync::mpsc::UnboundedReceiver<()>,
    _watcher: Option<notify::RecommendedWatcher>,
}

impl Grows {
    pub(crate) fn new(path: &std::path::Path) -> Self {
        use notify::Watcher;
        let (tell, grown) = tokio::sync::mpsc::unbounded_channel();
        let told = move |event: notify::Result<notify::Event>| {
            let changed =
                event.is_ok_and(|event| !matches!(event.kind, notify::EventKind::Access(_)));
            if changed {
                // The one who waits may be gone.
                let _ = tell.send(());
            }
        };
        let watcher = notify::RecommendedWatcher::new(told, notify::Config::default())
            .and_then(|mut watcher| {
                watcher.watch(path, notify::RecursiveMode::NonRecursive).map(|()| watcher)
            })
            .ok();
        Self { grown, _watcher: watcher }
    }

    pub(crate) async fn more(mut self) {
        if self.grown.recv().await.is_none() {
            // Nothing to watch: the caller's own limit decides.
            std::future::pending::<()>().await;
        }
    }
}

const LONGEST_PAGE: u64 = 1 << 20;
const USUAL_PAGE: u64 = 64 << 10;

/// A place in a run's log: `<run>:<byte>`.
pub(crate) fn place(text: &str) -> Option<(RunId, u64)> {
    let (run, byte) = text.rsplit_once(':')?;
    Some((RunId::from(run), byte.parse().ok()?))
}

/// The page from `from` on; without one, the end of the log.
pub(crate) fn page(
    source: &LogSource,
    from: Option<u64>,
    limit: Option<u64>,
) -> std::io::Result<LogPage> {
    let limit = limit.unwrap_or(USUAL_PAGE).clamp(1, LONGEST_PAGE);
    let mut file = match File::open(&source.path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(of(source, &[], 0, 0));
        }
        Err(error) => return Err(error),
    };
    let size = file.metadata()?.len();
    let start = match from {
        // Cut meanwhile: its new beginning is what comes next.
        Some(from) if from > size => 0,
        Some(from) => from,
        None => size.saturating_sub(limit),
    };
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    let mut skipped = 0;
    if from.is_none() && start > 0 {
        // The end of the log begins within a line.
        skipped = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    }
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let full = bytes.len() as u64 == limit;
    // A line longer than a page is given in pieces; the last line of a dead run may lack its end.
    let end = if whole > skipped || !(full || source.next.is_some()) { whole } else { bytes.len() };
    let text = bytes.get(skipped..end.max(skipped)).unwrap_or_default();
    Ok(of(source, text, start + end.max(skipped) as u64, size))
}

fn of(source: &LogSource, bytes: &[u8], next: u64, size: u64) -> LogPage {
    let text = match &source.mark {
        Some(mark) => String::from_utf8_lossy(&mark.redact(bytes)).into_owned(),
        None => String::from_utf8_lossy(bytes).into_owned(),
    };
    let at_end = text.is_empty() || next >= size;
    match &source.next {
        Some(run) if at_end => LogPage { at_end: false, text, next: format!("{run}:0") },
        Some(_) | None => LogPage { at_end, text, next: format!("{}:{next}", source.run) },
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn log(text: &str) -> (tempfile::TempDir, LogSource) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.log");
        File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        let source = LogSource {
            run: RunId::from("20261123T181047.123Z-4f2a9c"),
            path,
            mark: Some(TokenMark::of("0123456789abcdef0123456789abcdef")),
            next: None,
        };
        (folder, source)
    }

    #[test]
    fn pages_are_whole_lines_and_follow_one_another() {
        let lines: Vec<String> = (0..200).map(|n| format!("line {n}\n")).collect();
        let text = lines.concat();
        let (_folder, source) = log(&format!("{text}unfinished"));
        let mut seen = String::new();
        let mut from = 0;
        loop {
            let page = page(&source, Some(from), Some(100)).unwrap();
            from = place(&page.next).unwrap().1;
            if page.text.is_empty() {
                break;
            }
            assert!(page.text.ends_with('\n'));
            seen.push_str(&page.text);
        }
        assert_eq!(seen, text);
    }

    #[test]
    fn the_token_is_never_shown() {
        let (_folder, source) = log("token=0123456789abcdef0123456789abcdef\n");
        let page = page(&source, None, None).unwrap();
        assert_eq!(page.text, "token=[token]\n");
    }

    #[test]
    fn a_log_that_was_cut_goes_on_at_its_beginning() {
        let (_folder, source) = log("new\n");
        assert_eq!(page(&source, Some(5_000), None).unwrap().text, "new\n");
    }
}
