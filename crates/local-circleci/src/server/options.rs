//! What a server is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::control::UserApi;

/// Where a token comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// This one.
    Given(String),
    /// The file's, or a new random one that is written there (0600).
    InFile(PathBuf),
    /// The state folder's own file, treated the same.
    Kept,
}

/// What a server is started with; the default is a scratch server on any free port.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Loopback only; port 0 = any free one.
    pub addr: SocketAddr,
    /// Where tasks, output and tokens are kept. `None`: nowhere, gone with the server.
    pub state: Option<PathBuf>,
    /// `namespace/name` and the token that runners of that class use.
    pub resource_classes: Vec<(String, TokenSource)>,
    /// Namespaces that may be seen though they have no resource class yet.
    pub namespaces: Vec<String>,
    pub personal_token: TokenSource,
    /// Which form of the user API is spoken.
    pub user_api: UserApi,
    /// Versions of `circleci-runner` to offer; the last is `current`.
    pub releases: Vec<String>,
    /// What build links start with. `None`: the server itself, which has a page for each build.
    pub web_url: Option<String>,
    /// What runner and task agent are told, see [`crate::Variant`].
    pub variant: String,
    /// Where `circleci-runner` and `circleci-agent` lie. `None`: beside the running executable, or
    /// one folder above it (tests).
    pub binaries: Option<PathBuf>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            state: None,
            resource_classes: Vec::new(),
            namespaces: Vec::new(),
            personal_token: TokenSource::Kept,
            user_api: UserApi::default(),
            releases: vec!["3.1.11".to_owned()],
            web_url: Some(CIRCLECI.to_owned()),
            variant: String::new(),
            binaries: None,
        }
    }
}

impl ServerOptions {
    /// The default with one resource class, whose token is random.
    pub fn with_class(class: &str) -> Self {
        Self { resource_classes: vec![(class.to_owned(), TokenSource::Kept)], ..Self::default() }
    }
}

/// Build links of CircleCI start so (`build_uri` in a task agent's lines). Nothing here opens them.
pub(super) const CIRCLECI: &str = "https://circleci.com";
