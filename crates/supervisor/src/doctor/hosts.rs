//! The hosts that agents and tasks need, asked all at once; their clocks beside ours.

use std::collections::BTreeMap;
use std::time::Duration;

use doctor::{HostAsked, ProxySetting};
use futures::future::join_all;
use protocol::Finding;

use super::Runners;
use crate::supervisor::now;

/// A host that takes longer serves nobody.
const PATIENCE: Duration = Duration::from_secs(8);

/// Where most teams have their code; which host a job checks out from is known to the job alone.
const CODE_URL: &str = "https://github.com";
const CODE: &str = "code, where yours is on GitHub";

pub(super) async fn ask(reach: &[String], runners: &Runners) -> Vec<Finding> {
    let asked = join_all(wanted(reach, runners).into_iter().map(|(address, what)| async move {
        let always = what != CODE;
        let answer = circleci::reach(&address, PATIENCE).await;
        let date = answer.as_ref().ok().and_then(|reached| reached.date);
        let time = date.map(|theirs| (theirs, now()));
        (HostAsked { address, what, always, answer: answer.map(|reached| reached.status) }, time)
    }))
    .await;
    let proxy = proxy_setting(|name| std::env::var(name).ok());
    let times: Vec<_> = asked.iter().filter_map(|(_, time)| *time).collect();
    let hosts = asked.iter().map(|(asked, _)| doctor::network(asked, &proxy));
    hosts.chain([doctor::proxy(&proxy), doctor::clock(&times)]).collect()
}

/// Addresses, each once, and what they are for.
fn wanted(reach: &[String], runners: &Runners) -> BTreeMap<String, String> {
    if !reach.is_empty() {
        return reach.iter().map(|address| (address.clone(), "asked for".to_owned())).collect();
    }
    let mut wanted = BTreeMap::new();
    let mut add = |address: &str, what: &str| {
        wanted.entry(address.trim_end_matches('/').to_owned()).or_insert_with(|| what.to_owned());
    };
    let cloud =
        runners.is_empty() || runners.values().any(|runner| runner.api_url() == circleci::API_URL);
    if cloud {
        add(circleci::API_URL, "tasks");
        add(circleci::CACHES_URL, "caches and artifacts");
        add(CODE_URL, CODE);
    }
    if runners.is_empty() {
        add(circleci::RELEASES_URL, "the agent's releases");
    }
    for runner in runners.values() {
        add(runner.api_url(), "tasks");
        add(runner.releases_url(), "the agent's releases");
    }
    wanted
}

fn proxy_setting(get: impl Fn(&str) -> Option<String>) -> ProxySetting {
    let set = |names: &[&str]| {
        let named = names.iter().find(|name| get(name).is_some_and(|value| !value.is_empty()));
        named.map(|name| (*name).to_owned())
    };
    ProxySetting {
        https: set(&["HTTPS_PROXY", "https_proxy"]),
        all: set(&["ALL_PROXY", "all_proxy"]).is_some(),
        http: set(&["HTTP_PROXY", "http_proxy"]).is_some(),
        none: set(&["NO_PROXY", "no_proxy"]).and_then(|name| get(&name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_set_up_circlecis_own_hosts_are_asked_and_those_named_instead_where_some_are() {
        let own = wanted(&[], &Runners::new());
        assert_eq!(own.values().filter(|what| *what != CODE).count(), 3, "{own:?}");
        assert_eq!(own.get(CODE_URL).map(String::as_str), Some(CODE));
        assert!(own.keys().all(|address| address.starts_with("https://")), "{own:?}");
        let named = wanted(&["http://127.0.0.1:9".into()], &Runners::new());
        assert_eq!(named.into_keys().collect::<Vec<_>>(), ["http://127.0.0.1:9"]);
    }

    #[test]
    fn proxies_are_told_by_their_variables_and_never_by_their_values() {
        let setting = proxy_setting(|name| match name {
            "https_proxy" => Some("http://me:hunter2@proxy:3128".into()),
            "no_proxy" => Some("localhost".into()),
            "HTTP_PROXY" => Some(String::new()),
            _ => None,
        });
        assert_eq!(setting.https.as_deref(), Some("https_proxy"));
        assert_eq!((setting.http, setting.none.as_deref()), (false, Some("localhost")));
        assert!(!format!("{setting:?}").contains("hunter2"));
    }
}
