//! What the task agent tells the server, in order, from a thread of its own, so that a slow or
//! absent server never slows a step. Whatever cannot be said within a minute is given up.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::json_lines::JsonLines;
use crate::control::Outcome;
use crate::http::{Api, ApiError, Reply, insist};
use crate::wire::{StepEnd, StepStart, TaskEnd};
use ureq::http::Method;

pub(super) const PATIENCE: Duration = Duration::from_mins(1);

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
        if let Err(error) = insist(PATIENCE, || send(api, &report)) {
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
