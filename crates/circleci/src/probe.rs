//! Whether a server answers at all. Sends no credentials, and never a claim: that could take a job.

use std::time::Duration;

use reqwest::redirect;

use crate::{http, release_error::cause_in_words, service_address};

const PATIENCE: Duration = Duration::from_secs(10);

/// Asks the address with HEAD. Any answer is a yes, an error page too; the error says in words why
/// there was none.
pub async fn answers(api_url: &str) -> Result<(), String> {
    let url = service_address(api_url).map_err(|refused| refused.to_string())?;
    let client = http::client().map_err(|error| error.to_string())?;
    let client = client.timeout(PATIENCE).redirect(redirect::Policy::none());
    // Asked every minute: the system's certificates are read only where they are needed.
    let client = if url.scheme() == "https" { client } else { client.tls_certs_only([]) };
    let client = client.build().map_err(|error| error.to_string())?;
    let host = url.host_str().unwrap_or_default().to_owned();
    match client.head(url).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.is_timeout() => {
            Err(format!("{host} gave no answer within {} s", PATIENCE.as_secs()))
        }
        Err(error) => Err(format!("{host}: {}", cause_in_words(&error))),
    }
}
