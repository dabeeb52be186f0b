//! Where a task can be seen in a browser, and whose it is, as far as its `build_uri` tells.
//! Never hands on anything that is not a plain http or https address.

use serde::{Deserialize, Serialize};
use url::Url;

/// A task's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub url: String,
    /// `org/repo`; for projects of CircleCI's own kind (`circleci/...`) these are ids. None = unknown.
    pub project: Option<String>,
    /// The job's number within the project. None = unknown.
    pub build_number: Option<u64>,
}

/// What an address may name a project's host with, before `org/repo`.
const HOSTS: [&str; 7] = ["gh", "github", "bb", "bitbucket", "gl", "gitlab", "circleci"];

/// `build_uri` as a link; None unless it is http or https without user name and password.
///
/// Known forms (the first was seen in an agent's log, the others in the web application):
/// `https://circleci.com/gh/org/repo/123`, `https://app.circleci.com/jobs/gh/org/repo/123`,
/// `https://app.circleci.com/pipelines/gh/org/repo/9/workflows/ID/jobs/123`. Any other form is a
/// link without project and number.
pub fn link(build_uri: &str) -> Option<Link> {
    let url = Url::parse(build_uri.trim()).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    if !is_web || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let parts: Vec<&str> = url.path_segments().into_iter().flatten().collect();
    let (project, build_number) = project_and_number(&parts).unwrap_or((None, None));
    Some(Link { url: url.clone().into(), project, build_number })
}

fn project_and_number(parts: &[&str]) -> Option<(Option<String>, Option<u64>)> {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    let (parts, in_pipeline) = match parts.split_first()? {
        (&"pipelines", rest) => (rest.to_vec(), true),
        (&"jobs", rest) => (rest.to_vec(), false),
        _ => (parts, false),
    };
    let [host, org, repo, rest @ ..] = parts.as_slice() else { return None };
    if !HOSTS.contains(host) {
        return None;
    }
    let number = if in_pipeline {
        let after_jobs = rest.iter().position(|part| *part == "jobs").map(|at| at + 1);
        after_jobs.and_then(|at| rest.get(at))
    } else {
        rest.first()
    };
    Some((Some(format!("{org}/{repo}")), number.and_then(|number| number.parse().ok())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(uri: &str) -> Option<(Option<String>, Option<u64>)> {
        link(uri).map(|link| (link.project, link.build_number))
    }

    #[test]
    fn known_forms_give_project_and_number() {
        let web_app = |number| Some((Some("acme/web-app".to_owned()), number));
        for uri in [
            "https://circleci.com/gh/acme/web-app/123",
            "https://circleci.com/bb/acme/web-app/123?utm=x#tests",
            "https://circleci.example.com:8443/github/acme/web-app/123/",
            "http://127.0.0.1:4040/gh/acme/web-app/123",
            "https://circleci.com/circleci/acme/web-app/123",
            "https://app.circleci.com/jobs/gh/acme/web-app/123",
            "https://app.circleci.com/pipelines/github/acme/web-app/9/workflows/0e7b-4/jobs/123",
            "https://app.circleci.com/pipelines/circleci/acme/web-app/9/workflows/0e7b-4/jobs/123/steps",
        ] {
            assert_eq!(parts(uri), web_app(Some(123)), "{uri}");
        }
        assert_eq!(parts("https://circleci.com/gh/acme/web-app"), web_app(None));
        assert_eq!(parts("https://app.circleci.com/pipelines/gh/acme/web-app/9"), web_app(None));
    }

    #[test]
    fn an_unknown_form_is_a_link_and_nothing_more() {
        for uri in [
            "https://circleci.com/",
            "https://ci.example.com/builds/7",
            "https://circleci.com/gh/acme",
        ] {
            assert_eq!(parts(uri), Some((None, None)), "{uri}");
        }
    }

    #[test]
    fn only_web_addresses_become_links() {
        for uri in [
            "",
            "circleci.com/gh/a/b/1",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "data:text/html,x",
            "x-apple.systempreferences:",
            "https://user:secret@circleci.com/gh/a/b/1",
            "/gh/a/b/1",
        ] {
            assert_eq!(link(uri), None, "{uri}");
        }
    }

    proptest! {
        #[test]
        fn whatever_becomes_a_link_is_http_or_https(uri in "\\PC{0,60}|https?://[a-z0-9./:@%-]{0,60}") {
            if let Some(link) = link(&uri) {
                prop_assert!(link.url.starts_with("http://") || link.url.starts_with("https://"));
            }
        }
    }
}
