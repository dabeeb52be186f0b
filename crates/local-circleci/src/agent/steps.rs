//! The steps of a job, one after the other, each a bash of its own in the working directory. The
//! first that fails is the last; a cancel ends the running one with its whole process group.

use std::fs;
use std::io::{PipeReader, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::cancel::Cancel;
use super::instructions::Instructions;
use super::json_lines::JsonLines;
use super::report::{Report, Reporter};
use super::scratch::Scratch;
use super::variables;
use crate::control::Outcome;
use crate::task::StepPlan;
use crate::wire::{StepEnd, StepStart, TaskConfig};

/// What the step that runs is waiting for.
pub(super) enum Event {
    Cancel,
    Exited,
    /// Nobody holds the step's output any more.
    OutputEnded,
}

/// The step in which CircleCI prints the environment; the job's own follow it.
const PRINT_ENV: u32 = 99;
const FIRST_OWN_STEP: u32 = 101;
/// How long output is waited for after bash ended: a background process may hold it for ever.
const LAST_WORDS: Duration = Duration::from_millis(1500);

pub(super) struct Job<'a> {
    pub(super) config: &'a TaskConfig,
    pub(super) instructions: &'a Instructions,
    pub(super) scratch: &'a Scratch,
    pub(super) lines: &'a JsonLines,
    pub(super) reporter: &'a Reporter,
    pub(super) cancel: &'a Cancel,
    /// Between TERM and KILL to a cancelled step.
    pub(super) kill_delay: Duration,
}

impl Job<'_> {
    pub(super) fn run(&self) -> Outcome {
        let directory = self.working_directory();
        let variables = variables::of_steps(self.config, &directory, self.scratch);
        let names: Vec<&str> = variables.keys().map(String::as_str).collect();
        let names = format!("variables of this job: {}\n", names.join(" "));
        let made = fs::create_dir_all(&directory);
        let made = made.map_err(|error| format!("{}: {error}\n", directory.display()));
        let print_env = self.begin(PRINT_ENV, "Preparing environment variables", "print_env");
        let socket = self.scratch.ssh_socket();
        self.lines.debug("ssh socket file set", &[("path", socket.into())]);
        self.say_output(PRINT_ENV, made.as_ref().map_or_else(|error| error, |()| &names));
        print_env.end(Some(i32::from(made.is_err())));
        if made.is_err() {
            return Outcome::Failed;
        }
        for (number, step) in (FIRST_OWN_STEP..).zip(&self.config.steps) {
            if self.cancel.is_wished() {
                return Outcome::Canceled;
            }
            let mut bash = Command::new("/bin/bash");
            bash.args(["-eo", "pipefail", "-c", &step.script]);
            bash.current_dir(&directory).envs(&variables).stdin(Stdio::null()).process_group(0);
            let ended = self.run_step(number, step, bash);
            if self.cancel.is_wished() {
                return Outcome::Canceled;
            }
            if !ended.is_some_and(|status| status.success()) {
                return Outcome::Failed;
            }
        }
        Outcome::Success
    }

    /// The runner's, unless the job has one of its own; `~` and relative ones are understood.
    fn working_directory(&self) -> PathBuf {
        let runners = &self.instructions.working_directory;
        let Some(own) = &self.config.working_directory else { return runners.clone() };
        match own.strip_prefix("~/") {
            Some(in_home) => {
                PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(in_home)
            }
            None => runners.join(own),
        }
    }

    /// `None` when it could not even be started.
    fn run_step(&self, number: u32, step: &StepPlan, bash: Command) -> Option<ExitStatus> {
        let begun = self.begin(number, &step.name, "run");
        let (sender, events) = channel();
        let started = start(bash, number, self.reporter.sender(), &sender);
        let mut child = match started {
            Ok(child) => child,
            Err(error) => {
                self.say_output(number, &format!("/bin/bash: {error}\n"));
                begun.end(Some(1));
                return None;
            }
        };
        self.cancel.tell(sender);
        self.wait(&child, &events);
        let status = child.wait().ok();
        begun.end(status.and_then(|status| status.code()));
        status
    }

    fn wait(&self, child: &Child, events: &Receiver<Event>) {
        let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else { return };
        let mut kill_at = None;
        let mut is_output_open = true;
        loop {
            let event = match kill_at {
                None => events.recv().ok(),
                Some(at) => events
                    .recv_timeout(Instant::saturating_duration_since(&at, Instant::now()))
                    .ok(),
            };
            match event {
                Some(Event::Cancel) if kill_at.is_none() => {
                    let _ = kill_process_group(group, Signal::TERM);
                    kill_at = Some(Instant::now() + self.kill_delay);
                }
                Some(Event::Cancel) => {}
                Some(Event::OutputEnded) => is_output_open = false,
                Some(Event::Exited) => break,
                None => {
                    let _ = kill_process_group(group, Signal::KILL);
                    kill_at = Some(Instant::now() + Duration::from_hours(1));
                }
            }
        }
        if kill_at.is_some() {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let until = Instant::now() + LAST_WORDS;
        while is_output_open {
            match events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Event::OutputEnded) | Err(_) => is_output_open = false,
                Ok(Event::Cancel | Event::Exited) => {}
            }
        }
    }

    fn begin(&self, step: u32, name: &str, step_type: &'static str) -> Begun<'_> {
        let details = [("step-id", step.into()), ("step_type", step_type.into())];
        self.lines.info("step start", &details);
        let (name, kind) = (name.to_owned(), step_type.to_owned());
        self.reporter.say(Report::StepStart(StepStart { step, name, step_type: kind }));
        Begun { job: self, step, step_type, at: Instant::now() }
    }

    fn say_output(&self, step: u32, text: &str) {
        self.reporter.say(Report::Output { step, offset: 0, bytes: text.as_bytes().to_vec() });
    }
}

/// A step whose end is still to be told. The public log has both fields empty for a step that
/// ended well.
struct Begun<'a> {
    job: &'a Job<'a>,
    step: u32,
    step_type: &'static str,
    at: Instant,
}

impl Begun<'_> {
    fn end(self, exit_code: Option<i32>) {
        let duration_ms = u64::try_from(self.at.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (shown, result) = match exit_code {
            Some(0) => (String::new(), ""),
            Some(code) => (code.to_string(), "failed"),
            None => (String::new(), "failed"),
        };
        self.job.lines.info(
            "step end",
            &[
                ("duration", duration_ms.into()),
                ("exit_code", shown.into()),
                ("result", result.into()),
                ("step", self.step.into()),
                ("step_type", self.step_type.into()),
            ],
        );
        let end = StepEnd { step: self.step, exit_code, duration_ms };
        self.job.reporter.say(Report::StepEnd(end));
    }
}

/// Starts a step; its output goes to the reporter, its end to `events`, still unreaped.
fn start(
    mut bash: Command,
    step: u32,
    reports: Sender<Report>,
    events: &Sender<Event>,
) -> std::io::Result<Child> {
    let (reader, writer) = std::io::pipe()?;
    bash.stdout(writer.try_clone()?).stderr(writer);
    let child = bash.spawn()?;
    drop(bash);
    let at_end = events.clone();
    std::thread::spawn(move || {
        read_output(reader, step, &reports);
        let _ = at_end.send(Event::OutputEnded);
    });
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let events = events.clone();
    std::thread::spawn(move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Some(pid) = pid
            && waitid(WaitId::Pid(pid), options).is_err_and(|it| it == rustix::io::Errno::INTR)
        {
        }
        let _ = events.send(Event::Exited);
    });
    Ok(child)
}

fn read_output(mut reader: PipeReader, step: u32, reports: &Sender<Report>) {
    let mut buffer = vec![0; 32 * 1024];
    let mut offset = 0;
    while let Ok(length @ 1..) = reader.read(&mut buffer) {
        let bytes = buffer[..length].to_vec();
        if reports.send(Report::Output { step, offset, bytes }).is_err() {
            return;
        }
        offset += length as u64;
    }
}
