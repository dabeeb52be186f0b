//! The server: release bucket, agent API, user API and our own control API behind one address on
//! the loopback interface. It must never listen anywhere else.

mod agent_api;
mod agents;
mod certificates;
mod classes;
mod connection;
mod control_api;
mod faults;
mod odd_archives;
mod odd_manifests;
mod options;
mod process;
mod queue;
mod ranges;
mod refusal;
mod releases;
mod state;
mod store;
mod tls;
mod tokens;
mod user_api;
mod web;

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, ensure};
use axum::{Router, middleware};
use tempfile::TempDir;
use tokio::sync::oneshot;

pub use options::{ServerOptions, TokenSource};
pub use process::{ServerProcess, sibling};

use self::agents::Agents;
use self::classes::Classes;
use self::connection::{Fate, Plain};
use self::faults::Faults;
use self::queue::Queue;
use self::releases::Releases;
use self::state::{Circle, Shared};
use self::store::Store;
use crate::clock;
use crate::control::Control;

/// A server on a thread of its own; dropping it ends it at once, in the middle of any call.
pub struct Server {
    url: String,
    tokens: Vec<(String, String)>,
    personal_token: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Where the state lies if the caller named no folder.
    _scratch: Option<TempDir>,
}

impl Server {
    /// Listens before it returns.
    ///
    /// # Errors
    /// An address that is not loopback or is in use, a state folder that cannot be used, or no
    /// `circleci-runner` and `circleci-agent` beside the running executable.
    pub fn start(options: &ServerOptions) -> anyhow::Result<Self> {
        ensure!(
            options.addr.ip().is_loopback(),
            "{} is not on this machine's loopback interface: local-circleci listens on loopback \
             only; use 127.0.0.1:PORT",
            options.addr
        );
        let (state, scratch) = state_folder(options)?;
        let store = Store::open(&state)?;
        let mut classes = Classes::default();
        for namespace in &options.namespaces {
            classes.add_namespace(namespace);
        }
        let mut tokens = Vec::new();
        for (class, source) in &options.resource_classes {
            let token = tokens::read_or_make(source, &tokens::class_file(&state, class))?;
            classes.add(class, token.clone(), clock::now());
            tokens.push((class.clone(), token));
        }
        let personal_token =
            tokens::read_or_make(&options.personal_token, &state.join("personal-token"))?;
        let current_release = options.releases.last().cloned().unwrap_or_default();
        let binaries = options.binaries.clone().map_or_else(process::binaries_folder, Ok)?;
        let releases = Releases::open(
            &binaries.join("circleci-runner"),
            &binaries.join("circleci-agent"),
            &options.releases,
        )?;
        let circle = Circle {
            classes,
            agents: Agents::default(),
            queue: Queue::restored(store.load()?),
            personal_token: personal_token.clone(),
            user_api: options.user_api,
            held: false,
            variant: options.variant.clone(),
            faults: Faults::default(),
            odd_archive: None,
            odd_manifest: None,
            downloads: Vec::new(),
            current_release,
        };
        let listener = TcpListener::bind(options.addr)
            .with_context(|| format!("cannot listen on {}", options.addr))?;
        let url = format!("http://{}", listener.local_addr()?);
        let web_url = options.web_url.clone().unwrap_or_else(|| url.clone());
        let shared = Arc::new(Shared::new(circle, store, releases, url.clone(), web_url));
        let (stop, stopped) = oneshot::channel();
        let thread = serve_on_a_thread(listener, router(shared), stopped)?;
        Ok(Self {
            url,
            tokens,
            personal_token,
            stop: Some(stop),
            thread: Some(thread),
            _scratch: scratch,
        })
    }

    /// `http://127.0.0.1:PORT`: also a runner's `api.url`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The folder that holds `manifest.json`.
    pub fn releases_url(&self) -> String {
        format!("{}/releases", self.url)
    }

    /// The first token of a resource class that was given at the start.
    pub fn token(&self, class: &str) -> Option<&str> {
        self.tokens.iter().find(|(name, _)| name == class).map(|(_, token)| &**token)
    }

    /// What the user API takes.
    pub fn personal_token(&self) -> &str {
        &self.personal_token
    }

    pub fn control(&self) -> Control {
        Control::new(&self.url).unwrap_or_else(|error| unreachable!("own URL: {error}"))
    }

    /// Waits until the server ends, which only its own thread's failure brings about.
    pub fn join(mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn state_folder(options: &ServerOptions) -> anyhow::Result<(PathBuf, Option<TempDir>)> {
    if let Some(state) = &options.state {
        return Ok((state.clone(), None));
    }
    let scratch = TempDir::with_prefix("local-circleci-")?;
    Ok((scratch.path().to_owned(), Some(scratch)))
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .merge(releases::routes())
        .merge(agent_api::routes())
        .merge(user_api::routes(&shared))
        .merge(control_api::routes())
        .merge(web::routes())
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), faults::apply))
        .with_state(shared)
}

fn serve_on_a_thread(
    listener: TcpListener,
    router: Router,
    stopped: oneshot::Receiver<()>,
) -> anyhow::Result<JoinHandle<()>> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = {
        let _inside = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    let service = router.into_make_service_with_connect_info::<Fate>();
    let serve = move || {
        runtime.block_on(async {
            tokio::select! {
                _ = axum::serve(Plain(listener), service) => {}
                _ = stopped => {}
            }
        });
    };
    Ok(std::thread::Builder::new().name("local-circleci".to_owned()).spawn(serve)?)
}
