//! A run with an agent's log for the tests of its readers, written and cut as an agent and a keeper do.

use std::fs::File;
use std::io::Write;

use protocol::{LogPage, RunId};
use run_dir::{Plan, RunDir, TokenMark};

use crate::logs::{END, LogSource, Part, Unfinished, page, place};

pub(crate) struct TestLog {
    _folder: tempfile::TempDir,
    pub(crate) source: LogSource,
    pub(crate) run: RunDir,
    file: File,
    mark: TokenMark,
}

impl TestLog {
    pub(crate) fn new(token: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mark = TokenMark::of(token);
        let plan = plan(mark.clone());
        let run = RunDir::at(folder.path().to_owned());
        run.write_plan(&plan).unwrap();
        File::create(run.path().join("keeper.lock")).unwrap();
        let source = LogSource {
            run: RunId::from(plan.run.as_str()),
            folder: run.clone(),
            ended: false,
            previous: None,
            next: None,
        };
        let file = run.open_agent_log().unwrap();
        Self { _folder: folder, source, run, file, mark }
    }

    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.file.write_all(bytes.as_ref()).unwrap();
    }

    /// Whether there was anything to cut.
    pub(crate) fn cut(&self) -> bool {
        self.cut_at(u64::MAX)
    }

    /// The same of a log that outgrew its limit, of which a part is not kept.
    pub(crate) fn cut_at(&self, limit: u64) -> bool {
        let is_empty = self.file.metadata().unwrap().len() == 0;
        self.run.cut_agent_log(Some(&self.mark), limit).unwrap();
        !is_empty
    }

    pub(crate) fn empty_by_hand(&self) {
        self.file.set_len(0).unwrap();
    }

    pub(crate) fn page(&self, part: Part, limit: u64, unfinished: Unfinished) -> LogPage {
        page(&self.source, part, Some(limit), unfinished).unwrap()
    }

    pub(crate) fn from(&self, from: u64) -> LogPage {
        self.page(Part::From(from), 1 << 16, Unfinished::HeldBack)
    }

    /// All pages from a place on, and where the next one would begin.
    pub(crate) fn forwards(&self, from: u64, limit: u64) -> (Vec<LogPage>, u64) {
        let (mut pages, mut at) = (Vec::new(), from);
        loop {
            let page = self.page(Part::From(at), limit, Unfinished::Shown);
            at = place(&page.next).unwrap().1;
            let at_end = page.at_end;
            pages.push(page);
            if at_end {
                return (pages, at);
            }
        }
    }

    /// All pages from the end back, first to last.
    pub(crate) fn backwards(&self, limit: u64) -> Vec<LogPage> {
        let (mut pages, mut before) = (Vec::new(), END);
        loop {
            let page = self.page(Part::Before(before), limit, Unfinished::Shown);
            let above = page.before.clone();
            pages.insert(0, page);
            let Some(above) = above else { return pages };
            before = place(&above).unwrap().1;
        }
    }
}

pub(crate) fn text(pages: &[LogPage]) -> String {
    pages.iter().map(|page| page.text.as_str()).collect()
}

fn plan(mark: TokenMark) -> Plan {
    Plan {
        run: "20261123T181047.123Z-4f2a9c".parse().unwrap(),
        runner: "mini".into(),
        resource_class: "acme/mini".into(),
        settings_mark: String::new(),
        argv: vec!["/agent".into()],
        cwd: "/".into(),
        environment: Vec::new(),
        agent_version: None,
        working_directory: "/work".into(),
        task_agent_directory: "/agents".into(),
        helper: "/helper".into(),
        job_user: None,
        job_path: run_dir::JobPath::default(),
        token_mark: Some(mark),
        log_limit: 20 << 20,
    }
}
