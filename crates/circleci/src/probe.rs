//! Whether a server answers at all. Sends no credentials, and never a claim: that could take a job.

use std::time::Duration;

use crate::{address, service_address};

const PATIENCE: Duration = Duration::from_secs(10);

/// Asks the address with HEAD. Any answer is a yes, an error page too; the error says in words why
/// there was none.
pub async fn answers(api_url: &str) -> Result<(), String> {
    let url = service_address(api_url).map_err(|refused| refused.to_string())?;
    let client = reqwest::Client::builder()
        .user_agent(concat!("runner-tray/", env!("CARGO_PKG_VERSION")))
        .timeout(PATIENCE);
    // A proxy never stands between this machine and itself.
    let client = if address::is_loopback(&url) { client.no_proxy() } else { client };
    let client = client.build().map_err(|error| error.to_string())?;
    let host = url.host_str().unwrap_or_default().to_owned();
    match client.head(url).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.is_timeout() => {
            Err(format!("{host} gave no answer within {} s", PATIENCE.as_secs()))
        }
        Err(error) => Err(format!("{host}: {}", crate::release_error::root_cause(&error))),
    }
}
