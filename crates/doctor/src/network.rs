//! Hosts that must be reached, and the proxy that may stand between.

use circleci::NotReached;
use protocol::{Check, Finding, Level};

/// A host, and what came of asking it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostAsked {
    /// Its address, as it was asked.
    pub address: String,
    /// What it is for: "CircleCI's runner API".
    pub what: String,
    /// Whether every task needs it; another is a warning at most.
    pub always: bool,
    /// The status it answered with.
    pub answer: Result<u16, NotReached>,
}

pub fn network(asked: &HostAsked, proxy: &ProxySetting) -> Finding {
    let subject = format!("{} ({})", asked.address, asked.what);
    let finding =
        |level, reading: String| Finding::new(Check::Network, level, subject.clone(), reading);
    let level = if asked.always { Level::Bad } else { Level::Warn };
    let bad = |reading: String| finding(level, reading);
    match &asked.answer {
        Ok(407) => bad("the proxy wants a user and a password (status 407)".into())
            .mend("Put them into HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT"),
        // Without a token a refusal is the right answer; it shows that the host is there.
        Ok(status) => finding(Level::Ok, format!("answers (status {status})")),
        Err(NotReached::Address(why)) => bad(why.clone())
            .mend("Mend the address where it was given: --reach, or `runnerctl setup --api-url` and `--releases-url`."),
        Err(NotReached::Proxy(why)) => bad(why.clone())
            .mend("Mend the variable where the supervisor gets its environment, and start it again."),
        Err(NotReached::Untrusted(why)) => bad(why.clone()).mend(
            "Check this machine's clock and its certificates. Where a proxy or a server of your own \
             signs, add its authority to the system's, or name it in SSL_CERT_FILE.",
        ),
        Err(NotReached::Silent(patience)) => bad(format!("no answer within {} s", patience.as_secs()))
            .mend(way_out(proxy)),
        Err(NotReached::Failed(why)) => bad(why.clone()).mend(way_out(proxy)),
    }
}

fn way_out(proxy: &ProxySetting) -> String {
    match &proxy.https {
        Some(variable) => format!(
            "Check the network, and whether the proxy in {variable} is the right one and lets this \
             host through."
        ),
        None => {
            "Check the network, its firewall and its name servers; where a proxy is needed, set \
                 HTTPS_PROXY and start the supervisor again."
                .to_owned()
        }
    }
}

/// What the environment says of proxies; their addresses are not repeated, they may hold passwords.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxySetting {
    /// The first variable of those for https that is set.
    pub https: Option<String>,
    /// Whether `ALL_PROXY` is, which we know and the agent does not.
    pub all: bool,
    /// Whether `HTTP_PROXY` is, which nothing of ours goes by.
    pub http: bool,
    /// The value of `NO_PROXY`.
    pub none: Option<String>,
}

pub fn proxy(setting: &ProxySetting) -> Finding {
    let finding =
        |level, reading: String| Finding::new(Check::Proxy, level, "environment", reading);
    let but = setting.none.as_ref().map(|none| format!("; NO_PROXY={none}")).unwrap_or_default();
    match (&setting.https, setting.all, setting.http) {
        (Some(variable), _, _) => finding(Level::Note, format!("{variable} is set{but}")),
        (None, true, _) => {
            finding(Level::Warn, "only ALL_PROXY is set, which the agent does not know".into())
                .mend("Set HTTPS_PROXY to the same and start the supervisor again.")
        }
        (None, false, true) => finding(
            Level::Warn,
            "HTTP_PROXY is set and HTTPS_PROXY is not; CircleCI is https".into(),
        )
        .mend("Set HTTPS_PROXY too, where https needs a proxy, and start the supervisor again."),
        (None, false, false) => finding(Level::Ok, "none is set".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn asked(answer: Result<u16, NotReached>) -> Finding {
        let (address, what) = ("https://runner.circleci.com".into(), "the API".into());
        network(&HostAsked { address, what, always: true, answer }, &ProxySetting::default())
    }

    #[test]
    fn any_answer_of_the_host_itself_is_well_and_every_failure_has_its_own_way_out() {
        for status in [200, 301, 401, 403, 404, 405, 500] {
            assert_eq!(asked(Ok(status)).level, Level::Ok);
        }
        let refused = || "connection refused".to_owned();
        let mut ways = Vec::new();
        for answer in [
            Ok(407),
            Err(NotReached::Address(refused())),
            Err(NotReached::Proxy(refused())),
            Err(NotReached::Untrusted(refused())),
            Err(NotReached::Failed(refused())),
        ] {
            let finding = asked(answer);
            assert_eq!(finding.level, Level::Bad);
            ways.push(finding.mend.unwrap());
        }
        ways.dedup();
        assert_eq!(ways.len(), 5);
        let silent = asked(Err(NotReached::Silent(Duration::from_secs(8))));
        assert!(silent.reading.contains("8 s") && silent.level == Level::Bad);
    }

    #[test]
    fn where_a_proxy_is_set_it_is_named_as_a_cause() {
        let proxied = ProxySetting { https: Some("https_proxy".into()), ..ProxySetting::default() };
        let answer = Err(NotReached::Failed("refused".into()));
        let asked = HostAsked { address: "a".into(), what: "b".into(), always: true, answer };
        assert!(network(&asked, &proxied).mend.unwrap().contains("https_proxy"));
    }

    #[test]
    fn a_host_that_some_tasks_need_is_a_warning() {
        let answer = Err(NotReached::Failed("refused".into()));
        let asked = HostAsked { address: "a".into(), what: "b".into(), always: false, answer };
        assert_eq!(network(&asked, &ProxySetting::default()).level, Level::Warn);
    }

    #[test]
    fn a_proxy_that_the_agent_does_not_know_is_a_warning() {
        let set = |https: Option<&str>, all, http| ProxySetting {
            https: https.map(str::to_owned),
            all,
            http,
            none: Some("localhost".into()),
        };
        for (setting, level) in [
            (set(None, false, false), Level::Ok),
            (set(Some("HTTPS_PROXY"), true, true), Level::Note),
            (set(None, true, false), Level::Warn),
            (set(None, false, true), Level::Warn),
        ] {
            assert_eq!(proxy(&setting).level, level, "{setting:?}");
        }
    }
}
