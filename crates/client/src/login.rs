//! The supervisor at login: handed over to the system's service manager, and back. Agents and tasks go
//! on all the while.

use std::time::Duration;

use host::login_service::{self, ServiceError, State};
use host::{Folders, FoldersError};
use tokio::time::{Instant, sleep};

use crate::start::{answers, program};
use crate::{Client, ClientError, StartError, start_supervisor};

/// How long a supervisor may take to end, and another one to answer.
const DEADLINE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(25);

#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error("The supervisor still answers after {} s, so the service was not begun.", DEADLINE.as_secs())]
    StillThere,
    #[error("The service was begun and has not answered for {} s.", DEADLINE.as_secs())]
    Silent,
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Folders(#[from] FoldersError),
    #[error(transparent)]
    Call(#[from] ClientError),
}

/// Whether the service manager starts our supervisor at login; nothing where there is no manager.
pub async fn login_state() -> Option<State> {
    tokio::task::spawn_blocking(login_service::state).await.ok()?.ok()
}

/// Has the service manager start the supervisor at login, and keep it from now on. One that runs
/// otherwise ends first; where the service cannot begin, one is started as before.
pub async fn enable_at_login(folders: &Folders) -> Result<State, LoginError> {
    let known = blocking(login_service::state).await?;
    let client = Client::connect(folders.socket()?)?;
    let by_hand = !known.running && answers(&client).await?.is_some();
    if by_hand {
        end(&client).await?;
    }
    let enabled = blocking(|| login_service::enable(&program())).await;
    let enabled = match enabled {
        Ok(state) if answers_in_time(&client).await? => Ok(state),
        Ok(_) => Err(LoginError::Silent),
        Err(error) => Err(error.into()),
    };
    if enabled.is_err() && by_hand {
        start_supervisor(folders).await?;
    }
    enabled
}

/// No login starts it any more. One that runs goes on, without the service manager.
pub async fn disable_at_login(folders: &Folders) -> Result<State, LoginError> {
    let client = Client::connect(folders.socket()?)?;
    let runs = answers(&client).await?.is_some();
    let state = blocking(login_service::disable).await?;
    if runs {
        start_supervisor(folders).await?;
    }
    Ok(state)
}

async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, ServiceError> + Send + 'static,
) -> Result<T, ServiceError> {
    tokio::task::spawn_blocking(call)
        .await
        .unwrap_or_else(|error| Err(ServiceError::NoManager(error.to_string())))
}

async fn end(client: &Client) -> Result<(), LoginError> {
    client.stop().await?;
    let deadline = Instant::now() + DEADLINE;
    while !matches!(client.health().await, Err(ClientError::NotReachable { .. })) {
        if Instant::now() >= deadline {
            return Err(LoginError::StillThere);
        }
        sleep(PAUSE).await;
    }
    Ok(())
}

async fn answers_in_time(client: &Client) -> Result<bool, ClientError> {
    let deadline = Instant::now() + DEADLINE;
    while answers(client).await?.is_none() {
        if Instant::now() >= deadline {
            return Ok(false);
        }
        sleep(PAUSE).await;
    }
    Ok(true)
}
