//! Which addresses the product may speak to: https anywhere, plain http only on this machine.
//! A token or a program must never cross a network in the clear.

use url::{Host, Url};

/// Why an address was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefused {
    #[error(
        "\"{address}\" is not a web address ({reason}). Give one like https://example.com/path."
    )]
    NotAnAddress { address: String, reason: String },
    #[error(
        "{address} is neither https nor plain http on this machine. Give an https:// address; http:// is \
         taken only for localhost, 127.0.0.1 and [::1]."
    )]
    NotSafe { address: String },
}

/// `text` as an address that may be used for releases, for the agent API and for tokens.
///
/// Neither user information nor a fragment is taken along; both have no place in a service's
/// address and the first would end up in messages.
pub fn service_address(text: &str) -> Result<Url, AddressRefused> {
    let refuse = |reason: String| AddressRefused::NotAnAddress { address: text.to_owned(), reason };
    let mut url = Url::parse(text.trim()).map_err(|error| refuse(error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        url.set_username("").ok();
        url.set_password(None).ok();
        return Err(AddressRefused::NotAnAddress {
            address: url.into(),
            reason: "it carried a user name or a password".to_owned(),
        });
    }
    url.set_fragment(None);
    if is_safe(&url) { Ok(url) } else { Err(AddressRefused::NotSafe { address: url.into() }) }
}

pub(crate) fn is_safe(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_loopback(url),
        _ => false,
    }
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_is_taken_anywhere_and_http_only_on_this_machine() {
        for taken in [
            "https://runner.circleci.com",
            "http://127.0.0.1:8080/releases",
            "http://localhost:1",
            "http://[::1]:9/x",
        ] {
            assert!(service_address(taken).is_ok(), "{taken}");
        }
        for refused in [
            "http://runner.circleci.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://10.0.0.1",
            "file:///etc/passwd",
            "ftp://localhost/",
            "runner.circleci.com",
            "",
        ] {
            assert!(service_address(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_refused_and_not_repeated() {
        let refused = service_address("https://me:hunter2@example.com/").unwrap_err();
        assert!(!refused.to_string().contains("hunter2"), "{refused}");
    }
}
