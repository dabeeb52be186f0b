//! A question to whoever sits at the terminal, where the answer is yes or no.

use crate::failure::Failure;

/// Whether the answer is a clear yes. Ask only where [`crate::token::can_prompt`].
pub(crate) async fn says_yes(question: &str) -> Result<bool, Failure> {
    eprint!("{question} [y/N] ");
    let reading = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    });
    let line = reading.await.map_err(std::io::Error::other)??;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}
