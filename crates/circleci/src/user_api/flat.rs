//! The flat surface: `/api/v3/runner`, `/resource`, `/token`, `/tasks`; lists are `{"items": [...]}`.
//! Documented in part (CircleCI's runner API page), the rest as its own command line uses it.

use secrecy::SecretString;
use serde_json::{Value, json};

use super::call::{Call, Calls};
use super::read::{self, Wrong};
use super::{Class, ConnectedAgent, Counts, CreatedToken, ListedToken, UserApiError};

pub(super) async fn classes(calls: &Calls, namespace: &str) -> Result<Vec<Class>, UserApiError> {
    let about = format!("the namespace {namespace}");
    let json = calls.json(Call::get(&["resource"], &[("namespace", namespace)], &about)).await?;
    items(&json, class).map_err(|why| calls.not_understood(&about, why))
}

pub(super) async fn create_class(
    calls: &Calls,
    name: &str,
    description: &str,
) -> Result<Class, UserApiError> {
    let about = format!("the resource class {name}");
    let body = json!({ "resource_class": name, "description": description });
    let json = calls.json(Call::post(&["resource"], body, &about)).await?;
    class(&json).map_err(|why| calls.not_understood(&about, why))
}

pub(super) async fn delete_class(
    calls: &Calls,
    class: &Class,
    force: bool,
) -> Result<(), UserApiError> {
    let about = format!("the resource class {}", class.name);
    let path = ["resource", &class.id, "force"];
    let path = if force { &path[..] } else { &path[..2] };
    calls.done(Call::delete(path, &[], about)).await
}

pub(super) async fn tokens(calls: &Calls, class: &str) -> Result<Vec<ListedToken>, UserApiError> {
    let about = format!("the tokens of {class}");
    let json = calls.json(Call::get(&["token"], &[("resource-class", class)], &about)).await?;
    items(&json, token).map_err(|why| calls.not_understood(&about, why))
}

pub(super) async fn create_token(
    calls: &Calls,
    class: &str,
    nickname: &str,
) -> Result<CreatedToken, UserApiError> {
    let about = format!("the tokens of {class}");
    let body = json!({ "resource_class": class, "nickname": nickname });
    let json = calls.json(Call::post(&["token"], body, &about)).await?;
    created(&json).map_err(|why| calls.not_understood(&about, why))
}

pub(super) async fn delete_token(calls: &Calls, id: &str) -> Result<(), UserApiError> {
    calls.done(Call::delete(&["token", id], &[], format!("the token {id}"))).await
}

/// The page of a resource class that no agent ever connected to may be a 404.
pub(super) async fn agents(
    calls: &Calls,
    class: &str,
) -> Result<Vec<ConnectedAgent>, UserApiError> {
    let about = format!("the agents of {class}");
    let json = match calls.json(Call::get(&[], &[("resource-class", class)], &about)).await {
        Err(UserApiError::NotVisible { .. }) => return Ok(Vec::new()),
        answer => answer?,
    };
    items(&json, agent).map_err(|why| calls.not_understood(&about, why))
}

pub(super) async fn counts(calls: &Calls, class: &str) -> Result<Counts, UserApiError> {
    let about = format!("the tasks of {class}");
    let query = [("resource-class", class)];
    let waiting = calls.json(Call::get(&["tasks"], &query, &about)).await?;
    let running = calls.json(Call::get(&["tasks", "running"], &query, &about)).await?;
    let both = || {
        Ok::<_, Wrong>(Counts {
            waiting: read::count(&waiting, "unclaimed_task_count")?,
            running: read::count(&running, "running_runner_tasks")?,
        })
    };
    both().map_err(|why| calls.not_understood(&about, why))
}

fn items<T>(json: &Value, each: impl Fn(&Value) -> Result<T, Wrong>) -> Result<Vec<T>, Wrong> {
    read::list(json, "items")?.iter().map(each).collect()
}

fn class(item: &Value) -> Result<Class, Wrong> {
    Ok(Class {
        id: read::id(item)?,
        name: read::text(item, "resource_class")?,
        description: read::maybe_text(item, "description").unwrap_or_default(),
    })
}

fn token(item: &Value) -> Result<ListedToken, Wrong> {
    Ok(ListedToken {
        id: read::id(item)?,
        nickname: read::maybe_text(item, "nickname").unwrap_or_default(),
        created_at: read::maybe_text(item, "created_at"),
    })
}

fn created(item: &Value) -> Result<CreatedToken, Wrong> {
    Ok(CreatedToken { token: token(item)?, secret: SecretString::from(read::text(item, "token")?) })
}

fn agent(item: &Value) -> Result<ConnectedAgent, Wrong> {
    Ok(ConnectedAgent {
        name: read::text(item, "name")?,
        version: read::maybe_text(item, "version"),
        last_connected: read::maybe_text(item, "last_connected"),
        // This surface does not say.
        is_busy: None,
    })
}

#[cfg(test)]
pub(super) fn read_anything(json: &Value) {
    let _ = (items(json, class), items(json, token), items(json, agent), created(json));
}
