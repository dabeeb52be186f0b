//! `/api/v3/runner/resource-classes`, `/tokens`, `/agents`, `/fleets`: answers are `{"data": ...}`, lists
//! come in pages.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{delete, get};
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked::{About, Filtered};
use super::{agents_of, as_user, change_as_user, visible};
use crate::control::Agent;
use crate::server::classes::Token;
use crate::server::refusal::Refusal;
use crate::server::state::Shared;
use crate::{id_of, random};

/// `page[limit]` may not be more.
const LONGEST_PAGE: usize = 250;
const USUAL_PAGE: usize = 20;

type Answer = Result<Json<Value>, Refusal>;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/api/v3/runner/agents", get(agents))
        .route("/api/v3/runner/resource-classes", get(classes).post(create_class))
        .route("/api/v3/runner/resource-classes/{id}", delete(delete_class))
        .route("/api/v3/runner/tokens", get(tokens).post(create_token))
        .route("/api/v3/runner/tokens/{id}", delete(delete_token))
        .route("/api/v3/runner/fleets/{id}", get(fleet))
}

async fn agents(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<Filtered>,
    headers: HeaderMap,
) -> Answer {
    let page = as_user(&shared, &headers, |circle| {
        let about = About::exactly_one(query.resource_class, query.namespace)?;
        let items = agents_of(circle, &about).iter().map(agent).collect();
        page(items, query.limit, query.cursor.as_deref())
    });
    page.await.map(Json)
}

fn agent(agent: &Agent) -> Value {
    json!({
        "id": agent.id,
        "attributes": {
            "name": agent.name,
            "is_busy": agent.is_busy,
            "version": agent.version,
            "first_connected_at": agent.first_connected,
            "last_connected_at": agent.last_connected,
        },
        "references": { "resource_class": {
            "id": id_of(&agent.resource_class),
            "attributes": { "resource_class": agent.resource_class },
        } },
    })
}

async fn classes(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<Filtered>,
    headers: HeaderMap,
) -> Answer {
    let page = as_user(&shared, &headers, |circle| {
        let about = About::exactly_one(query.resource_class, query.namespace)?;
        visible(circle, &about)?;
        let of_query = circle.classes.all().filter(|(name, _)| about.holds(name));
        let items = of_query.map(|(name, of)| class(name, &of.description)).collect();
        page(items, query.limit, query.cursor.as_deref())
    });
    page.await.map(Json)
}

fn class(name: &str, description: &str) -> Value {
    let attributes = json!({ "resource_class": name, "description": description });
    json!({ "id": id_of(name), "attributes": attributes })
}

#[derive(Deserialize)]
struct NewClass {
    resource_class: String,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
struct OfOrganisation {
    org: Id,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct Envelope<T> {
    data: T,
}

#[derive(Deserialize)]
struct New<A, R> {
    attributes: A,
    references: R,
}

async fn create_class(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(Envelope { data }): Json<Envelope<New<NewClass, OfOrganisation>>>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let New { attributes: new, references } = data;
    if references.org.id.is_empty() {
        return Err(Refusal::bad_request("references.org.id is missing"));
    }
    let created = change_as_user(&shared, &headers, |circle, _| {
        super::create_class(circle, &new.resource_class, &new.description)
    });
    created.await?;
    let created = class(&new.resource_class, &new.description);
    Ok((StatusCode::CREATED, Json(json!({ "data": created }))))
}

#[derive(Deserialize)]
struct Force {
    #[serde(default)]
    force: bool,
}

async fn delete_class(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(Force { force }): Query<Force>,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    change_as_user(&shared, &headers, |circle, _| super::delete_class(circle, &id, force)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn tokens(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<Filtered>,
    headers: HeaderMap,
) -> Answer {
    let page = as_user(&shared, &headers, |circle| {
        let class =
            query.resource_class.ok_or_else(|| Refusal::bad_request("give a resource class"))?;
        let tokens = circle.classes.tokens(&class).ok_or_else(|| Refusal::not_found(&class))?;
        page(tokens.iter().map(token).collect(), query.limit, query.cursor.as_deref())
    });
    page.await.map(Json)
}

fn token(token: &Token) -> Value {
    let attributes = json!({ "nickname": token.nickname, "created_at": token.created_at });
    json!({ "id": token.id, "attributes": attributes })
}

#[derive(Deserialize)]
struct Nicknamed {
    nickname: String,
}

#[derive(Deserialize)]
struct OfClass {
    resource_class: Id,
}

async fn create_token(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(Envelope { data: new }): Json<Envelope<New<Nicknamed, OfClass>>>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let secret = random::hex(40).map_err(|error| Refusal::no_randomness(&error))?;
    let created = change_as_user(&shared, &headers, |circle, now| {
        let none = || Refusal::not_found("resource class");
        let class = circle.classes.name_of(&new.references.resource_class.id).ok_or_else(none)?;
        let (class, nickname) = (class.to_owned(), &new.attributes.nickname);
        let added = circle.classes.add_token(&class, nickname, secret.clone(), now);
        let mut created = token(added.ok_or_else(none)?);
        created["attributes"]["token"] = secret.into();
        Ok(created)
    });
    Ok((StatusCode::CREATED, Json(json!({ "data": created.await? }))))
}

async fn delete_token(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    change_as_user(&shared, &headers, |circle, _| super::delete_token(circle, &id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The numbers of one resource class.
async fn fleet(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let fleet = as_user(&shared, &headers, |circle| {
        let class =
            circle.classes.name_of(&id).ok_or_else(|| Refusal::not_found("resource class"))?;
        let agents = agents_of(circle, &About::Class(class.to_owned()));
        let (counts, busy) =
            (circle.queue.counts(class), agents.iter().filter(|agent| agent.is_busy).count());
        Ok(json!({ "id": id, "attributes": {
            "name": class,
            "active_agents": busy,
            "idle_agents": agents.len() - busy,
            "disconnected_agents": 0,
            "agent_count": agents.len(),
            "running_tasks": counts.running,
            "queued_tasks": counts.unclaimed,
        } }))
    });
    Ok(Json(json!({ "data": fleet.await? })))
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
