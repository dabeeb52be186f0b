//! What the task agent tells the server, in order, from a thread of its own, so that a slow or
//! absent server never slows a step. Whatever cannot be said within a minute is given up.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::json_lines::JsonLines;
use crate::control::Outcome;
use crate::http::{Api, ApiError, Reply};
use crate::wire::{StepEnd, StepStart, TaskEnd};
use ureq::http::Method;

const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);

pub(super) enum Report {
    StepStart(StepStart),
    Output { step: u32, offset: u64, bytes: Vec<u8> },
    StepEnd(StepEnd),
    TaskEnd(Outcome),
}

pub(super) struct Reporter {
    sender: Sender<Report>,
    thread: JoinHandle<()>,
}

impl Reporter {
    pub(super) fn start(api: Arc<Api>, lines: JsonLines) -> Self {
        let (sender, reports) = channel();
        let thread = std::thread::spawn(move || send_all(&reports, &api, &lines));
        Self { sender, thread }
    }

    pub(super) fn sender(&self) -> Sender<Report> {
        self.sender.clone()
    }

    pub(super) fn say(&self, report: Report) {
        let _ = self.sender.send(report);
    }

    /// The last word; returns once everything was said or given up.
    pub(super) fn finish(self, outcome: Outcome) {
        self.say(Report::TaskEnd(outcome));
        let _ = self.thread.join();
    }
}

fn send_all(reports: &Receiver<Report>, api: &Api, lines: &JsonLines) {
    while let Ok(report) = reports.recv() {
        let is_last = matches!(report, Report::TaskEnd(_));
        if let Err(error) = insist(|| send(api, &report)) {
            lines.warning(&format!("report not taken: {error}"));
        }
        if is_last {
            return;
        }
    }
}

fn send(api: &Api, report: &Report) -> Result<Reply, ApiError> {
    match report {
        Report::StepStart(start) => api.post("/api/v2/step/start", start),
        Report::StepEnd(end) => api.post("/api/local/step/end", end),
        Report::TaskEnd(outcome) => api.post("/api/local/task/end", &TaskEnd { outcome: *outcome }),
        Report::Output { step, offset, bytes } => {
            let path = format!("/api/local/step/output?step={step}&offset={offset}");
            api.call(Method::POST, &path, "application/octet-stream", bytes.clone())
        }
    }
}

/// Again, as long as the server cannot be reached or is in trouble itself.
fn insist(call: impl Fn() -> Result<Reply, ApiError>) -> Result<Reply, ApiError> {
    let give_up_at = Instant::now() + PATIENCE;
    loop {
        let answer = call();
        let may_come =
            answer.as_ref().is_err_and(|it| it.status().is_none_or(|status| status >= 500));
        if !may_come || Instant::now() >= give_up_at {
            return answer;
        }
        std::thread::sleep(PAUSE);
    }
}
