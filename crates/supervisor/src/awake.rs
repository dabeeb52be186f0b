//! Keeping the machine awake, and what is done with it after the last task: carried out, never decided.
//! Whatever asks the system does so in a short-lived child, because it leaves threads that wake.

use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use host::awake::{Awake, Machine};
use protocol::AfterTaskAct;
use supervisor_core::{Event, Power};

use crate::input::Input;
use crate::supervisor::Supervisor;

/// The system's bus may not answer; a machine that sleeps meanwhile stops this clock too.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Default)]
pub(crate) struct Keeping {
    /// Grows with every change of mind, so that an answer to an earlier one holds nothing.
    number: u64,
    held: Option<Awake>,
}

impl Supervisor {
    pub(crate) fn look_at_power(&self) {
        let to_loop = self.to_loop.clone();
        tokio::task::spawn_blocking(move || {
            let power = match host::Power::now(&supplies()) {
                host::Power::NoBattery => Power::NoBattery,
                host::Power::Battery { plugged, percent } => Power::Battery { plugged, percent },
                host::Power::Unknown => Power::Unknown,
            };
            tracing::info!(?power, "how the machine is powered");
            to_loop.event(Event::PowerSeen(power));
        });
    }

    pub(crate) fn keep_awake(&mut self, on: bool) {
        self.keeping.number += 1;
        if !on {
            if self.keeping.held.take().is_some() {
                tracing::info!("the machine may sleep");
            }
            return;
        }
        let (number, to_loop) = (self.keeping.number, self.to_loop.clone());
        tokio::task::spawn_blocking(move || {
            let program = host::this_program().map_err(|error| error.to_string());
            let asked = program.and_then(|program| host::awake::keep(&program, &["keep-awake"]));
            to_loop.send(Input::Awake(number, asked));
        });
    }

    pub(crate) fn awake_asked(&mut self, number: u64, asked: Result<Awake, String>) {
        if number != self.keeping.number {
            return;
        }
        let failure = match asked {
            Ok(held) => {
                tracing::info!("the machine stays awake while a task runs");
                self.keeping.held = Some(held);
                None
            }
            Err(why) => {
                tracing::warn!(why, "the machine is not kept awake");
                Some(why)
            }
        };
        self.event(Event::KeptAwake { failure });
    }

    pub(crate) fn after_task(&mut self, act: AfterTaskAct) {
        tracing::info!(act = act.as_str(), "no task runs any more: what was asked for comes now");
        let machine = match act {
            // One of yours, which the core holds.
            AfterTaskAct::Pause => return,
            AfterTaskAct::Quit => {
                self.ending = true;
                return;
            }
            AfterTaskAct::Sleep => Machine::Sleep,
            AfterTaskAct::Restart => Machine::Restart,
        };
        let to_loop = self.to_loop.clone();
        tokio::spawn(async move {
            let failure = tell(machine).await.err();
            if let Some(why) = &failure {
                tracing::error!(why, "the machine did not do what was asked for after the task");
            }
            to_loop.event(Event::AfterTaskDone { failure });
        });
    }
}

async fn tell(machine: Machine) -> Result<(), String> {
    let program = host::this_program().map_err(|error| error.to_string())?;
    let child = tokio::process::Command::new(program)
        .args(["machine", machine.as_str()])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    match tokio::time::timeout(PATIENCE, child).await {
        Err(_) => Err("the system gave no answer".into()),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => {
            let words = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            Err(if words.is_empty() { output.status.to_string() } else { words })
        }
    }
}

/// `supervisor machine sleep | restart`.
pub(crate) fn child(act: &str) -> anyhow::Result<()> {
    let machine = Machine::parse(act).context("say sleep or restart")?;
    if let Err(why) = machine.tell() {
        write!(std::io::stdout(), "{why}")?;
        anyhow::bail!("{why}");
    }
    Ok(())
}

fn supplies() -> PathBuf {
    // Tests have batteries of their own.
    #[cfg(debug_assertions)]
    if let Some(folder) = std::env::var_os("RUNNER_TRAY_POWER_SUPPLIES") {
        return folder.into();
    }
    host::SUPPLIES.into()
}
