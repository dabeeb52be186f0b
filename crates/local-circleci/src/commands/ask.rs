//! The commands that speak to a running server.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use local_circleci::{Control, NewTask, Outcome, Task, TaskNumber, TaskState};

#[derive(Args)]
struct At {
    /// The server's URL, as `serve` prints it
    #[arg(long, value_name = "URL", env = "LOCAL_CIRCLECI_URL")]
    url: String,
}

#[derive(Args)]
pub(crate) struct Enqueue {
    #[command(flatten)]
    at: At,
    #[arg(long, value_name = "NS/NAME")]
    resource_class: String,
    /// Organisation and repository
    #[arg(long, value_name = "ORG/REPO", default_value = "acme/web-app")]
    project: String,
    #[arg(long, default_value = "main")]
    branch: String,
    #[arg(long, default_value = "build")]
    job: String,
    /// The job's own working directory [default: the runner's]
    #[arg(long, value_name = "DIR")]
    working_directory: Option<String>,
    /// A step of the job: its name and a bash script; repeatable
    #[arg(long = "step", value_name = "NAME=SCRIPT", value_parser = pair, required = true)]
    steps: Vec<(String, String)>,
    /// A variable of the job; repeatable
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = pair)]
    environment: Vec<(String, String)>,
}

impl Enqueue {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let mut task = NewTask::new(&self.resource_class)
            .project(&self.project)
            .branch(&self.branch)
            .job(&self.job);
        task.working_directory = self.working_directory;
        for (name, value) in &self.environment {
            task = task.env(name, value);
        }
        for (name, script) in &self.steps {
            task = task.step(name, script);
        }
        println!("{}", Control::new(&self.at.url)?.enqueue(&task)?);
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args)]
pub(crate) struct Tasks {
    #[command(flatten)]
    at: At,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Tasks {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let tasks = Control::new(&self.at.url)?.tasks()?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&tasks)?);
            return Ok(ExitCode::SUCCESS);
        }
        for task in tasks {
            println!("{}", line(&task));
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args)]
pub(crate) struct About {
    #[command(flatten)]
    at: At,
    /// The task's number, as `enqueue` prints it
    task: TaskNumber,
}

impl About {
    pub(crate) fn output(&self) -> anyhow::Result<ExitCode> {
        let output = Control::new(&self.at.url)?.output(self.task)?;
        std::io::stdout().write_all(output.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }

    pub(crate) fn cancel(&self) -> anyhow::Result<ExitCode> {
        Control::new(&self.at.url)?.cancel(self.task)?;
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args)]
pub(crate) struct Wait {
    #[command(flatten)]
    about: About,
    /// Gives up after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    limit: u64,
}

impl Wait {
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let control = Control::new(&self.about.at.url)?;
        let limit = Duration::from_secs(self.limit);
        let task = control.wait(self.about.task, TaskState::Finished, limit)?;
        println!("{}", line(&task));
        let succeeded = task.outcome == Some(Outcome::Success);
        Ok(if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn line(task: &Task) -> String {
    let state = match (task.state, task.outcome) {
        (TaskState::Queued, _) => "queued".to_owned(),
        (TaskState::Running, _) => "running".to_owned(),
        (TaskState::Finished, None) => "finished".to_owned(),
        (TaskState::Finished, Some(outcome)) => outcome.to_string(),
    };
    let runner = task.runner.as_deref().unwrap_or("-");
    format!(
        "{} {state} {} {} {} {} {runner}",
        task.number, task.resource_class, task.project, task.branch, task.job
    )
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("{text:?} has no `=`"))?;
    Ok((name.to_owned(), value.to_owned()))
}
