//! Notices: kept in the history, shown by a short-lived child where the supervisor is the one to show
//! them, and what somebody chose on one, done. Where nobody shows them nothing breaks.

use std::collections::VecDeque;
use std::process::{Command, Stdio};
use std::time::Duration;

use host::notification::{End, Notification};
use protocol::{ApiError, NoticeAbout, NoticeOffer, PauseBy, RunnerName};
use supervisor_core::{Event, NewNotice, Wish};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::AbortHandle;

use crate::api::refusal;
use crate::input::Input;
use crate::supervisor::Supervisor;

/// One that is still there after this long is closed, and read in the window; many desktops keep one for ever.
const PATIENCE: Duration = Duration::from_hours(12);
/// So many wait for an answer at once, each with a process; of more the oldest is closed.
const MOST: usize = 8;
/// How long a child whose supervisor does not wait any more may take to close what it shows.
const LAST_WORD: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(crate) struct Shown {
    waiting: VecDeque<AbortHandle>,
    /// Nobody shows them: said once.
    nobody: bool,
}

impl Supervisor {
    /// At start: what was told before is not told again.
    pub(crate) fn read_notices(&mut self) {
        let known = self.records.notices();
        let (seen, before) = known.map_or((None, Vec::new()), |(seen, all)| (Some(seen), all));
        self.event(Event::NoticesKept { seen, before });
    }

    pub(crate) fn tell(&mut self, notice: NewNotice) {
        tracing::info!(title = notice.title, "a notice");
        let seen = self.records.notice(&notice);
        self.see_to_history();
        if seen.is_some() {
            self.event(Event::NoticesKept { seen, before: Vec::new() });
        }
        if host::SHOWS_NOTIFICATIONS {
            self.show(notice);
        }
    }

    fn show(&mut self, notice: NewNotice) {
        self.notices.waiting.retain(|shown| !shown.is_finished());
        if self.notices.waiting.len() >= MOST
            && let Some(oldest) = self.notices.waiting.pop_front()
        {
            oldest.abort();
        }
        let to_loop = self.to_loop.clone();
        let shown = tokio::spawn(async move {
            let notification = notification(&notice);
            let end = match tokio::time::timeout(PATIENCE, exchange(&notification)).await {
                Ok(Ok(end)) => end,
                Ok(Err(error)) => End::NotShown(format!("{error:#}")),
                Err(_) => End::Closed,
            };
            to_loop.send(Input::NoticeEnded(Box::new(notice), end));
        });
        self.notices.waiting.push_back(shown.abort_handle());
    }

    pub(crate) fn seen_notices(&mut self, up_to: u64) -> Result<(), ApiError> {
        let seen = self.records.seen_notices(up_to);
        self.see_to_history();
        if seen.is_none() {
            let why = self.records.trouble().unwrap_or("the history cannot be used").to_owned();
            return Err(refusal::cannot_save(&why));
        }
        self.event(Event::NoticesKept { seen, before: Vec::new() });
        self.settle();
        Ok(())
    }

    /// Somebody at the screen did something with it.
    pub(crate) fn notice_ended(&mut self, notice: &NewNotice, end: &End) {
        let offer = match end {
            End::Closed => return,
            End::NotShown(why) => {
                if !std::mem::replace(&mut self.notices.nobody, true) {
                    tracing::info!(why, "nobody shows notifications in this session");
                }
                return;
            }
            End::Clicked => Some(NoticeOffer::Details),
            End::Chosen(key) => notice.offers.iter().copied().find(|offer| offer.key() == key),
        };
        self.notices.nobody = false;
        match offer {
            Some(NoticeOffer::Resume) => self.resume_for(notice.runner.as_ref()),
            Some(NoticeOffer::Open) => match self.link_of(notice) {
                Some(link) => open(host::OPENER.as_ref(), &[&link]),
                None => open_window(),
            },
            Some(NoticeOffer::Details) => open_window(),
            Some(NoticeOffer::Other) | None => {}
        }
    }

    fn resume_for(&mut self, runner: Option<&RunnerName>) {
        let known = self.core.snapshot().runners.iter().map(|known| known.name.clone());
        let runners: Vec<RunnerName> = match runner {
            Some(runner) => vec![runner.clone()],
            None => known.collect(),
        };
        for runner in runners {
            tracing::info!(%runner, "resumed, by a notification's button");
            if let Err(refused) = self.wish(Wish::Resume { runner, by: PauseBy::You }) {
                tracing::warn!(?refused, "it was not resumed");
            }
        }
    }

    /// A task's page, where it lies at CircleCI or at the server that gave the task.
    fn link_of(&self, notice: &NewNotice) -> Option<String> {
        let NoticeAbout::TaskEnded { link: Some(link), .. } = &notice.about else { return None };
        let servers = self.settings.iter().flat_map(|settings| settings.runners.values());
        let servers: Vec<&str> = servers.map(crate::settings::RunnerSettings::api_url).collect();
        circleci::page(link, &servers).ok().map(String::from)
    }
}

fn notification(notice: &NewNotice) -> Notification {
    let button = |offer: &NoticeOffer| Some((offer.key().to_owned(), offer.words()?.to_owned()));
    Notification {
        title: notice.title.clone(),
        body: notice.body.clone(),
        buttons: notice.offers.iter().filter_map(button).collect(),
    }
}

async fn exchange(notification: &Notification) -> anyhow::Result<End> {
    let mut child = tokio::process::Command::new(host::this_program()?)
        .arg("notify")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    // It stays open as long as we wait: a child that is waited for no more closes what it shows, and ends.
    let mut stdin = child.stdin.take();
    if let Some(stdin) = &mut stdin {
        stdin.write_all(format!("{}\n", serde_json::to_string(notification)?).as_bytes()).await?;
    }
    let mut answer = Vec::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_end(&mut answer).await?;
    }
    child.wait().await?;
    Ok(serde_json::from_slice(&answer)?)
}

/// `supervisor notify`: one line of JSON on stdin, which stays open as long as somebody waits.
pub(crate) fn child() -> anyhow::Result<()> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let notification: Notification = serde_json::from_str(&line)?;
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = tell.send(());
        // A desktop that does not answer holds up nobody.
        std::thread::sleep(LAST_WORD);
        std::process::exit(0);
    });
    let end = notification.show_until(async { told.await.unwrap_or_default() });
    Ok(serde_json::to_writer(std::io::stdout().lock(), &end)?)
}

/// The app, where it lies beside us.
fn open_window() {
    let app = host::this_program().map(|program| program.with_file_name("runner-tray"));
    match app {
        Ok(app) if app.is_file() => open(app.as_os_str(), &["--window"]),
        Ok(_) | Err(_) => tracing::info!("the app is not installed beside the supervisor"),
    }
}

fn open(program: &std::ffi::OsStr, arguments: &[&str]) {
    let mut command = Command::new(program);
    command.args(arguments).stderr(Stdio::null());
    let program = program.to_owned();
    tokio::task::spawn_blocking(move || {
        // Whoever started with the login began before the desktop, and has no display of its own.
        command.envs(host::display_of_session());
        host::detach(&mut command);
        // Tokio waits for it when it ends.
        match tokio::process::Command::from(command).spawn() {
            Ok(_) => tracing::info!(?program, "opened, from a notification"),
            Err(error) => tracing::warn!(?program, %error, "cannot be opened"),
        }
    });
}
