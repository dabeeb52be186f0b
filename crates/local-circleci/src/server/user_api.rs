//! The user API's read side, in both shapes that CircleCI serves: the flat one (also on CircleCI
//! Server) and the newer one with `data` and `page`. It changes nothing.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use super::refusal::{Refusal, personal};
use super::state::{Circle, Shared};
use crate::control::Agent;
use crate::id_of;

/// `page[limit]` may not be more.
const LONGEST_PAGE: usize = 250;
const USUAL_PAGE: usize = 20;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/api/v3/runner", get(runners))
        .route("/api/v3/runner/resource", get(resources))
        .route("/api/v3/runner/tasks", get(unclaimed))
        .route("/api/v3/runner/tasks/running", get(running))
        .route("/api/v3/runner/agents", get(agents))
        .route("/api/v3/runner/resource-classes", get(resource_classes))
}

#[derive(Deserialize)]
struct Flat {
    #[serde(rename = "resource-class")]
    resource_class: Option<String>,
    namespace: Option<String>,
}

#[derive(Deserialize)]
struct Filtered {
    #[serde(rename = "filter[resource_class]")]
    resource_class: Option<String>,
    #[serde(rename = "filter[namespace]")]
    namespace: Option<String>,
    #[serde(rename = "page[limit]")]
    limit: Option<usize>,
    #[serde(rename = "page[cursor]")]
    cursor: Option<String>,
}

/// Which resource classes a call is about: one, or all of a namespace.
enum About {
    Class(String),
    Namespace(String),
}

impl About {
    fn exactly_one(class: Option<String>, namespace: Option<String>) -> Result<Self, Refusal> {
        match (class, namespace) {
            (Some(class), None) => Ok(Self::Class(class)),
            (None, Some(namespace)) => Ok(Self::Namespace(namespace)),
            _ => Err(Refusal::bad_request("give exactly one of resource class and namespace")),
        }
    }

    fn holds(&self, class: &str) -> bool {
        match self {
            Self::Class(wanted) => wanted == class,
            Self::Namespace(wanted) => class.split('/').next() == Some(wanted),
        }
    }
}

/// The answer of `look`, for a caller with the personal token.
async fn as_user<T>(
    shared: &Shared,
    headers: &HeaderMap,
    look: impl FnOnce(&Circle) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let token = personal(headers)?;
    let answer = shared.look(|circle| {
        if token != circle.personal_token {
            return Err(Refusal::bad_token());
        }
        look(circle)
    });
    answer.await
}

async fn runners(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<Flat>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let agents = as_user(&shared, &headers, |circle| {
        let about = About::exactly_one(query.resource_class, query.namespace)?;
        Ok(agents_of(circle, &about))
    });
    let items: Vec<Value> = agents.await?.iter().map(flat).collect();
    Ok(Json(json!({ "items": items })))
}

fn flat(agent: &Agent) -> Value {
    json!({
        "resource_class": agent.resource_class,
        "hostname": agent.hostname,
        "name": agent.name,
        "first_connected": agent.first_connected,
        "last_connected": agent.last_connected,
        "last_used": agent.last_used,
        "version": agent.version,
        "ip": agent.ip,
    })
}

async fn resources(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<Flat>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let items = as_user(&shared, &headers, |circle| {
        let about = About::exactly_one(query.resource_class, query.namespace)?;
        let of_query = circle.classes.names().filter(|class| about.holds(class));
        Ok(of_query
            .map(|class| json!({ "id": id_of(class), "resource_class": class, "description": "" }))
            .collect::<Vec<_>>())
    });
    Ok(Json(json!({ "items": items.await? })))
}

async fn unclaimed(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<Flat>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let count = as_user(&shared, &headers, |circle| {
        Ok(circle.queue.counts(&known_class(circle, query)?).unclaimed)
    });
    Ok(Json(json!({ "unclaimed_task_count": count.await? })))
}

async fn running(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<Flat>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let count = as_user(&shared, &headers, |circle| {
        Ok(circle.queue.counts(&known_class(circle, query)?).running)
    });
    Ok(Json(json!({ "running_runner_tasks": count.await? })))
}

fn known_class(circle: &Circle, query: Flat) -> Result<String, Refusal> {
    let class =
        query.resource_class.ok_or_else(|| Refusal::bad_request("resource-class is missing"))?;
    if circle.classes.exists(&class) { Ok(class) } else { Err(Refusal::not_found(&class)) }
}

async fn agents(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<Filtered>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let page = as_user(&shared, &headers, |circle| {
        let about = About::exactly_one(query.resource_class, query.namespace)?;
        let items = agents_of(circle, &about).iter().map(agent_item).collect();
        page(items, query.limit, query.cursor.as_deref())
    });
    page.await.map(Json)
}

fn agent_item(agent: &Agent) -> Value {
    json!({
        "id": agent.id,
        "attributes": {
            "name": agent.name,
            "is_busy": agent.is_busy,
            "version": agent.version,
            "first_connected_at": agent.first_connected,
            "last_connected_at": agent.last_connected,
        },
        "references": { "resource_class": class_reference(&agent.resource_class) },
    })
}

async fn resource_classes(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<Filtered>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let page = as_user(&shared, &headers, |circle| {
        let about = About::exactly_one(query.resource_class, query.namespace)?;
        let of_query = circle.classes.names().filter(|class| about.holds(class));
        page(of_query.map(class_reference).collect(), query.limit, query.cursor.as_deref())
    });
    page.await.map(Json)
}

fn class_reference(class: &str) -> Value {
    json!({ "id": id_of(class), "attributes": { "resource_class": class } })
}

fn agents_of(circle: &Circle, about: &About) -> Vec<Agent> {
    let mut agents = circle.agents.list(&circle.queue);
    agents.retain(|agent| about.holds(&agent.resource_class));
    agents
}

/// One page of `items`; a cursor is the number of items before it.
fn page(items: Vec<Value>, limit: Option<usize>, cursor: Option<&str>) -> Result<Value, Refusal> {
    let limit = limit.unwrap_or(USUAL_PAGE);
    if limit == 0 || limit > LONGEST_PAGE {
        return Err(Refusal::bad_request("page[limit] must be from 1 to 250"));
    }
    let from: usize = cursor
        .map_or(Ok(0), str::parse)
        .map_err(|_| Refusal::bad_request("page[cursor] is not one of ours"))?;
    let next = (from + limit < items.len()).then(|| (from + limit).to_string());
    let data: Vec<Value> = items.into_iter().skip(from).take(limit).collect();
    Ok(json!({ "data": data, "page": { "next": next } }))
}
