//! All that is known of CircleCI's machine runner: where it is published, how it is configured, and
//! what its log says. Nothing here may depend on more than CircleCI documents: whatever else a
//! line, a manifest or a link turns out to be, the answer is "unknown", never a guess or a panic.

mod address;
mod answer;
mod config;
mod download;
mod duration;
mod hashing;
mod http;
mod install;
mod installed;
mod intake;
mod link;
mod log_line;
mod meaning;
mod names;
mod other_installs;
mod page;
mod patience;
mod probe;
mod progress;
mod reach;
mod release;
mod release_error;
mod room;
mod unpack;
mod user_api;

pub use address::{AddressRefused, service_address};
pub use config::{API_URL, AgentConfig, ConfigError, LogLevel, TOKEN_VARIABLE};
pub use download::{Check, Releases};
pub use duration::{DurationError, GoDuration};
pub use install::forget_downloads;
pub use installed::{InstalledAgent, Seal, at_hand, installed, verify};
pub use link::{Link, link};
pub use log_line::{LogLine, SpanLine, TaskAgentLine, parse, without_colours};
pub use meaning::{Meaning, meanings};
pub use names::{NameRefused, check_resource_class, check_runner_name};
pub use names::{resource_class_is_valid, runner_name_is_valid};
pub use other_installs::{
    AGENT_PROGRAMS, InstallWay, config_named_in, install_ways, runner_name_in,
};
pub use page::{NotAPage, page};
pub use patience::Patience;
pub use probe::answers;
pub use progress::{Progress, Waits};
pub use reach::{CACHES_URL, NotReached, Reached, reach};
pub use release::{AGENT_BINARY, CURRENT, Manifest, Platform, RELEASES_URL, Release};
pub use release_error::ReleaseError;
pub use user_api::{
    Class, ConnectedAgent, Counts, CreatedToken, ListedToken, Namespace, Surface, UserApi,
    UserApiError,
};
