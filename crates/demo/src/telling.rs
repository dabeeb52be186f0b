//! What the demo prints: scenes, what the runner does as it changes, and the summary.

use std::time::Instant;

use jiff::SignedDuration;
use protocol::Runner;

pub(crate) struct Telling {
    began: Instant,
    last: String,
}

/// What was shown, for the summary.
#[derive(Default)]
pub(crate) struct Shown {
    /// Job, whether it succeeded, how long it took.
    pub(crate) tasks: Vec<(String, bool, SignedDuration)>,
    pub(crate) pause_waited: bool,
    pub(crate) resumed: bool,
    pub(crate) kill_survived: bool,
}

impl Shown {
    pub(crate) fn all_well(&self) -> bool {
        self.pause_waited
            && self.resumed
            && self.kill_survived
            && self.tasks.iter().all(|(_, well, _)| *well)
    }
}

impl Telling {
    pub(crate) fn begin() -> Self {
        Self { began: Instant::now(), last: String::new() }
    }

    pub(crate) fn scene(&mut self, title: &str) {
        println!("\n== {title}");
        self.last.clear();
    }

    pub(crate) fn say(&mut self, text: &str) {
        println!("{:>6.1} s  {text}", self.began.elapsed().as_secs_f64());
    }

    /// What a command printed, as it printed it.
    pub(crate) fn quote(&mut self, text: &str) {
        self.last.clear();
        for line in text.lines() {
            println!("         | {line}");
        }
    }

    /// Says what the runner does, when that has changed.
    pub(crate) fn watch(&mut self, runner: &Runner) {
        let task = runner.task.as_ref().and_then(|task| {
            let names = [task.project.as_deref(), task.job.as_deref(), task.step.as_deref()];
            let names: Vec<&str> = names.into_iter().flatten().collect();
            (!names.is_empty()).then(|| format!(" ({})", names.join(", ")))
        });
        let line = format!(
            "{} {}: {}{}",
            runner.state.shape(),
            runner.state.word(),
            runner.headline,
            task.unwrap_or_default()
        );
        if line != self.last {
            self.say(&line);
            self.last = line;
        }
    }

    pub(crate) fn summary(&mut self, shown: &Shown, left: &[String]) {
        println!("\n== Summary");
        for (job, well, took) in &shown.tasks {
            let result = if *well { "success" } else { "FAILED" };
            println!("  task {job:<12} {result}  {:>4.1} s", took.as_secs_f64());
        }
        let said = |good: bool| if good { "yes" } else { "NO" };
        println!("  a pause waited for its task      {}", said(shown.pause_waited));
        println!("  a resume claimed the next one    {}", said(shown.resumed));
        println!("  a task outlived a kill -9        {}", said(shown.kill_survived));
        println!("  nothing is left running          {}", said(left.is_empty()));
        for process in left {
            println!("    {process}");
        }
        println!("  in all                           {:.0} s", self.began.elapsed().as_secs_f64());
    }
}
