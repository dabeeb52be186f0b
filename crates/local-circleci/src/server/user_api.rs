//! The user API, in both shapes that CircleCI serves: the flat one (also on CircleCI Server) and the
//! newer one with `data` and `page`. Which of them it speaks is switchable; a token is told once.

mod asked;
mod enveloped;
mod flat;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::classes::Undeleted;
use super::refusal::{Refusal, personal};
use super::state::{Circle, Shared};
use crate::UserApi;
use crate::control::Agent;
use asked::About;

pub(super) fn routes(shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    let only = |wanted| {
        let state = (Arc::clone(shared), wanted);
        middleware::from_fn_with_state(state, is_spoken)
    };
    let flat = flat::routes().route_layer(only(UserApi::Flat));
    flat.merge(enveloped::routes().route_layer(only(UserApi::Enveloped)))
}

/// A surface that is not spoken has no pages at all.
async fn is_spoken(
    State((shared, wanted)): State<(Arc<Shared>, UserApi)>,
    call: Request,
    next: Next,
) -> Response {
    let spoken = shared.look(|circle| circle.user_api).await;
    if spoken == UserApi::Both || spoken == wanted {
        return next.run(call).await;
    }
    axum::http::StatusCode::NOT_FOUND.into_response()
}

/// The answer of `look`, for a caller with the personal token.
async fn as_user<T>(
    shared: &Shared,
    headers: &axum::http::HeaderMap,
    look: impl FnOnce(&Circle) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let token = personal(headers)?;
    shared.look(|circle| known(&token, circle).and_then(|()| look(circle))).await
}

/// The same for a call that changes something.
async fn change_as_user<T>(
    shared: &Shared,
    headers: &axum::http::HeaderMap,
    change: impl FnOnce(&mut Circle, Timestamp) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let token = personal(headers)?;
    let done = |circle: &mut Circle, now| known(&token, circle).and_then(|()| change(circle, now));
    shared.change(done).await
}

fn known(token: &str, circle: &Circle) -> Result<(), Refusal> {
    if token == circle.personal_token { Ok(()) } else { Err(Refusal::bad_token()) }
}

fn agents_of(circle: &Circle, about: &About) -> Vec<Agent> {
    let mut agents = circle.agents.list(&circle.queue);
    agents.retain(|agent| about.holds(&agent.resource_class));
    agents
}

/// CircleCI answers so where something is not there and where it may not be seen.
fn visible(circle: &Circle, about: &About) -> Result<(), Refusal> {
    let (name, there) = match about {
        About::Class(class) => (class, circle.classes.exists(class)),
        About::Namespace(namespace) => (namespace, circle.classes.has_namespace(namespace)),
    };
    if there { Ok(()) } else { Err(Refusal::not_found(name)) }
}

fn create_class(circle: &mut Circle, name: &str, description: &str) -> Result<(), Refusal> {
    let named = |part: &str, more: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let Some((namespace, class)) = name.split_once('/') else {
        return Err(Refusal::bad_request("resource_class must be namespace/name"));
    };
    if !named(namespace, "_-") || !named(class, ":_+-") {
        return Err(Refusal::bad_request("resource_class must be namespace/name"));
    }
    visible(circle, &About::Namespace(namespace.to_owned()))?;
    if circle.classes.create(name, description) {
        Ok(())
    } else {
        Err(Refusal::conflict("resource class already exists"))
    }
}

fn delete_class(circle: &mut Circle, id: &str, force: bool) -> Result<(), Refusal> {
    circle.classes.delete(id, force).map_err(|undeleted| match undeleted {
        Undeleted::NoSuch => Refusal::not_found("resource class"),
        Undeleted::HasTokens => Refusal::conflict("resource class has tokens"),
    })
}

fn delete_token(circle: &mut Circle, id: &str) -> Result<(), Refusal> {
    if circle.classes.delete_token(id) { Ok(()) } else { Err(Refusal::not_found("token")) }
}
