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
    client_in(|name| env::var(name).ok())
}

fn client_in(environment: impl Fn(&str) -> Option<String>) -> Result<ClientBuilder, ReleaseError> {
    let builder = Client::builder()
        .user_agent(concat!("runner-tray/", env!("CARGO_PKG_VERSION")))
        // A kept connection may be closing just when it is used again.
        .pool_max_idle_per_host(0)
        .redirect(redirect::Policy::custom(follow_safely))
        .no_proxy();
    let first_of = |names: &[&'static str]| {
        names.iter().find_map(|name| {
            let value = environment(name)?.trim().to_owned();
            (!value.is_empty()).then_some((*name, value))
        })
    };
    let Some((variable, proxy)) = first_of(&PROXY_VARIABLES) else { return Ok(builder) };
    let proxy = Proxy::https(proxy).map_err(|_| ReleaseError::Proxy { variable })?;
    let none = first_of(&NO_PROXY_VARIABLES).map_or_else(String::new, |(_, none)| none);
    let none = NoProxy::from_string(&format!("{none},{THIS_MACHINE}"));
    Ok(builder.proxy(proxy.no_proxy(none)))
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

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener};
    use std::sync::mpsc::{Sender, channel};
    use std::thread;

    use super::*;

    /// Takes connections, says so and closes them.
    fn listener(name: &'static str, called: Sender<&'static str>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for connection in listener.incoming() {
                drop(connection);
                if called.send(name).is_err() {
                    break;
                }
            }
        });
        address
    }

    /// Who is connected to for `url`, where these variables are set.
    fn reached(url: &str, variables: &[(&str, &str)]) -> &'static str {
        let (called, calls) = channel();
        let proxy = listener("proxy", called.clone());
        let server = listener("server", called);
        let client = client_in(|name| {
            let value = variables.iter().find(|(known, _)| *known == name)?.1;
            Some(value.replace("PROXY", &proxy.to_string()))
        });
        let client = client.unwrap().resolve("releases.example", server).build().unwrap();
        let url = format!("{url}:{}", server.port());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(client.get(url).send()).unwrap_err();
        calls.recv().unwrap()
    }

    #[test]
    fn https_goes_by_the_proxy_unless_the_host_is_excepted() {
        let far = "https://releases.example";
        for (url, variables, who) in [
            (far, &[][..], "server"),
            (far, &[("HTTPS_PROXY", "http://PROXY")], "proxy"),
            (far, &[("https_proxy", "PROXY")], "proxy"),
            (far, &[("ALL_PROXY", "http://PROXY")], "proxy"),
            (far, &[("HTTPS_PROXY", ""), ("all_proxy", "http://PROXY")], "proxy"),
            (far, &[("HTTP_PROXY", "http://PROXY")], "server"),
            (
                far,
                &[("HTTPS_PROXY", "http://PROXY"), ("NO_PROXY", "x, releases.example")],
                "server",
            ),
            (far, &[("HTTPS_PROXY", "http://PROXY"), ("no_proxy", ".example")], "server"),
            (far, &[("HTTPS_PROXY", "http://PROXY"), ("NO_PROXY", "*")], "server"),
            (far, &[("HTTPS_PROXY", "http://PROXY"), ("NO_PROXY", "es.example")], "proxy"),
            ("https://127.0.0.1", &[("HTTPS_PROXY", "http://PROXY")], "server"),
            ("https://localhost", &[("ALL_PROXY", "http://PROXY")], "server"),
            ("http://127.0.0.1", &[("ALL_PROXY", "http://PROXY")], "server"),
            ("http://127.0.0.1", &[("HTTP_PROXY", "http://PROXY")], "server"),
        ] {
            assert_eq!(reached(url, variables), who, "{url} {variables:?}");
        }
    }
}
