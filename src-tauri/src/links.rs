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

/// The address to open for `link`, which somebody else wrote. `servers` are the API addresses of this
/// machine's runners.
pub(crate) fn page(link: &str, servers: &[String]) -> Result<Url, Refusal> {
    circleci::page(link, servers).map_err(|why| {
        Refusal::new(
            "link-not-allowed",
            format!("This link is not opened. {why}."),
            "Look the task up in CircleCI.",
        )
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_is_not_opened_says_why() {
        let servers = ["https://runner.ci.acme.example/".to_owned()];
        assert!(page("https://ci.acme.example/gh/acme/web-app/1482", &servers).is_ok());
        let refused = page("https://evil.example/", &servers).expect_err("it is elsewhere");
        assert_eq!(refused.title, "This link is not opened. No runner works for evil.example.");
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
