//! TERM, INT and HUP: the first one is a wish to drain, the next one to end now. What the runner
//! waits for, signals and its task agent's end alike, comes through here one after the other.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::variant::Variant;

use super::spans::{Log, Span, Trace};

pub(super) enum Event {
    Signal(i32),
    /// The process that was started for the task has ended and waits to be reaped.
    TaskEnded,
}

pub(super) struct Signals {
    events: Receiver<Event>,
    sender: Sender<Event>,
    draining_since: Option<Instant>,
    is_forced: bool,
    /// They are heard and change nothing.
    are_ignored: bool,
}

impl Signals {
    /// From here on the three signals no longer end the process.
    pub(super) fn catch(hup_dies: bool) -> std::io::Result<Self> {
        let caught = if hup_dies { vec![SIGTERM, SIGINT] } else { vec![SIGTERM, SIGINT, SIGHUP] };
        let mut signals = signal_hook::iterator::Signals::new(caught)?;
        let (sender, events) = channel();
        let from_handler = sender.clone();
        std::thread::spawn(move || {
            for signal in signals.forever() {
                if from_handler.send(Event::Signal(signal)).is_err() {
                    return;
                }
            }
        });
        Ok(Self { events, sender, draining_since: None, is_forced: false, are_ignored: false })
    }

    /// From now on as this variant says.
    pub(super) fn obey(&mut self, variant: &Variant) {
        self.are_ignored = variant.ignores_term;
    }

    pub(super) fn sender(&self) -> Sender<Event> {
        self.sender.clone()
    }

    pub(super) fn draining_since(&self) -> Option<Instant> {
        self.draining_since
    }

    /// A second signal came.
    pub(super) fn is_forced(&self) -> bool {
        self.is_forced
    }

    /// Takes note of what has come already.
    pub(super) fn look(&mut self, log: &Log) {
        while let Ok(event) = self.events.try_recv() {
            self.note(&event, log);
        }
    }

    /// The next event, or `None` when `limit` passes first.
    pub(super) fn wait(&mut self, limit: Duration, log: &Log) -> Option<Event> {
        match self.events.recv_timeout(limit) {
            Ok(event) => {
                self.note(&event, log);
                Some(event)
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }

    fn note(&mut self, event: &Event, log: &Log) {
        let Event::Signal(signal) = event else { return };
        let name = match *signal {
            SIGINT => "interrupt",
            SIGHUP => "hangup",
            _ => "terminated",
        };
        Span::start(&Trace::new(), "system: shutdown signal received")
            .with("delay", "0s")
            .with("signal", name)
            .write(log);
        if self.are_ignored {
            return;
        }
        if self.draining_since.is_some() {
            self.is_forced = true;
        } else {
            self.draining_since = Some(Instant::now());
        }
    }
}
