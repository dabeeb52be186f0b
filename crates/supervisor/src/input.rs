//! Everything that reaches the loop, and the way to send it there.

use std::collections::BTreeMap;

use protocol::{
    AgentRelease, ApiError, ConfigText, Preferences, PreferencesChange, RunId, RunnerName,
    RunnerSpec, Stopping, TokenStore,
};
use secrecy::SecretString;
use supervisor_core::{Event, Wish};
use tokio::sync::{mpsc, oneshot};

use crate::token::{GivenFor, TokenPlace};

pub(crate) type Reply<T> = oneshot::Sender<Result<T, ApiError>>;

pub(crate) enum Input {
    Event(Event),
    /// Something in a run directory changed, or one of its locks was released.
    Touched(RunId),
    /// An installation, by its number.
    InstallAdvanced(u64, protocol::Install),
    InstallEnded(u64, crate::downloads::Installed),
    /// The token of a runner that is to be started was read, and its agent checked.
    ReadyToStart(RunnerName, Box<crate::start_run::Ingredients>),
    /// What these settings need for a start could not be had.
    NotReady(RunnerName, Box<crate::settings::RunnerSettings>, Box<protocol::Problem>),
    /// Too much happened at once for the kernel to tell of it all.
    NewsLost,
    AlarmWentOff,
    /// The file of this program was touched.
    ProgramTouched,
    /// Enough time has passed since.
    ProgramSettled,
    SettingsTouched,
    /// What was wrong with the history may be mended.
    HistoryAgain,
    Wish(Wish, Reply<()>),
    /// `new_token`: another token than before is stored.
    SetUp {
        name: RunnerName,
        spec: RunnerSpec,
        new_token: bool,
        reply: Reply<Vec<String>>,
    },
    Remove(RunnerName, Reply<()>),
    TokenChanged {
        name: RunnerName,
        reply: Reply<()>,
    },
    /// The stored token is another now: one that was created for it, with this id.
    TokenStored {
        name: RunnerName,
        id: String,
        reply: Reply<()>,
    },
    /// A call came to a rotation of this runner's token, or left it.
    RotationAttended(RunnerName, bool),
    /// The record of a rotation changed.
    RotationsTouched,
    /// Whether the agent with the stored token has had a claim answered.
    Proven(RunnerName, Reply<bool>),
    /// A copy of the token may be in this store too; none: it is gone.
    TokenCopy(RunnerName, Option<TokenStore>, Reply<()>),
    /// The token is in this store from now on, and may be in the one before too.
    TokenIsIn(RunnerName, TokenStore, Reply<()>),
    Config(RunnerName, Reply<ConfigText>),
    Preferences(Reply<Preferences>),
    Prefer(PreferencesChange, Reply<Preferences>),
    /// The owner has seen all notices up to this one.
    SeenNotices(u64, Reply<()>),
    /// What came of a notice that was shown.
    NoticeEnded(Box<supervisor_core::NewNotice>, host::notification::End),
    /// What came of asking the system, the so manieth time, to keep the machine awake.
    Awake(u64, Result<host::awake::Awake, String>),
    Agents(Reply<Vec<AgentRelease>>),
    /// Where a runner keeps its token and what it is registered with.
    Registered(RunnerName, Reply<Option<Registered>>),
    /// The same of every runner.
    AllRegistered(Reply<BTreeMap<RunnerName, Registered>>),
    /// The run whose log is asked for; nothing where the runner has none.
    LogOf(RunnerName, WhichRun, Reply<Option<crate::logs::LogSource>>),
    Cleanup(crate::cleanup::CleanupCall),
    Preinstall(crate::preinstall::PreinstallCall),
    CleanupEnded(Box<crate::cleanup::Ended>),
    DisksSeen(Vec<supervisor_core::VolumeFacts>),
    /// What was set aside long enough goes for good.
    SweepTrash,
    TrashSwept(crate::cleanup::Swept),
    /// What of a clean-up was put back.
    PutBack(Box<protocol::CleanupReceipt>, protocol::Undone, Reply<protocol::Undone>),
    /// With what was measured of them.
    WorkDirsSeen(Vec<protocol::WorkDir>, crate::cleanup::Sizes),
    /// How far it is, for somebody who waits.
    WorkDirsMeasuring(protocol::CleanupRuns),
    WorkDirsMeasured,
    Watchers(i32),
    SampleNow(oneshot::Sender<()>),
    Stop(Reply<Stopping>),
    /// The process is asked to end.
    Signal(&'static str),
}

/// A run of a runner, as a reader of logs knows it. Runs are deleted in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WhichRun {
    Newest,
    /// This one and no other.
    Named(RunId),
    /// This one, or where it is gone the one after it.
    OrAfter(RunId),
    /// This one, or where it is gone the one before it.
    OrBefore(RunId),
}

/// What the keychain needs to know of a runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registered {
    pub(crate) token_store: TokenStore,
    pub(crate) token_copy: Option<TokenStore>,
    pub(crate) resource_class: protocol::ResourceClass,
    pub(crate) api_url: String,
    pub(crate) releases_url: String,
    pub(crate) working_directory: std::path::PathBuf,
    /// Grows with every token that is stored.
    pub(crate) token_number: u64,
    /// CircleCI's id of the stored token, where we created it.
    pub(crate) token_id: Option<String>,
}

impl Registered {
    pub(crate) fn token_place(&self) -> TokenPlace {
        let class = self.resource_class.as_str();
        let given_for = GivenFor::new(class, &self.api_url, &self.releases_url);
        TokenPlace { store: self.token_store, given_for }
    }
}

/// A token on its way; has no Debug of its own.
pub(crate) type Token = SecretString;

/// Sends to the loop. Fails only when the supervisor is ending.
#[derive(Clone)]
pub(crate) struct Loop(mpsc::UnboundedSender<Input>);

impl Loop {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Input>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    pub(crate) fn send(&self, input: Input) {
        // Without a loop nothing is left to be told.
        let _ = self.0.send(input);
    }

    pub(crate) fn event(&self, event: Event) {
        self.send(Input::Event(event));
    }

    /// Sends a question and waits for its answer.
    pub(crate) async fn ask<T>(
        &self,
        input: impl FnOnce(Reply<T>) -> Input,
    ) -> Result<T, ApiError> {
        let (reply, answer) = oneshot::channel();
        self.send(input(reply));
        answer.await.unwrap_or_else(|_| Err(crate::api::refusal::ending()))
    }
}
