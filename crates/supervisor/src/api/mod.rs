//! The local API: HTTP and JSON over a Unix socket that only the owner reaches. Decides nothing;
//! it asks the loop.

mod asked;
mod circleci;
mod cleanup;
mod doctor;
pub(crate) mod events;
mod logs;
mod machine;
mod origin;
mod peer;
mod preinstall;
mod reading;
pub(crate) mod refusal;
mod runners;
mod tokens;
mod wishes;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::{get, post, put};
use host::Folders;
use tokio::net::UnixListener;
use tokio::sync::{Mutex, oneshot, watch};

use crate::input::Loop;
pub(crate) use peer::Peer;

/// What every call may use.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) to_loop: Loop,
    pub(crate) snapshots: watch::Receiver<Arc<str>>,
    pub(crate) folders: Folders,
    pub(crate) history: PathBuf,
    /// Held while a token is created for a runner, and before `tokens`.
    pub(crate) rotating: Arc<Mutex<()>>,
    /// Held by whoever changes a token or its place: one after the other.
    pub(crate) tokens: Arc<Mutex<()>>,
}

/// Serves until it is told to end, then finishes what it has begun.
pub(crate) async fn serve(
    listener: UnixListener,
    api: Api,
    ends: oneshot::Receiver<()>,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/v1/health", get(reading::health))
        .route("/v1/snapshot", get(reading::snapshot))
        .route("/v1/events", get(events::events))
        .route("/v1/history", get(reading::history))
        .route("/v1/history/days", get(machine::days))
        .route("/v1/history/hours", get(machine::hours))
        .route("/v1/notices", get(machine::notices))
        .route("/v1/notices/seen", put(machine::seen_notices))
        .route("/v1/preferences", get(machine::preferences).put(machine::prefer))
        .route("/v1/workdirs", get(cleanup::work_dirs))
        .route("/v1/workdirs/never-delete", put(cleanup::mark))
        .route("/v1/presets", get(cleanup::presets))
        .route("/v1/presets/{id}", put(cleanup::change_preset))
        .route("/v1/cleanup", post(cleanup::carry_out).delete(cleanup::stop))
        .route("/v1/cleanup/plan", post(cleanup::plan))
        .route("/v1/cleanup/undo", post(cleanup::undo))
        .route("/v1/cleanup/receipts", get(cleanup::receipts))
        .route("/v1/preinstall", get(preinstall::list))
        .route("/v1/preinstall/check", post(preinstall::check))
        .route("/v1/preinstall/plan", post(preinstall::plan))
        .route("/v1/preinstall/install", post(preinstall::install).delete(preinstall::cancel))
        .route("/v1/preinstall/output", get(preinstall::output))
        .route("/v1/preinstall/report", get(preinstall::report))
        .route("/v1/preinstall/export", post(preinstall::export))
        .route("/v1/preinstall/import", post(preinstall::import))
        .route("/v1/after-task", put(machine::want_after_task).delete(machine::forget_after_task))
        .route("/v1/job-user/check", post(machine::check_job_user))
        .route("/v1/runners/{name}/snippet", get(machine::snippet))
        .route("/v1/agents", get(reading::agents))
        .route("/v1/doctor", get(doctor::doctor))
        .route("/v1/runners/{name}", put(runners::set_up).delete(runners::remove))
        .route("/v1/runners/{name}/token", put(tokens::set).delete(tokens::forget))
        .route("/v1/runners/{name}/token/store", put(tokens::move_to))
        .route("/v1/runners/{name}/path", get(preinstall::path).put(preinstall::set_path))
        .route("/v1/runners/{name}/pause", put(wishes::pause).delete(wishes::resume))
        .route("/v1/runners/{name}/cancel", post(wishes::cancel))
        .route("/v1/runners/{name}/install", put(wishes::want_install).delete(wishes::stop_install))
        .route("/v1/runners/{name}/logs", get(logs::logs))
        .route("/v1/runners/{name}/logs/search", get(logs::search))
        .route("/v1/runners/{name}/config", get(reading::config))
        .route("/v1/runners/{name}/new-token", post(circleci::create_own_token))
        .route("/v1/runners/{name}/rotation", post(circleci::rotate).get(circleci::rotation))
        .route("/v1/circleci/classes/list", post(circleci::list_classes))
        .route("/v1/circleci/classes/show", post(circleci::show_class))
        .route("/v1/circleci/classes/create", post(circleci::create_class))
        .route("/v1/circleci/classes/delete", post(circleci::delete_class))
        .route("/v1/circleci/tokens/list", post(circleci::list_tokens))
        .route("/v1/circleci/tokens/create", post(circleci::create_token))
        .route("/v1/circleci/tokens/delete", post(circleci::delete_token))
        .route("/v1/stop", post(wishes::stop))
        .fallback(async || refusal::no_such_call())
        .method_not_allowed_fallback(async || refusal::wrong_method())
        .layer(middleware::from_fn_with_state(api.clone(), peer::let_in))
        .with_state(api);
    axum::serve(listener, router.into_make_service_with_connect_info::<Peer>())
        .with_graceful_shutdown(async {
            // A sender that is gone ends it as well.
            let _ = ends.await;
        })
        .await
}
