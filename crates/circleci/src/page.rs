//! Which pages may be opened in a browser: by https at CircleCI, or at a server that a runner works for. What
//! a pipeline or a server chose leads nowhere else.

use url::Url;

/// Where CircleCI's cloud has its pages.
const CLOUD: [&str; 2] = ["circleci.com", "app.circleci.com"];

/// Why a link is not opened, as a sentence without its full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAPage {
    #[error("It is not a web address")]
    NoAddress,
    #[error("It has a user name in it")]
    HasUser,
    #[error("It does not begin with https")]
    NotHttps,
    #[error("No runner works for {0}")]
    Elsewhere(String),
}

/// The address to open for `link`. `servers` are the API addresses of runners. Builds for tests also open
/// pages of this machine by http.
pub fn page<S: AsRef<str>>(link: &str, servers: &[S]) -> Result<Url, NotAPage> {
    let url = Url::parse(link).map_err(|_| NotAPage::NoAddress)?;
    let host = url.host_str().unwrap_or_default();
    if !url.username().is_empty() || url.password().is_some() {
        return Err(NotAPage::HasUser);
    }
    let is_served = || servers.iter().any(|server| is_page_host(host, server.as_ref()));
    match url.scheme() {
        "https" if CLOUD.contains(&host) || is_served() => Ok(url),
        "https" => Err(NotAPage::Elsewhere(host.to_owned())),
        "http" if cfg!(debug_assertions) && is_this_machine(host) => Ok(url),
        _ => Err(NotAPage::NotHttps),
    }
}

/// A server's pages are at its own host, or where its API is at `runner.X`, at `X` and `app.X`.
fn is_page_host(host: &str, server: &str) -> bool {
    let Ok(server) = Url::parse(server) else { return false };
    let server = server.host_str().unwrap_or_default();
    let site = server.strip_prefix("runner.");
    host == server || site.is_some_and(|site| host == site || host == format!("app.{site}"))
}

fn is_this_machine(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVERS: [&str; 3] =
        ["https://runner.circleci.com", "http://runner.ci.acme.example:8123", "no address"];

    #[test]
    fn pages_of_circleci_and_of_a_runners_server_are_opened() {
        for link in [
            "https://app.circleci.com/pipelines/github/acme/web-app/812/workflows/0d0c/jobs/1482",
            "https://circleci.com/gh/acme/web-app/1482",
            "https://ci.acme.example/gh/acme/web-app/1482",
            "https://app.ci.acme.example/gh/acme/web-app/1482",
            "https://runner.ci.acme.example:8443/gh/acme/web-app/1482",
        ] {
            assert_eq!(page(link, &SERVERS).map(String::from).as_deref(), Ok(link));
        }
    }

    #[test]
    fn nothing_else_is() {
        use NotAPage::{Elsewhere, HasUser, NoAddress, NotHttps};
        let elsewhere = |host: &str| Elsewhere(host.to_owned());
        for (link, why) in [
            ("", NoAddress),
            ("app.circleci.com/gh/a/b/1", NoAddress),
            ("https:///", NoAddress),
            ("http://app.circleci.com/gh/a/b/1", NotHttps),
            ("http://runner.ci.acme.example:8123/build/1", NotHttps),
            ("http://10.0.0.1/", NotHttps),
            ("file:///etc/passwd", NotHttps),
            ("javascript:alert(1)//app.circleci.com", NotHttps),
            ("x-apple.systempreferences:com.apple.preference.security", NotHttps),
            ("https://app.circleci.com@evil.example/", HasUser),
            ("https://me@app.circleci.com/", HasUser),
            ("https://you:secret@app.circleci.com/1", HasUser),
            ("https://app.circleci.com.evil.example/", elsewhere("app.circleci.com.evil.example")),
            ("https://evil.example/?https://app.circleci.com/", elsewhere("evil.example")),
            ("https://evilcircleci.com/", elsewhere("evilcircleci.com")),
            ("https://x.app.circleci.com/", elsewhere("x.app.circleci.com")),
            ("https://acme.example/", elsewhere("acme.example")),
            ("https://127.0.0.1/", elsewhere("127.0.0.1")),
        ] {
            assert_eq!(page(link, &SERVERS), Err(why), "{link}");
        }
    }

    #[test]
    fn a_page_of_this_machine_is_opened_by_builds_for_tests_alone() {
        let opens = |link| page(link, &SERVERS).is_ok();
        for link in ["http://127.0.0.1:4040/gh/acme/web-app/1", "http://[::1]:9/build/1"] {
            assert_eq!(opens(link), cfg!(debug_assertions), "{link}");
        }
        assert!(!opens("http://127.0.0.1.evil.example/"));
    }
}
