//! CircleCI as the stand-in plays it, in a process of its own.

use std::fs;
use std::process::{ChildStdin, Stdio};
use std::time::Duration;

use local_circleci::{Control, NewTask, Task, TaskNumber, TaskState};

use crate::{DEADLINE, Ours, Place, until_some};

/// The resource class that is always there.
pub const CLASS: &str = "acme/linux";

pub struct Circle {
    /// It ends when this does.
    _stdin: ChildStdin,
    child: Ours,
    control: Control,
    place: std::path::PathBuf,
    classes: Vec<String>,
    variant: String,
}

impl Circle {
    /// A server with one resource class.
    pub fn start(place: &Place) -> Self {
        Self::start_with(place, &[CLASS], "")
    }

    /// A server with these resource classes that tells agents to be of this variant.
    pub fn start_with(place: &Place, classes: &[&str], variant: &str) -> Self {
        let classes: Vec<String> = classes.iter().map(|class| (*class).to_owned()).collect();
        Self::serve(place, "127.0.0.1:0", classes, variant.to_owned())
    }

    fn serve(place: &Place, address: &str, classes: Vec<String>, variant: String) -> Self {
        let url_file = place.path("url");
        let mut serve = place.command("local-circleci");
        serve.arg("serve").arg("--stop-at-eof").arg("--url-file").arg(&url_file);
        serve.arg("--addr").arg(address);
        serve.arg("--state").arg(place.path("circle")).arg("--variant").arg(&variant);
        for class in &classes {
            let file = token_file(place.root(), class);
            serve.arg("--resource-class").arg(format!("{class}=@{}", file.display()));
        }
        serve.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = Ours::start(serve);
        let stdin = child.child().stdin.take().expect("its standard input is a pipe");
        let url = until_some(DEADLINE, "local-circleci listens", || {
            let ended = child.child().try_wait().expect("a child of ours");
            assert!(ended.is_none(), "local-circleci did not start: {ended:?}");
            fs::read_to_string(&url_file).ok().filter(|url| url.ends_with('\n'))
        });
        let control = Control::new(url.trim()).expect("it listens on a URL");
        let place = place.root().to_owned();
        Self { _stdin: stdin, child, control, place, classes, variant }
    }

    /// Nobody is at its address any more, as when the network is gone.
    pub fn goes_away(&mut self, place: &Place) {
        self.child.end();
        fs::remove_file(place.path("url")).expect("the server wrote where it listens");
    }

    /// The same server, at the same address.
    pub fn comes_back(&mut self, place: &Place) {
        let address = self.url().trim_start_matches("http://").to_owned();
        *self = Self::serve(place, &address, self.classes.clone(), self.variant.clone());
    }

    pub fn id(&self) -> &process::ProcessId {
        self.child.id()
    }

    pub fn url(&self) -> &str {
        self.control.url()
    }

    /// All else that can be asked of it.
    pub fn control(&self) -> &Control {
        &self.control
    }

    pub fn token(&self, class: &str) -> String {
        let token = fs::read_to_string(token_file(&self.place, class));
        token.expect("the server has made a token").trim().to_owned()
    }

    /// What the user API takes.
    pub fn personal_token(&self) -> String {
        let token = fs::read_to_string(self.place.join("circle/personal-token"));
        token.expect("the server has made a token").trim().to_owned()
    }

    pub fn enqueue(&self, task: &NewTask) -> TaskNumber {
        self.control.enqueue(task).expect("the queue takes a task")
    }

    pub fn task(&self, number: TaskNumber) -> Task {
        self.control.task(number).expect("the server knows its tasks")
    }

    /// The task, once it is over.
    #[track_caller]
    pub fn finished(&self, number: TaskNumber) -> Task {
        self.wait(DEADLINE, number, TaskState::Finished)
    }

    /// The same of a task that may take longer.
    #[track_caller]
    pub fn finished_within(&self, patience: Duration, number: TaskNumber) -> Task {
        self.wait(patience, number, TaskState::Finished)
    }

    /// The task, once it is claimed.
    #[track_caller]
    pub fn claimed(&self, number: TaskNumber) -> Task {
        self.wait(DEADLINE, number, TaskState::Running)
    }

    #[track_caller]
    fn wait(&self, patience: Duration, number: TaskNumber, state: TaskState) -> Task {
        until_some(patience, &format!("task {number} is {state:?}"), || {
            self.control.wait(number, state, Duration::from_secs(1)).ok()
        })
    }

    /// What the task printed so far.
    pub fn output(&self, number: TaskNumber) -> String {
        self.control.output(number).expect("the server keeps the output")
    }
}

fn token_file(place: &std::path::Path, class: &str) -> std::path::PathBuf {
    place.join(format!("token-{}", class.replace('/', "-")))
}
