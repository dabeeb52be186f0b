//! Starting the process that runs a task: the command prefix, the task agent behind it, its token on
//! standard input and nowhere else.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use crate::agent::{Instructions, arguments};
use crate::go_duration;
use crate::variant::{AgentStderr, Argv, Session, Variant};
use crate::wire::Claimed;

use super::task::Surroundings;

/// Starts `command_prefix… circleci-agent _internal …` with the task's token on its stdin.
pub(super) fn launch(claimed: &Claimed, around: &Surroundings) -> Result<Child, String> {
    let instructions = Instructions {
        task_token: claimed.task_token.clone(),
        api_url: around.config.api_url.clone(),
        allocation: claimed.allocation.clone(),
        working_directory: around.config.working_directory.clone(),
        max_run_time: go_duration::format(around.config.max_run_time),
        ssh_advertise_addr: around.config.ssh_advertise_addr.clone(),
    };
    let mut words = own_session(around.variant)?;
    words.extend(around.config.command_prefix.iter().map(Into::into));
    words.push(around.agent.path.clone().into());
    words.extend(arguments(&instructions, around.variant.argv).into_iter().map(Into::into));

    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).stdin(Stdio::piped());
    if around.variant.session == Session::Group {
        command.process_group(0);
    }
    let through_pipe = around.variant.agent_stderr == AgentStderr::Pipe
        || around.config.log_file.is_some()
        || around.log.silent;
    command.stdout(Stdio::inherit());
    command.stderr(if through_pipe { Stdio::piped() } else { Stdio::inherit() });
    if let Some(folder) = around.agent.path.parent() {
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:{}", folder.display()));
    }
    let mut child = command
        .spawn()
        .map_err(|error| format!("fork/exec {}: {error}", words[0].to_string_lossy()))?;
    if let Some(mut stdin) = child.stdin.take() {
        let said = match around.variant.argv {
            Argv::AgentRunner | Argv::Nested => claimed.task_token.clone(),
            Argv::Inner => instructions.as_json(),
        };
        let _ = stdin.write_all(said.as_bytes());
    }
    Ok(child)
}

/// `setsid` comes from this same program, which then becomes the command.
fn own_session(variant: &Variant) -> Result<Vec<OsString>, String> {
    if variant.session != Session::Own {
        return Ok(Vec::new());
    }
    let myself = std::env::current_exe().map_err(|error| error.to_string())?;
    Ok(vec![myself.into(), super::IN_OWN_SESSION.into()])
}
