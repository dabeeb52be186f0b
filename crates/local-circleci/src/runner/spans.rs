//! The runner's log: one line for each span, written when it ends, gathered for a moment first
//! (circleci/ex, `o11y/otel/texttrace`). Lines carry the time of day and no date, keys are sorted,
//! values are not quoted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::variant::{LogFormat, Variant};
use crate::{clock, random, stderr};

use super::config::Level;

/// Five hex characters: the end of a trace's id.
#[derive(Clone)]
pub(super) struct Trace(String);

impl Trace {
    pub(super) fn new() -> Self {
        let hex = random::hex(3).unwrap_or_else(|_| "000000".to_owned());
        Self(hex[1..].to_owned())
    }
}

/// Something that takes time; it is in the log once it has ended.
pub(super) struct Span {
    trace: Trace,
    name: String,
    started: Instant,
    level: Level,
    fields: BTreeMap<String, Value>,
}

impl Span {
    pub(super) fn start(trace: &Trace, name: &str) -> Self {
        Self {
            trace: trace.clone(),
            name: name.to_owned(),
            started: Instant::now(),
            level: Level::Info,
            fields: BTreeMap::new(),
        }
    }

    pub(super) fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.fields.insert(key.to_owned(), value.into());
    }

    #[must_use]
    pub(super) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.set(key, value);
        self
    }

    pub(super) fn end(mut self, log: &Log) {
        self.set("result", "success");
        self.write(log);
    }

    pub(super) fn end_with_error(mut self, log: &Log, error: &str) {
        self.level = Level::Error;
        self.set("error", error);
        self.set("result", "error");
        self.write(log);
    }

    /// Ends without an outcome.
    pub(super) fn write(self, log: &Log) {
        if self.level >= log.level && !log.silent {
            log.send(Message::Line(self.line(log.format)));
        }
    }

    fn line(&self, format: LogFormat) -> String {
        let milliseconds = self.started.elapsed().as_secs_f64() * 1000.0;
        match format {
            LogFormat::None => String::new(),
            LogFormat::Json => self.json(milliseconds),
            LogFormat::Text => self.text(milliseconds, "", ""),
            LogFormat::Color => {
                let color = match self.level {
                    Level::Debug | Level::Info => "\x1b[32m",
                    Level::Warn => "\x1b[33m",
                    Level::Error => "\x1b[31m",
                };
                self.text(milliseconds, color, "\x1b[0m")
            }
        }
    }

    fn text(&self, milliseconds: f64, color: &str, plain: &str) -> String {
        let time = clock::local_now().strftime("%H:%M:%S");
        let (trace, name) = (&self.trace.0, &self.name);
        let mut line = format!("{time} {trace} {milliseconds:.3}ms {color}{name}{plain}");
        for (key, value) in &self.fields {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let _ = write!(line, " {color}{key}{plain}={value}");
        }
        line + "\n"
    }

    /// The shape is our guess: CircleCI documents that the format exists, not what it looks like.
    fn json(&self, milliseconds: f64) -> String {
        let mut fields = serde_json::Map::new();
        fields.insert("time".to_owned(), clock::now().to_string().into());
        fields.insert("trace".to_owned(), self.trace.0.clone().into());
        fields.insert("name".to_owned(), self.name.clone().into());
        fields.insert("duration_ms".to_owned(), milliseconds.into());
        for (key, value) in &self.fields {
            fields.insert(key.clone(), value.clone());
        }
        Value::Object(fields).to_string() + "\n"
    }
}

enum Message {
    Line(String),
    Raw(Vec<u8>),
    Delay(Duration),
    Close,
}

/// Where spans end up: standard error, and a file where one is configured.
pub(super) struct Log {
    level: Level,
    configured: LogFormat,
    format: LogFormat,
    pub(super) silent: bool,
    sender: Sender<Message>,
    writer: Option<JoinHandle<()>>,
}

impl Log {
    pub(super) fn open(
        level: Level,
        format: LogFormat,
        file: Option<&Path>,
        variant: &Variant,
    ) -> Result<Self, String> {
        let open = |path: &Path| {
            let file = OpenOptions::new().create(true).append(true).open(path);
            file.map_err(|error| format!("open {}: {error}", path.display()))
        };
        let file = file.map(open).transpose()?;
        let (sender, receiver) = channel();
        let writer = std::thread::spawn(move || write_batches(&receiver, file));
        let mut log =
            Self { level, configured: format, format, silent: false, sender, writer: Some(writer) };
        log.obey(variant);
        Ok(log)
    }

    /// From now on as this variant says.
    pub(super) fn obey(&mut self, variant: &Variant) {
        self.format = variant.log.unwrap_or(self.configured);
        self.silent = variant.silent;
        self.send(Message::Delay(variant.log_delay));
    }

    pub(super) fn has_debug(&self) -> bool {
        self.level == Level::Debug
    }

    /// Takes what the task agent writes into its pipe.
    pub(super) fn copier(&self) -> impl Fn(&[u8]) + Send + 'static {
        let (sender, silent) = (self.sender.clone(), self.silent);
        move |bytes| {
            if !silent {
                drop(sender.send(Message::Raw(bytes.to_vec())));
            }
        }
    }

    /// Writes what is gathered. Nothing is written afterwards.
    pub(super) fn close(&mut self) {
        self.send(Message::Close);
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }

    fn send(&self, message: Message) {
        let _ = self.sender.send(message);
    }
}

fn write_batches(messages: &Receiver<Message>, mut file: Option<File>) {
    let mut is_open = true;
    let mut delay = Duration::ZERO;
    // The first line is there at once: "starting agent" comes before all others.
    let mut wait = Duration::ZERO;
    while is_open {
        let mut batch = Vec::new();
        let mut write_at = None;
        loop {
            let next = match write_at {
                None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => {
                    messages.recv_timeout(Instant::saturating_duration_since(&at, Instant::now()))
                }
            };
            match next {
                Ok(Message::Line(line)) => batch.extend_from_slice(line.as_bytes()),
                Ok(Message::Raw(bytes)) => batch.extend_from_slice(&bytes),
                Ok(Message::Delay(said)) => {
                    delay = said;
                    continue;
                }
                Ok(Message::Close) | Err(RecvTimeoutError::Disconnected) => {
                    is_open = false;
                    break;
                }
                Err(RecvTimeoutError::Timeout) => break,
            }
            write_at.get_or_insert_with(|| Instant::now() + wait);
        }
        wait = delay;
        stderr::write(&batch);
        if let Some(file) = &mut file {
            let _ = file.write_all(&batch);
        }
    }
}
