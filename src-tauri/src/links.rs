//! Which pages may be opened in the browser: those of a closed list, and tasks' pages at CircleCI or at
//! a server that a runner of this machine works for, and what the catalogue says of an item. Nothing here
//! opens one.

use protocol::{Preinstall, Snapshot};
use serde::Deserialize;
use tauri::Url;

use crate::reply::Refusal;

/// Pages that can be opened by name; `DocPage` in `ui/src/answers.ts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DocPage {
    PersonalTokens,
    SelfHostedRunners,
    RunnerSecurity,
    RunnerFaq,
}

impl DocPage {
    pub(crate) fn address(self) -> &'static str {
        match self {
            Self::PersonalTokens => "https://app.circleci.com/settings/user/tokens",
            // The page of an organisation's runners has the organisation in its address.
            Self::SelfHostedRunners => "https://app.circleci.com/",
            Self::RunnerSecurity => "https://circleci.com/docs/runner/runner-overview/",
            Self::RunnerFaq => "https://circleci.com/docs/runner-faqs/",
        }
    }
}

/// Where CircleCI's cloud has its pages.
const CLOUD: [&str; 2] = ["circleci.com", "app.circleci.com"];

/// The address to open for `link`, which somebody else wrote. `servers` are the API addresses of this
/// machine's runners.
///
/// By https only, without a user name in it, at CircleCI or at a runner's own server. Builds for tests
/// also open pages of this machine by http.
pub(crate) fn page(link: &str, servers: &[String]) -> Result<Url, Refusal> {
    let url = Url::parse(link).map_err(|_| not_allowed("It is not a web address"))?;
    let host = url.host_str().unwrap_or_default();
    if !url.username().is_empty() || url.password().is_some() {
        return Err(not_allowed("It has a user name in it"));
    }
    let is_known = CLOUD.contains(&host) || servers.iter().any(|server| is_page_host(host, server));
    match (url.scheme(), is_known) {
        ("https", true) => Ok(url),
        ("http", _) if cfg!(debug_assertions) && is_this_machine(&url) => Ok(url),
        ("https", false) => Err(not_allowed(&format!("No runner works for {host}"))),
        _ => Err(not_allowed("It does not begin with https")),
    }
}

/// The page that the catalogue, or the owner's settings, name for an item: by https only.
pub(crate) fn of_item(known: &Preinstall, item: &str) -> Result<Url, Refusal> {
    let found = known.items.iter().find(|it| it.id == item);
    let link = found.and_then(|it| it.links.first());
    let url = link.and_then(|link| Url::parse(link).ok()).filter(|url| {
        url.scheme() == "https" && url.username().is_empty() && url.password().is_none()
    });
    url.ok_or_else(|| {
        Refusal::new(
            "link-not-allowed",
            "No page that can be opened is known of it.",
            "`runnerctl preinstall list --json` has its links.",
        )
    })
}

/// The API addresses of this machine's runners, where they are not the cloud's.
pub(crate) fn servers(snapshot: &Snapshot) -> Vec<String> {
    snapshot.runners.iter().filter_map(|runner| runner.api_url.clone()).collect()
}

/// A server's pages are at its own host, or where its API is at `runner.X`, at `X` and `app.X`.
fn is_page_host(host: &str, server: &str) -> bool {
    let Some(server) = Url::parse(server).ok().and_then(|url| url.host_str().map(str::to_owned))
    else {
        return false;
    };
    let site = server.strip_prefix("runner.");
    host == server || site.is_some_and(|site| host == site || host == format!("app.{site}"))
}

fn is_this_machine(url: &Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"))
}

fn not_allowed(why: &str) -> Refusal {
    Refusal::new(
        "link-not-allowed",
        format!("This link is not opened. {why}."),
        "Look the task up in CircleCI.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "https://runner.ci.acme.example/";

    fn opens(link: &str) -> bool {
        page(link, &[SERVER.to_owned()]).is_ok()
    }

    #[test]
    fn pages_of_circleci_and_of_a_runners_server_are_opened() {
        for link in [
            "https://app.circleci.com/pipelines/github/acme/web-app/812/workflows/0d0c/jobs/1482",
            "https://circleci.com/gh/acme/web-app/1482",
            "https://ci.acme.example/gh/acme/web-app/1482",
            "https://app.ci.acme.example/gh/acme/web-app/1482",
            "https://runner.ci.acme.example:8443/gh/acme/web-app/1482",
        ] {
            assert!(opens(link), "{link}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for link in [
            "",
            "app.circleci.com/gh/a/b/1",
            "http://app.circleci.com/gh/a/b/1",
            "https://app.circleci.com.evil.example/",
            "https://evil.example/?https://app.circleci.com/",
            "https://app.circleci.com@evil.example/",
            "https://me@app.circleci.com/",
            "https://evilcircleci.com/",
            "https://x.app.circleci.com/",
            "https://acme.example/",
            "file:///etc/passwd",
            "javascript:alert(1)//app.circleci.com",
            "x-apple.systempreferences:com.apple.preference.security",
            "https:///",
        ] {
            assert!(!opens(link), "{link}");
        }
    }

    #[test]
    fn a_page_of_this_machine_is_opened_by_builds_for_tests_alone() {
        assert_eq!(opens("http://127.0.0.1:4040/gh/acme/web-app/1"), cfg!(debug_assertions));
        assert!(!opens("https://127.0.0.1/"));
        assert!(!opens("http://127.0.0.1.evil.example/"));
    }

    #[test]
    fn the_page_of_an_item_is_the_catalogues_and_goes_by_https_alone() {
        let known = |link: &str| {
            let item = serde_json::json!({
                "id": "jq", "title": "jq", "what_for": "Reads JSON.", "links": [link],
                "how": { "kind": "ours", "what": "jq" }, "own": true,
            });
            let all = serde_json::json!({ "items": [item], "presets": [] });
            serde_json::from_value::<Preinstall>(all).expect("a catalogue")
        };
        assert!(of_item(&known("https://jqlang.org/"), "jq").is_ok());
        assert!(of_item(&known("https://jqlang.org/"), "git").is_err());
        for link in ["", "http://jqlang.org/", "file:///etc/passwd", "https://me@jqlang.org/"] {
            assert!(of_item(&known(link), "jq").is_err(), "{link}");
        }
    }

    #[test]
    fn every_page_of_the_list_may_be_opened() {
        for doc in [
            DocPage::PersonalTokens,
            DocPage::SelfHostedRunners,
            DocPage::RunnerSecurity,
            DocPage::RunnerFaq,
        ] {
            assert!(page(doc.address(), &[]).is_ok(), "{}", doc.address());
        }
    }
}
