//! `/api/v3/runner`, `/resource`, `/token`, `/tasks`: lists are `{"items": [...]}`.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{delete, get};
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked::{About, Flat};
use super::{agents_of, as_user, change_as_user, visible};
use crate::control::Agent;
use crate::server::classes::Token;
use crate::server::refusal::Refusal;
use crate::server::state::{Circle, Shared};
use crate::{id_of, random};

type Answer = Result<Json<Value>, Refusal>;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/api/v3/runner", get(runners))
        .route("/api/v3/runner/resource", get(classes).post(create_class))
        .route("/api/v3/runner/resource/{id}", delete(delete_class))
        .route("/api/v3/runner/resource/{id}/force", delete(force_delete_class))
        .route("/api/v3/runner/token", get(tokens).post(create_token))
        .route("/api/v3/runner/token/{id}", delete(delete_token))
        .route("/api/v3/runner/tasks", get(unclaimed))
        .route("/api/v3/runner/tasks/running", get(running))
}

async fn runners(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<Flat>,
    headers: HeaderMap,
) -> Answer {
    let agents = as_user(&shared, &headers, |circle| {
        let about = About::exactly_one(query.resource_class, query.namespace)?;
        Ok(agents_of(circle, &about))
    });
    let items: Vec<Value> = agents.await?.iter().map(agent).collect();
    Ok(Json(json!({ "items": items })))
}

fn agent(agent: &Agent) -> Value {
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

async fn classes(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<Flat>,
    headers: HeaderMap,
) -> Answer {
    let items = as_user(&shared, &headers, |circle| {
        let about = About::exactly_one(query.resource_class, query.namespace)?;
        visible(circle, &about)?;
        let of_query = circle.classes.all().filter(|(name, _)| about.holds(name));
        Ok(of_query.map(|(name, of)| class(name, &of.description)).collect::<Vec<_>>())
    });
    Ok(Json(json!({ "items": items.await? })))
}

fn class(name: &str, description: &str) -> Value {
    json!({ "id": id_of(name), "resource_class": name, "description": description })
}

#[derive(Deserialize)]
struct NewClass {
    resource_class: String,
    #[serde(default)]
    description: String,
}

async fn create_class(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(new): Json<NewClass>,
) -> Answer {
    let created = change_as_user(&shared, &headers, |circle, _| {
        super::create_class(circle, &new.resource_class, &new.description)
    });
    created.await?;
    Ok(Json(class(&new.resource_class, &new.description)))
}

async fn delete_class(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<(), Refusal> {
    let delete = |circle: &mut Circle, _| super::delete_class(circle, &id, false);
    change_as_user(&shared, &headers, delete).await
}

async fn force_delete_class(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<(), Refusal> {
    let delete = |circle: &mut Circle, _| super::delete_class(circle, &id, true);
    change_as_user(&shared, &headers, delete).await
}

async fn tokens(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<Flat>,
    headers: HeaderMap,
) -> Answer {
    let items = as_user(&shared, &headers, |circle| {
        let class = known_class(circle, query)?;
        let tokens = circle.classes.tokens(&class).unwrap_or_default();
        Ok(tokens.iter().map(|one| token(&class, one)).collect::<Vec<_>>())
    });
    Ok(Json(json!({ "items": items.await? })))
}

fn token(class: &str, token: &Token) -> Value {
    json!({
        "id": token.id,
        "resource_class": class,
        "nickname": token.nickname,
        "created_at": token.created_at,
    })
}

#[derive(Deserialize)]
struct NewToken {
    resource_class: String,
    nickname: String,
}

async fn create_token(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(new): Json<NewToken>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let secret = random::hex(40).map_err(|error| Refusal::no_randomness(&error))?;
    let created = change_as_user(&shared, &headers, |circle, now| {
        let class = &new.resource_class;
        let added = circle.classes.add_token(class, &new.nickname, secret.clone(), now);
        let mut created = token(class, added.ok_or_else(|| Refusal::not_found(class))?);
        created["token"] = secret.into();
        Ok(created)
    });
    Ok((StatusCode::CREATED, Json(created.await?)))
}

async fn delete_token(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<(), Refusal> {
    let delete = |circle: &mut Circle, _| super::delete_token(circle, &id);
    change_as_user(&shared, &headers, delete).await
}

async fn unclaimed(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<Flat>,
    headers: HeaderMap,
) -> Answer {
    let count = as_user(&shared, &headers, |circle| {
        Ok(circle.queue.counts(&known_class(circle, query)?).unclaimed)
    });
    Ok(Json(json!({ "unclaimed_task_count": count.await? })))
}

async fn running(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<Flat>,
    headers: HeaderMap,
) -> Answer {
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
