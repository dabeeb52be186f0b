//! The connection to the supervisor: hears every snapshot, carries wishes, connects again when it is lost.
//! It starts a supervisor when the app starts and when the user asks, and never otherwise.

use std::time::Duration;

use client::{Client, ClientError, Detail};
use futures::StreamExt;
use host::Folders;
use protocol::{KeepAwakeChange, Pause, PreferencesChange, RunnerName};
use tokio::sync::{mpsc, watch};

use crate::controller::{Done, Happened, Supervisor, Wish};
use crate::view::{Notice, Seen};

pub(crate) type News = mpsc::UnboundedSender<Happened>;

/// The controller's end.
pub(crate) struct Orders {
    client: Client,
    news: News,
    starts: mpsc::UnboundedSender<Done>,
    detail: watch::Sender<Detail>,
}

/// The end that listens.
pub(crate) struct Link {
    client: Client,
    folders: Folders,
    news: News,
    starts: mpsc::UnboundedReceiver<Done>,
    detail: watch::Receiver<Detail>,
}

pub(crate) fn new(client: Client, folders: Folders, news: News) -> (Orders, Link) {
    let (ask_start, starts) = mpsc::unbounded_channel();
    let (set_detail, detail) = watch::channel(Detail::Plain);
    let orders = Orders {
        client: client.clone(),
        news: news.clone(),
        starts: ask_start,
        detail: set_detail,
    };
    (orders, Link { client, folders, news, starts, detail })
}

impl Link {
    /// Until the app ends.
    pub(crate) async fn follow(mut self) {
        let mut wait = BackOff::default();
        let mut may_start = true;
        loop {
            let (lost, heard) = self.listen(&mut wait).await;
            // One that answered and went away may have been stopped on purpose.
            let was_never_there = matches!(lost, ClientError::NotReachable { .. }) && !heard;
            if std::mem::take(&mut may_start) && was_never_there {
                self.start().await;
                continue;
            }
            self.tell(Happened::Lost(seen(&lost)));
            tokio::select! {
                () = tokio::time::sleep(wait.next()) => {}
                Some(done) = self.starts.recv() => {
                    wait = BackOff::default();
                    self.start().await;
                    drop(done);
                }
            }
        }
    }

    /// Passes every snapshot on; returns why no more can be had, and whether there was any.
    async fn listen(&mut self, wait: &mut BackOff) -> (ClientError, bool) {
        let mut ever_heard = false;
        loop {
            let (lost, heard) = self.listen_once(wait).await;
            ever_heard |= heard;
            match lost {
                // A supervisor that is started anew is back before anybody needs to know.
                Some(_) if heard => tokio::time::sleep(wait.next()).await,
                Some(lost) => return (lost, ever_heard),
                None => {}
            }
        }
    }

    /// One stream: why it was lost, or none where it is only to be opened with another detail.
    async fn listen_once(&mut self, wait: &mut BackOff) -> (Option<ClientError>, bool) {
        let detail = *self.detail.borrow_and_update();
        let mut snapshots = self.client.events(detail);
        let mut heard = false;
        loop {
            tokio::select! {
                next = snapshots.next() => match next {
                    Some(Ok(snapshot)) => {
                        heard = true;
                        *wait = BackOff::default();
                        self.tell(Happened::Told(snapshot));
                    }
                    Some(Err(error)) => return (Some(error), heard),
                    None => return (Some(ended()), heard),
                },
                // It runs already; the button is only let go. Else whoever waits to try again does it.
                Some(_) = self.starts.recv(), if heard => {}
                Ok(()) = self.detail.changed() => return (None, heard),
            }
        }
    }

    async fn start(&self) {
        self.tell(Happened::Starting);
        let started = client::start_supervisor(&self.folders).await;
        if let Err(error) = started {
            self.tell(Happened::Lost(Seen::Absent { why: error.to_string() }));
            self.tell(Happened::Refused(Notice {
                title: "The supervisor could not be started.".to_owned(),
                hint: error.to_string(),
            }));
        }
    }

    fn tell(&self, happened: Happened) {
        // Nobody listens only while the app ends.
        let _ = self.news.send(happened);
    }
}

impl Supervisor for Orders {
    fn wish(&mut self, wish: Wish, done: Done) {
        let (client, news) = (self.client.clone(), self.news.clone());
        tokio::spawn(async move {
            if let Err(error) = carry_out(&client, wish).await {
                let _ = news.send(Happened::Refused(error.into()));
            }
            drop(done);
        });
    }

    fn start(&mut self, done: Done) {
        let _ = self.starts.send(done);
    }

    fn examine(&mut self) {
        let (client, news) = (self.client.clone(), self.news.clone());
        tokio::spawn(async move {
            // Of a doctor that cannot be asked nothing is known; the window says why.
            if let Ok(findings) = client.doctor(&[]).await {
                let _ = news.send(Happened::Examined(findings));
            }
        });
    }

    fn told_since(&mut self, notice: u64) {
        let (client, news) = (self.client.clone(), self.news.clone());
        tokio::spawn(async move {
            // What cannot be read now is still the first thing in the window.
            if let Ok(mut told) = client.notices(notice, None).await {
                told.notices.reverse();
                let _ = news.send(Happened::News(told.notices));
            }
        });
    }

    fn somebody_looks(&mut self, looks: bool) {
        let detail = if looks { Detail::Usage } else { Detail::Plain };
        self.detail.send_if_modified(|old| std::mem::replace(old, detail) != detail);
    }
}

async fn carry_out(client: &Client, wish: Wish) -> Result<(), ClientError> {
    match wish {
        Wish::Pause { runners, until } => {
            let pause = Pause { until, note: None };
            for_each(&runners, |name| client.pause(name, &pause)).await
        }
        Wish::Resume { runners } => for_each(&runners, |name| client.resume(name)).await,
        Wish::AfterTask { act: Some(act) } => client.after_task(act).await,
        Wish::AfterTask { act: None } => client.forget_after_task().await,
        Wish::KeepAwake { on } => {
            let keep_awake = KeepAwakeChange { on: Some(on), battery_floor_percent: None };
            let keep_awake = Some(keep_awake);
            let change = PreferencesChange { keep_awake, ..PreferencesChange::default() };
            client.prefer(&change).await.map(drop)
        }
    }
}

/// Asks for every runner, also after one was refused; tells the first refusal.
async fn for_each<'a, Call: Future<Output = Result<(), ClientError>>>(
    runners: &'a [RunnerName],
    call: impl Fn(&'a RunnerName) -> Call,
) -> Result<(), ClientError> {
    let mut result = Ok(());
    for name in runners {
        result = result.and(call(name).await);
    }
    result
}

fn ended() -> ClientError {
    ClientError::Broken { call: "GET /v1/events".to_owned(), why: "it ended at once".to_owned() }
}

fn seen(error: &ClientError) -> Seen {
    let why = error.to_string();
    match error {
        ClientError::NotReachable { .. } => Seen::Absent { why },
        ClientError::Refused(_) | ClientError::Broken { .. } => Seen::Unclear { why },
    }
}

/// A quarter of a second, doubled up to five seconds; begun anew once the supervisor has answered.
#[derive(Default)]
struct BackOff(u32);

impl BackOff {
    fn next(&mut self) -> Duration {
        let wait = Duration::from_millis(250) * 2_u32.saturating_pow(self.0.min(8));
        self.0 += 1;
        wait.min(Duration::from_secs(5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_supervisor_that_stays_away_is_asked_for_ever_but_seldom() {
        let mut wait = BackOff::default();
        let waits: Vec<_> = (0..100).map(|_| wait.next()).collect();
        assert_eq!(waits[0], Duration::from_millis(250));
        assert!(waits.is_sorted());
        assert_eq!(waits[99], Duration::from_secs(5));
    }
}
