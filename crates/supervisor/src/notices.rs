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

/// One that nobody answers is left to the desktop after this long.
const PATIENCE: Duration = Duration::from_mins(10);
/// So many wait for an answer at once; of more the oldest is left to the desktop.
const MOST: usize = 8;

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
        may_open(link, &servers).then(|| link.clone())
    }
}

/// What a pipeline chose is opened only where it leads by https to CircleCI, or to a server of the
/// owner's own: to its host, or where that is `runner.X`, to `X` and `app.X`. Builds for tests also open
/// pages of this machine by http.
fn may_open(link: &str, servers: &[&str]) -> bool {
    const CLOUD: [&str; 2] = ["circleci.com", "app.circleci.com"];
    let Ok(link) = url::Url::parse(link) else { return false };
    let Some(host) = link.host_str() else { return false };
    if !link.username().is_empty() || link.password().is_some() {
        return false;
    }
    let is_page_host = |server: &url::Url| {
        let server = server.host_str().unwrap_or_default();
        let site = server.strip_prefix("runner.");
        host == server || site.is_some_and(|site| host == site || host == format!("app.{site}"))
    };
    let mut servers = servers.iter().filter_map(|server| url::Url::parse(server).ok());
    match link.scheme() {
        "https" => CLOUD.contains(&host) || servers.any(|server| is_page_host(&server)),
        "http" => cfg!(debug_assertions) && ["127.0.0.1", "localhost", "[::1]"].contains(&host),
        _ => false,
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
    let mut child = tokio::process::Command::new(crate::program::path()?)
        .arg("notify")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    // It stays open as long as we wait: a child whose supervisor is gone ends.
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
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    let end = notification.show();
    Ok(serde_json::to_writer(std::io::stdout().lock(), &end)?)
}

/// The app, where it lies beside us.
fn open_window() {
    let app = crate::program::path().map(|program| program.with_file_name("runner-tray"));
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

#[cfg(test)]
mod tests {
    use super::may_open;

    #[test]
    fn only_circleci_s_pages_and_those_of_ones_own_server_are_opened() {
        let servers = ["https://runner.circleci.com", "http://runner.ci.acme.example:8123"];
        for link in [
            "https://app.circleci.com/pipelines/1",
            "https://circleci.com/gh/acme/web/1",
            "https://runner.ci.acme.example/build/1",
            "https://app.ci.acme.example/build/1",
        ] {
            assert!(may_open(link, &servers), "{link}");
        }
        for link in [
            "http://app.circleci.com/1",
            "http://runner.ci.acme.example:8123/build/1",
            "https://evil.circleci.com/1",
            "https://circleci.com.evil.example/1",
            "https://evilcircleci.com/1",
            "https://you:secret@app.circleci.com/1",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "http://10.0.0.1/",
            "no address",
        ] {
            assert!(!may_open(link, &servers), "{link}");
        }
        assert_eq!(may_open("http://127.0.0.1:9/build/1", &[]), cfg!(debug_assertions));
    }
}
