//! The one task that owns everything that can happen; it shows what follows and keeps nothing of its own.
//! It never touches a screen or a socket itself: both are behind a trait.

use std::time::Duration;

use jiff::{Timestamp, ZonedDateTime};
use protocol::{
    AfterTask, AfterTaskAct, Findings, Level, NoticeAbout, NoticeOffer, RunnerName, RunnerState,
    Snapshot, WorkDirId,
};
use tokio::sync::{mpsc, oneshot};

use crate::ask::{Ask, Page};
use crate::examined::Examined;
use crate::links;
use crate::menu::{Menu, menu};
use crate::view::{Go, Notice, Seen, View};

/// What a desktop must be able to do.
pub(crate) trait Screen {
    fn show_menu(&mut self, menu: &Menu);
    fn show_face(&mut self, face: RunnerState);
    /// To the window, if there is one.
    fn show_view(&mut self, view: &View);
    /// Makes it, or brings it to the front.
    fn open_window(&mut self);
    fn open_link(&mut self, link: &str);
    /// In the file manager; an error is a sentence.
    fn open_folder(&mut self, path: &str) -> Result<(), String>;
    /// As a notification; what is chosen on it comes back as [`Happened::Chosen`].
    fn notify(&mut self, notice: &protocol::Notice);
    fn quit(&mut self);
}

/// What the supervisor can be asked; answers come back as [`Happened`].
pub(crate) trait Supervisor {
    fn wish(&mut self, wish: Wish, done: Done);
    fn start(&mut self, done: Done);
    /// Has the doctor look at this machine.
    fn examine(&mut self);
    /// What was told after the notice of this number.
    fn told_since(&mut self, notice: u64);
    /// Whether somebody looks at what tasks use, which costs measuring.
    fn somebody_looks(&mut self, looks: bool);
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    Pause { runners: Vec<RunnerName>, until: Option<Timestamp> },
    Resume { runners: Vec<RunnerName> },
    AfterTask { act: Option<AfterTaskAct> },
    KeepAwake { on: bool },
}

/// Dropped when a wish was answered, so that its button may be pressed again.
pub(crate) type Done = Option<oneshot::Sender<()>>;

#[derive(Debug)]
pub(crate) enum Happened {
    /// The supervisor told its whole state.
    Told(Snapshot),
    /// It is being started.
    Starting,
    /// Nothing more is known of any runner.
    Lost(Seen),
    /// What the doctor found.
    Examined(Findings),
    /// A wish was not granted.
    Refused(Notice),
    Asked(Ask, Done),
    /// What was told meanwhile, in its order.
    News(Vec<protocol::Notice>),
    /// Somebody chose this on a notification.
    Chosen(Box<protocol::Notice>, NoticeOffer),
    WindowClosed,
    /// The desktop has nowhere to show a tray icon. Quietly: nobody waits for a window.
    NoTray {
        quietly: bool,
    },
    /// It has one now.
    TrayCame,
    /// Words on the menu are not true any more.
    TimePassed,
}

pub(crate) struct Controller<S, V> {
    screen: S,
    supervisor: V,
    view: View,
    shown: Shown,
    /// How often the tray has sent the window somewhere.
    sent: u32,
    examined: Examined,
    /// Whether a machine that turns out to have no runner is shown how to get one.
    welcomes: bool,
    /// Whether notifications are this app's to show.
    notifies: bool,
    /// Up to here notices were shown, or told before this app began: those are for the window.
    notified: Option<u64>,
}

/// What the screen shows, so that it is touched only when that changes.
#[derive(Default)]
struct Shown {
    menu: Option<Menu>,
    face: Option<RunnerState>,
    view: Option<View>,
}

impl<S: Screen, V: Supervisor> Controller<S, V> {
    pub(crate) fn new(screen: S, supervisor: V, welcomes: bool, notifies: bool) -> Self {
        Self {
            screen,
            supervisor,
            view: View::new(),
            shown: Shown::default(),
            sent: 0,
            examined: Examined::default(),
            welcomes,
            notifies,
            notified: None,
        }
    }

    /// Until nobody is left who could tell anything.
    pub(crate) async fn run(mut self, mut news: mpsc::UnboundedReceiver<Happened>) {
        self.show(&now());
        loop {
            let happened = tokio::select! {
                happened = news.recv() => happened,
                () = self.time_passes(now().timestamp()) => Some(Happened::TimePassed),
            };
            let Some(happened) = happened else { return };
            self.turn(happened, &now());
        }
    }

    /// One turn: what happened, and what is shown because of it.
    fn turn(&mut self, happened: Happened, now: &ZonedDateTime) {
        match happened {
            Happened::Told(snapshot) => self.told(snapshot),
            Happened::Starting => self.view.supervisor = Seen::Starting,
            Happened::Lost(seen) => self.lost(seen),
            // Of one that is gone since nothing is said.
            Happened::Examined(findings) => {
                let is_live = self.view.snapshot().is_some();
                self.view.findings = is_live.then(|| ask_for_something(&findings));
            }
            Happened::Refused(notice) => self.tell(notice),
            Happened::Asked(ask, done) => self.asked(ask, done, now),
            Happened::News(notices) => notices.iter().for_each(|it| self.screen.notify(it)),
            Happened::Chosen(notice, offer) => self.chosen(&notice, offer),
            Happened::WindowClosed => {
                // The next window would take it for a new word.
                self.view.go = None;
                self.supervisor.somebody_looks(false);
            }
            Happened::NoTray { quietly: false } => self.tell(no_tray()),
            Happened::NoTray { quietly: true } => self.miss_tray(now.timestamp()),
            Happened::TrayCame => self.view.notices.retain(|notice| *notice != no_tray()),
            Happened::TimePassed => {}
        }
        self.examine(now.timestamp());
        self.show(now);
    }

    fn told(&mut self, snapshot: Snapshot) {
        // Once, and by what is known first.
        let is_new = snapshot.runners.is_empty() && snapshot.problems.is_empty();
        if std::mem::take(&mut self.welcomes) && is_new {
            self.go(Page::SetUp, false);
        }
        if self.notifies {
            self.hear(&snapshot);
        }
        self.view.supervisor = Seen::Live { snapshot };
    }

    fn examine(&mut self, now: Timestamp) {
        let Some(snapshot) = self.view.snapshot() else { return };
        if self.examined.asks(snapshot, now) {
            self.supervisor.examine();
        }
    }

    fn hear(&mut self, snapshot: &Snapshot) {
        let Some(newest) = snapshot.notices.map(|notices| notices.newest) else { return };
        if let Some(known) = self.notified.replace(newest).filter(|known| newest > *known) {
            self.supervisor.told_since(known);
        }
    }

    fn chosen(&mut self, notice: &protocol::Notice, offer: NoticeOffer) {
        match (offer, &notice.about) {
            (NoticeOffer::Resume, _) => {
                let all = || self.view.runners().iter().map(|it| it.name.clone()).collect();
                let runners = notice.runner.clone().map_or_else(all, |runner| vec![runner]);
                self.supervisor.wish(Wish::Resume { runners }, None);
            }
            (NoticeOffer::Open, NoticeAbout::TaskEnded { link: Some(link), .. }) => {
                self.open_page(link);
            }
            (NoticeOffer::Open | NoticeOffer::Details, _) => self.screen.open_window(),
            (NoticeOffer::Other, _) => {}
        }
    }

    fn go(&mut self, to: Page, plan: bool) {
        self.sent += 1;
        self.view.go = Some(Go { to, plan, times: self.sent });
        self.screen.open_window();
    }

    /// A supervisor that ended because that was asked for after the task takes the app along; one that
    /// goes while an agent still works has not, and is missed.
    fn lost(&mut self, seen: Seen) {
        let after = self.view.snapshot().and_then(|it| it.after_task.as_ref());
        let is_due = |it: &AfterTask| it.act == AfterTaskAct::Quit && it.waits_for.is_empty();
        if after.is_some_and(is_due) && matches!(seen, Seen::Absent { .. }) {
            self.screen.quit();
        }
        self.view.supervisor = seen;
        self.view.findings = None;
        self.examined.forget();
    }

    fn asked(&mut self, ask: Ask, done: Done, now: &ZonedDateTime) {
        match ask {
            Ask::Look => {
                self.supervisor.somebody_looks(true);
                self.shown.view = None;
            }
            Ask::Pause { runners, how_long } => {
                self.supervisor.wish(Wish::Pause { runners, until: how_long.until(now) }, done);
            }
            Ask::Resume { runners } => self.supervisor.wish(Wish::Resume { runners }, done),
            Ask::OpenTask { runner } => self.open_task(&runner),
            Ask::StartSupervisor => self.supervisor.start(done),
            Ask::OpenWindow => {
                self.view.go = None;
                self.screen.open_window();
            }
            Ask::OpenPage { page } => self.go(page, false),
            Ask::CleanUp => self.go(Page::CleanUp, true),
            Ask::OpenDirectory { directory } => self.open_directory(&directory),
            Ask::AfterTask { act } => {
                self.supervisor.wish(Wish::AfterTask { act: Some(act) }, done);
            }
            Ask::NothingAfterTask => self.supervisor.wish(Wish::AfterTask { act: None }, done),
            Ask::KeepAwake { on } => self.supervisor.wish(Wish::KeepAwake { on }, done),
            Ask::Dismiss => self.view.notices.clear(),
            Ask::Quit => self.screen.quit(),
        }
    }

    /// The address is the supervisor's; neither window nor menu ever names one.
    fn open_task(&mut self, runner: &RunnerName) {
        let task = self
            .view
            .runners()
            .iter()
            .find(|it| it.name == *runner)
            .and_then(|it| it.task.as_ref());
        let Some(link) = task.and_then(|task| task.link.clone()) else { return };
        self.open_page(&link);
    }

    fn open_page(&mut self, link: &str) {
        let servers = self.view.snapshot().map(links::servers).unwrap_or_default();
        match links::page(link, &servers) {
            Ok(page) => self.screen.open_link(page.as_str()),
            Err(why) => self.tell(Notice { title: why.title, hint: why.hint }),
        }
    }

    /// Neither window nor menu names a path: it is the supervisor's.
    fn open_directory(&mut self, id: &WorkDirId) {
        let known = self.view.snapshot().map_or(&[][..], |it| &it.work_dirs);
        let Some(path) = known.iter().find(|it| it.id == *id).map(|it| it.path.clone()) else {
            return self.tell(Notice {
                title: "That working directory is not there any more.".to_owned(),
                hint: "Runner Tray's page of directories shows those that are.".to_owned(),
            });
        };
        if let Err(why) = self.screen.open_folder(&path) {
            let title = "The working directory could not be opened.".to_owned();
            self.tell(Notice { title, hint: format!("{why} It is at {path}") });
        }
    }

    /// A notice is read in the window, so the window comes with it.
    fn tell(&mut self, notice: Notice) {
        self.note(notice);
        self.screen.open_window();
    }

    fn note(&mut self, notice: Notice) {
        const MOST: usize = 3;
        let notices = &mut self.view.notices;
        notices.retain(|known| *known != notice);
        notices.push(notice);
        notices.drain(..notices.len().saturating_sub(MOST));
    }

    /// Told where it disturbs nobody, and read in the window whenever somebody opens that.
    fn miss_tray(&mut self, at: Timestamp) {
        let notice = no_tray();
        self.screen.notify(&protocol::Notice {
            id: 0,
            at,
            runner: None,
            about: NoticeAbout::Other,
            title: notice.title.clone(),
            body: notice.hint.clone(),
            offers: vec![NoticeOffer::Details],
        });
        self.note(notice);
    }

    fn show(&mut self, now: &ZonedDateTime) {
        let face = self.view.face();
        if self.shown.face != Some(face) {
            self.screen.show_face(face);
            self.shown.face = Some(face);
        }
        let menu = menu(&self.view, now);
        if self.shown.menu.as_ref().is_none_or(|shown| shown.items != menu.items) {
            self.screen.show_menu(&menu);
        }
        self.shown.menu = Some(menu);
        if self.shown.view.as_ref() != Some(&self.view) {
            self.screen.show_view(&self.view);
            self.shown.view = Some(self.view.clone());
        }
    }

    /// Returns when the menu's words may have stopped being true or the doctor is to be asked again;
    /// never where neither comes. At most a minute, because timers stand still while the machine sleeps.
    async fn time_passes(&self, now: Timestamp) {
        const MINUTE: u64 = 60;
        let words = self.shown.menu.as_ref().and_then(|menu| menu.true_until);
        let doctor = self.view.snapshot().and_then(|snapshot| self.examined.due(snapshot));
        let Some(until) = words.into_iter().chain(doctor).min() else {
            return std::future::pending().await;
        };
        let left = until.duration_since(now);
        let left = Duration::try_from(left).unwrap_or_default();
        tokio::time::sleep(left.min(Duration::from_secs(MINUTE))).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "this loop owns the app's clock: once a turn")]
fn now() -> ZonedDateTime {
    Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::system())
}

fn ask_for_something(findings: &Findings) -> usize {
    let asks = |level| matches!(level, Level::Bad | Level::Warn | Level::Unknown);
    findings.findings.iter().filter(|finding| asks(finding.level)).count()
}

fn no_tray() -> Notice {
    Notice {
        title: "This desktop shows no tray icons.".to_owned(),
        hint: "Start Runner Tray again to open its window, or use runnerctl in a terminal. \
               On GNOME, the AppIndicator extension shows the icon."
            .to_owned(),
    }
}

#[cfg(test)]
#[path = "controller_tests.rs"]
mod tests;
