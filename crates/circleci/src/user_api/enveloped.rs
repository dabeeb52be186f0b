//! The newer surface: `/api/v3/runner/resource-classes`, `/tokens`, `/agents`, `/fleets`; answers are
//! `{"data": ..., "page": {"next": cursor}}`, as CircleCI's own command line has used them.

use secrecy::SecretString;
use serde_json::{Value, json};

use super::call::{Call, Calls};
use super::read::{self, Wrong};
use super::{Class, ConnectedAgent, Counts, CreatedToken, ListedToken, UserApiError};

/// More is answered with 400.
const LONGEST_PAGE: &str = "250";
/// Far more than there can be: an organisation has at most 650 resource classes in a namespace.
const MOST_PAGES: usize = 100;

pub(super) async fn classes(calls: &Calls, namespace: &str) -> Result<Vec<Class>, UserApiError> {
    let filter = ("filter[namespace]", namespace);
    pages(calls, "resource-classes", filter, &format!("the namespace {namespace}"), class).await
}

pub(super) async fn create_class(
    calls: &Calls,
    name: &str,
    description: &str,
    organisation: &str,
) -> Result<Class, UserApiError> {
    let about = format!("the resource class {name}");
    let body = json!({ "data": {
        "attributes": { "resource_class": name, "description": description },
        "references": { "org": { "id": organisation } },
    } });
    let json = calls.json(Call::post(&["resource-classes"], body, &about)).await?;
    data(&json, class).map_err(|why| calls.not_understood(&about, why))
}

pub(super) async fn delete_class(
    calls: &Calls,
    class: &Class,
    force: bool,
) -> Result<(), UserApiError> {
    let about = format!("the resource class {}", class.name);
    let query: &[_] = if force { &[("force", "true")] } else { &[] };
    calls.done(Call::delete(&["resource-classes", &class.id], query, about)).await
}

pub(super) async fn tokens(calls: &Calls, class: &str) -> Result<Vec<ListedToken>, UserApiError> {
    let filter = ("filter[resource_class]", class);
    pages(calls, "tokens", filter, &format!("the tokens of {class}"), token).await
}

pub(super) async fn create_token(
    calls: &Calls,
    class: &Class,
    nickname: &str,
) -> Result<CreatedToken, UserApiError> {
    let about = format!("the tokens of {}", class.name);
    let body = json!({ "data": {
        "attributes": { "nickname": nickname },
        "references": { "resource_class": { "id": class.id } },
    } });
    let json = calls.json(Call::post(&["tokens"], body, &about)).await?;
    data(&json, created).map_err(|why| calls.not_understood(&about, why))
}

pub(super) async fn delete_token(calls: &Calls, id: &str) -> Result<(), UserApiError> {
    calls.done(Call::delete(&["tokens", id], &[], format!("the token {id}"))).await
}

pub(super) async fn agents(
    calls: &Calls,
    class: &str,
) -> Result<Vec<ConnectedAgent>, UserApiError> {
    let filter = ("filter[resource_class]", class);
    pages(calls, "agents", filter, &format!("the agents of {class}"), agent).await
}

pub(super) async fn counts(calls: &Calls, class: &Class) -> Result<Counts, UserApiError> {
    let about = format!("the tasks of {}", class.name);
    let json = calls.json(Call::get(&["fleets", &class.id], &[], &about)).await?;
    data(&json, fleet).map_err(|why| calls.not_understood(&about, why))
}

async fn pages<T>(
    calls: &Calls,
    what: &str,
    filter: (&str, &str),
    about: &str,
    each: impl Fn(&Value) -> Result<T, Wrong>,
) -> Result<Vec<T>, UserApiError> {
    let wrong = |why| calls.not_understood(about, why);
    let mut all = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let mut query = vec![filter, ("page[limit]", LONGEST_PAGE)];
        query.extend(cursor.as_deref().map(|cursor| ("page[cursor]", cursor)));
        let json = calls.json(Call::get(&[what], &query, about)).await?;
        all.extend(page(&json, &each).map_err(wrong)?);
        let Some(next) = next(&json) else { return Ok(all) };
        if cursor.as_ref() == Some(&next) {
            return Err(wrong("its pages go round in a circle".into()));
        }
        cursor = Some(next);
    }
    Err(wrong("it has too many pages".into()))
}

fn page<T>(json: &Value, each: impl Fn(&Value) -> Result<T, Wrong>) -> Result<Vec<T>, Wrong> {
    read::list(json, "data")?.iter().map(each).collect()
}

fn next(json: &Value) -> Option<String> {
    read::maybe_text(json.get("page")?, "next")
}

fn data<T>(json: &Value, of: impl Fn(&Value) -> Result<T, Wrong>) -> Result<T, Wrong> {
    of(json.get("data").ok_or("it has no \"data\"")?)
}

fn attributes(item: &Value) -> Result<&Value, Wrong> {
    item.get("attributes").ok_or_else(|| "it has no \"attributes\"".into())
}

fn class(item: &Value) -> Result<Class, Wrong> {
    let attributes = attributes(item)?;
    Ok(Class {
        id: read::id(item)?,
        name: read::text(attributes, "resource_class")?,
        description: read::maybe_text(attributes, "description").unwrap_or_default(),
    })
}

fn token(item: &Value) -> Result<ListedToken, Wrong> {
    let attributes = attributes(item)?;
    Ok(ListedToken {
        id: read::id(item)?,
        nickname: read::maybe_text(attributes, "nickname").unwrap_or_default(),
        created_at: read::maybe_text(attributes, "created_at"),
    })
}

fn created(item: &Value) -> Result<CreatedToken, Wrong> {
    let secret = read::text(attributes(item)?, "token")?;
    Ok(CreatedToken { token: token(item)?, secret: SecretString::from(secret) })
}

fn agent(item: &Value) -> Result<ConnectedAgent, Wrong> {
    let attributes = attributes(item)?;
    Ok(ConnectedAgent {
        name: read::text(attributes, "name")?,
        version: read::maybe_text(attributes, "version"),
        last_connected: read::maybe_text(attributes, "last_connected_at"),
        is_busy: attributes.get("is_busy").and_then(Value::as_bool),
    })
}

fn fleet(item: &Value) -> Result<Counts, Wrong> {
    let attributes = attributes(item)?;
    Ok(Counts {
        waiting: read::count(attributes, "queued_tasks")?,
        running: read::count(attributes, "running_tasks")?,
    })
}

#[cfg(test)]
pub(super) fn read_anything(json: &Value) {
    let _ = (page(json, class), page(json, token), page(json, agent), next(json));
    let _ = (data(json, created), data(json, fleet));
}
