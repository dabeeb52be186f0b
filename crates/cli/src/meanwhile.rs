//! What is told on a terminal while an answer is waited for. It goes to the standard error, and nowhere in a pipe.

use client::{Client, ClientError, Detail};
use futures::StreamExt;
use protocol::Snapshot;

use crate::failure::Failure;
use crate::print::Screen;

/// Waits for the answer; meanwhile shows what `told` makes of each snapshot, where it makes something.
pub(crate) async fn meanwhile<T>(
    client: &Client,
    answer: impl Future<Output = Result<T, ClientError>>,
    told: impl Fn(&Snapshot) -> Option<String>,
) -> Result<T, Failure> {
    let mut progress = Screen::stderr();
    if !progress.is_terminal() {
        return Ok(answer.await?);
    }
    let mut events = client.events(Detail::Plain);
    tokio::pin!(answer);
    loop {
        tokio::select! {
            biased;
            answered = &mut answer => return Ok(answered?),
            Some(Ok(snapshot)) = events.next() => {
                if let Some(words) = told(&snapshot) {
                    progress.passing(&words)?;
                }
            }
        }
    }
}
