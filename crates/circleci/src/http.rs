//! The web as the product reaches it: https with the system's roots and through the environment's
//! proxy, plain http to this machine alone and never through a proxy, redirects held to the same.

use std::env;

use reqwest::{Client, ClientBuilder, NoProxy, Proxy, redirect};

use crate::{AddressRefused, ReleaseError, address};

const REDIRECTS: usize = 5;

/// The first that is set counts. `HTTP_PROXY` is not among them: plain http never leaves this machine.
const PROXY_VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const NO_PROXY_VARIABLES: [&str; 2] = ["NO_PROXY", "no_proxy"];
/// What no proxy may ever stand before, in the form of `NO_PROXY`.
const THIS_MACHINE: &str = "localhost,127.0.0.0/8,::1";

/// To be finished with what one kind of call needs.
pub(crate) fn client() -> Result<ClientBuilder, ReleaseError> {
    let builder = Client::builder()
        .user_agent(concat!("runner-tray/", env!("CARGO_PKG_VERSION")))
        // A kept connection may be closing just when it is used again.
        .pool_max_idle_per_host(0)
        .redirect(redirect::Policy::custom(follow_safely))
        .no_proxy();
    let Some((variable, proxy)) = first_of(&PROXY_VARIABLES) else { return Ok(builder) };
    let proxy = Proxy::https(proxy).map_err(|_| ReleaseError::Proxy { variable })?;
    let none = first_of(&NO_PROXY_VARIABLES).map_or_else(String::new, |(_, none)| none);
    let none = NoProxy::from_string(&format!("{none},{THIS_MACHINE}"));
    Ok(builder.proxy(proxy.no_proxy(none)))
}

fn first_of(names: &[&'static str]) -> Option<(&'static str, String)> {
    names.iter().find_map(|name| {
        let value = env::var(name).ok()?;
        (!value.trim().is_empty()).then(|| (*name, value.trim().to_owned()))
    })
}

fn follow_safely(attempt: redirect::Attempt<'_>) -> redirect::Action {
    if attempt.previous().len() > REDIRECTS {
        return attempt.error("too many redirects");
    }
    if address::is_safe(attempt.url()) {
        return attempt.follow();
    }
    let address = attempt.url().to_string();
    attempt.error(AddressRefused::NotSafe { address })
}
