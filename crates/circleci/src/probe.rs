//! Whether a server answers at all. Sends no credentials, and never a claim: that could take a job.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, Url, redirect};
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls_platform_verifier::BuilderVerifierExt;

use crate::{http, release_error::cause_in_words, service_address};

const PATIENCE: Duration = Duration::from_secs(10);

/// With the system's certificates, which take milliseconds to read: kept from minute to minute for as
/// long as servers prove themselves by them.
static TRUSTING: Mutex<Option<Client>> = Mutex::new(None);

/// Asks the address with HEAD. Any answer is a yes, an error page too; the error says in words why
/// there was none.
pub async fn answers(api_url: &str) -> Result<(), String> {
    let url = service_address(api_url).map_err(|refused| refused.to_string())?;
    let (client, is_https) = (client_for(&url)?, url.scheme() == "https");
    let host = url.host_str().unwrap_or_default().to_owned();
    match client.head(url).send().await {
        Ok(_) => {
            if is_https {
                keep(Some(client));
            }
            Ok(())
        }
        Err(error) if error.is_timeout() => {
            Err(format!("{host} gave no answer within {} s", PATIENCE.as_secs()))
        }
        Err(error) => {
            // Its certificate may be one that was installed meanwhile.
            keep(None);
            Err(format!("{host}: {}", cause_in_words(&error)))
        }
    }
}

fn client_for(url: &Url) -> Result<Client, String> {
    let is_https = url.scheme() == "https";
    let kept = TRUSTING.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(kept) = kept.filter(|_| is_https) {
        return Ok(kept);
    }
    let client = http::client().map_err(|error| error.to_string())?;
    let client = client.timeout(PATIENCE).redirect(redirect::Policy::none());
    let client = if is_https {
        client.tls_backend_preconfigured(unresumed().map_err(|error| error.to_string())?)
    } else {
        client.tls_certs_only([])
    };
    client.build().map_err(|error| error.to_string())
}

/// Who goes on with an earlier session is shown no certificate, and would not see that it has expired.
fn unresumed() -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?;
    let mut config = builder.with_platform_verifier()?.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn keep(client: Option<Client>) {
    *TRUSTING.lock().unwrap_or_else(PoisonError::into_inner) = client;
}
