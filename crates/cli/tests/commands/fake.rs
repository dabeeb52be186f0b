//! A supervisor that answers by a script, on a socket in a home of its own, and remembers what it
//! was asked.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::Response;
use futures::StreamExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Notify, oneshot};

#[derive(Clone)]
enum Answer {
    Json(u16, Value),
    Nothing,
    /// Snapshots at once; then the stream stays open, or ends.
    Events(Vec<Value>, bool),
    /// The call is held until the supervisor goes away.
    Never,
    /// It is held until the test lets it go.
    Held(Value, Arc<Notify>),
}

/// What is answered to which call, and what was asked.
#[derive(Default)]
struct Script {
    answers: HashMap<String, VecDeque<Answer>>,
    asked: Vec<String>,
}

/// A home in which a scripted supervisor may run.
pub(crate) struct Fake {
    home: TempDir,
    script: Arc<Mutex<Script>>,
    running: Option<Running>,
}

struct Running {
    end: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Fake {
    /// A home with nothing in it: no supervisor runs.
    pub(crate) fn absent() -> Self {
        let home = tempfile::tempdir().expect("a home");
        std::fs::create_dir(home.path().join("state")).expect("a state folder");
        Self { home, script: Arc::default(), running: None }
    }

    /// A supervisor with these runners.
    pub(crate) fn with(runners: &[Value]) -> Self {
        let fake = Self::absent().on("GET /v1/snapshot", snapshot(runners));
        fake.on("GET /v1/snapshot?usage=1", snapshot(runners)).started()
    }

    pub(crate) fn on(self, call: &str, answer: Value) -> Self {
        self.add(call, Answer::Json(200, answer))
    }

    /// The wish is granted.
    pub(crate) fn grants(self, call: &str) -> Self {
        self.add(call, Answer::Nothing)
    }

    pub(crate) fn refuses(
        self,
        call: &str,
        status: u16,
        code: &str,
        title: &str,
        hint: &str,
    ) -> Self {
        let problem = json!({"status": status, "code": code, "title": title, "hint": hint});
        self.add(call, Answer::Json(status, problem))
    }

    pub(crate) fn tells(self, snapshots: &[Value]) -> Self {
        self.add("GET /v1/events", Answer::Events(snapshots.to_vec(), true))
    }

    pub(crate) fn tells_and_ends(self, snapshots: &[Value]) -> Self {
        self.add("GET /v1/events", Answer::Events(snapshots.to_vec(), false))
    }

    pub(crate) fn holds(self, call: &str) -> Self {
        self.add(call, Answer::Never)
    }

    /// Answered so once it is let go.
    pub(crate) fn on_leave(self, call: &str, answer: Value, leave: &Arc<Notify>) -> Self {
        self.add(call, Answer::Held(answer, Arc::clone(leave)))
    }

    /// Answers to the same call come one after the other; the last one stays.
    fn add(self, call: &str, answer: Answer) -> Self {
        let mut script = self.script.lock().expect("the script");
        script.answers.entry(call.to_owned()).or_default().push_back(answer);
        drop(script);
        self
    }

    /// What was scripted for the call is not any more.
    pub(crate) fn forget(self, call: &str) -> Self {
        self.script.lock().expect("the script").answers.remove(call);
        self
    }

    pub(crate) fn started(mut self) -> Self {
        self.start();
        self
    }

    pub(crate) fn start(&mut self) {
        let listener =
            std::os::unix::net::UnixListener::bind(self.socket()).expect("the socket can be bound");
        listener.set_nonblocking(true).expect("the socket can be waited for");
        let app = Router::new().fallback(answer).with_state(Arc::clone(&self.script));
        let (end, ended) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::UnixListener::from_std(listener).expect("a listener");
                tokio::select! {
                    served = async { axum::serve(listener, app).await } => served.expect("it serves"),
                    _ = ended => {}
                }
            });
        });
        self.running = Some(Running { end, thread });
    }

    /// Cuts every connection, as kill -9 does.
    pub(crate) fn kill(&mut self) {
        let running = self.running.take().expect("it runs");
        running.end.send(()).expect("it still runs");
        running.thread.join().expect("it ends");
        std::fs::remove_file(self.socket()).expect("the socket can be removed");
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.home.path().join("state/supervisor.sock")
    }

    /// The calls that wish for something, each with its body.
    pub(crate) fn wishes(&self) -> Vec<String> {
        let asked = self.asked();
        asked.into_iter().filter(|call| !call.starts_with("GET ")).collect()
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.script.lock().expect("the script").asked.clone()
    }
}

async fn answer(
    State(script): State<Arc<Mutex<Script>>>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> Response {
    let call = format!("{method} {uri}");
    let answer = {
        let mut script = script.lock().expect("the script");
        let asked = format!("{call} {}", String::from_utf8_lossy(&body));
        script.asked.push(asked.trim().to_owned());
        match script.answers.get_mut(&call) {
            Some(answers) if answers.len() > 1 => answers.pop_front(),
            Some(answers) => answers.front().cloned(),
            None => None,
        }
    };
    let response = Response::builder();
    let response = match answer {
        None => response.status(StatusCode::NOT_FOUND).body(Body::from("not in the script")),
        Some(Answer::Nothing) => response.status(StatusCode::NO_CONTENT).body(Body::empty()),
        Some(Answer::Json(status, value)) => response
            .status(status)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(value.to_string())),
        Some(Answer::Events(snapshots, stays_open)) => {
            let events =
                snapshots.into_iter().map(|s| Ok::<_, std::io::Error>(format!("data: {s}\n\n")));
            let events = futures::stream::iter(events);
            let body = if stays_open {
                Body::from_stream(events.chain(futures::stream::pending()))
            } else {
                Body::from_stream(events)
            };
            response.header(header::CONTENT_TYPE, "text/event-stream").body(body)
        }
        Some(Answer::Never) => std::future::pending().await,
        Some(Answer::Held(value, leave)) => {
            leave.notified().await;
            response
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(value.to_string()))
        }
    };
    response.expect("a response")
}

pub(crate) fn snapshot(runners: &[Value]) -> Value {
    json!({
        "revision": 7,
        "supervisor": {"version": "0.1.0", "pid": 4711, "started_at": "2026-11-23T08:00:00Z"},
        "runners": runners,
        "problems": [],
    })
}

/// An idle runner; `change` overlays its fields.
pub(crate) fn runner(name: &str, change: Value) -> Value {
    let mut runner = json!({
        "name": name,
        "resource_class": "acme/macos",
        "state": "idle",
        "headline": "Waiting for a task",
        "state_since": "2026-11-23T16:56:00Z",
        "pause_reasons": [],
        "task": null,
        "problems": [],
        "agent_version": "3.1.11",
        "agent_pid": 5001,
        "run": "20261123T165500Z-3f2a",
        "working_directory": "/Users/ci/Runner Tray/work/mac-mini-01",
        "boundary": {
            "kind": "same-user",
            "meaning": "Jobs run as you and can read what you can.",
        },
        "install": null,
        "last_task": null,
    });
    let Value::Object(change) = change else { panic!("a change is an object") };
    for (field, value) in change {
        runner[field] = value;
    }
    runner
}

/// A task that has told everything; `change` overlays its fields.
pub(crate) fn task(change: Value) -> Value {
    let mut task = json!({
        "id": "20261123T165500Z-3f2a.2",
        "started_at": "2026-11-23T16:55:48Z",
        "project": "web-app",
        "branch": "main",
        "job": "build",
        "build_number": "123",
        "link": "https://app.circleci.com/jobs/123",
        "step": "Run tests",
        "directory": "/Users/ci/Runner Tray/work/mac-mini-01",
        "pid": 5002,
        "cancelling": false,
        "usage": {"processes": 5, "cpu_percent": 312.4, "cpu_seconds": 88.1, "memory": 3_400_000_000_u64},
    });
    let Value::Object(change) = change else { panic!("a change is an object") };
    for (field, value) in change {
        task[field] = value;
    }
    task
}

pub(crate) fn busy(name: &str) -> Value {
    let task = task(json!({}));
    runner(name, json!({"state": "busy", "headline": "Running a task for web-app", "task": task}))
}
