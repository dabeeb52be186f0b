//! The controller in domain words: what happens, and what is seen and asked because of it.

use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::ask::PauseLength;
use crate::menu::Item;
use crate::scenes;

/// Everything that reached the screen or the supervisor, in order.
type Book = Rc<RefCell<Vec<String>>>;

#[derive(Clone, Default)]
struct Desk {
    book: Book,
    /// Buttons that wait for an answer.
    waiting: Rc<RefCell<Vec<Done>>>,
}

impl Desk {
    fn write(&self, what: impl Into<String>) {
        self.book.borrow_mut().push(what.into());
    }
}

impl Screen for Desk {
    fn show_menu(&mut self, menu: &Menu) {
        let Some(Item::Entry { label, .. }) = menu.items.first() else { panic!("no first line") };
        self.write(format!("menu: {label}"));
    }
    fn show_face(&mut self, face: RunnerState) {
        self.write(format!("face: {face:?}"));
    }
    fn show_view(&mut self, view: &View) {
        self.write(format!("view: {} notices", view.notices.len()));
    }
    fn open_window(&mut self) {
        self.write("window opened");
    }
    fn open_link(&mut self, link: &str) {
        self.write(format!("link: {link}"));
    }
    fn open_folder(&mut self, path: &str) -> Result<(), String> {
        self.write(format!("folder: {path}"));
        if path.contains("kept") { Err("It is not there.".to_owned()) } else { Ok(()) }
    }
    fn notify(&mut self, notice: &protocol::Notice) {
        self.write(format!("notify: {}", notice.title));
    }
    fn quit(&mut self) {
        self.write("quit");
    }
}

impl Supervisor for Desk {
    fn wish(&mut self, wish: Wish, done: Done) {
        self.write(format!("wish: {wish:?}"));
        self.waiting.borrow_mut().push(done);
    }
    fn start(&mut self, done: Done) {
        self.write("start");
        self.waiting.borrow_mut().push(done);
    }
    fn examine(&mut self) {
        self.write("the doctor looks");
    }
    fn told_since(&mut self, notice: u64) {
        self.write(format!("told since {notice}"));
    }
    fn somebody_looks(&mut self, looks: bool) {
        self.write(format!("somebody looks: {looks}"));
    }
}

struct Day {
    controller: Controller<Desk, Desk>,
    desk: Desk,
    now: ZonedDateTime,
}

impl Day {
    /// The app has started; nothing is known yet.
    fn begins() -> Self {
        Self::begins_where(false)
    }

    /// `notifies`: where only the app may show notifications.
    fn begins_where(notifies: bool) -> Self {
        let desk = Desk::default();
        let mut controller = Controller::new(desk.clone(), desk.clone(), true, notifies);
        controller.show(&scenes::now());
        Self { controller, desk, now: scenes::now() }
    }

    fn happens(&mut self, happened: Happened) -> Vec<String> {
        self.desk.book.borrow_mut().clear();
        self.controller.turn(happened, &self.now);
        self.desk.book.borrow().clone()
    }

    fn told(&mut self, scene: &str) -> Vec<String> {
        let seen = scenes::view(scene).supervisor;
        self.happens(if let Seen::Live { snapshot } = seen {
            Happened::Told(snapshot)
        } else {
            Happened::Lost(seen)
        })
    }

    fn asked(&mut self, ask: Ask) -> Vec<String> {
        self.happens(Happened::Asked(ask, None))
    }
}

fn runner(name: &str) -> Vec<RunnerName> {
    vec![name.parse().expect("a name")]
}

#[test]
fn before_anything_is_known_it_says_so() {
    let day = Day::begins();
    let first = day.desk.book.borrow().clone();
    assert_eq!(first, ["face: Unknown", "menu: Connecting to the supervisor…", "view: 0 notices"]);
}

#[test]
fn a_snapshot_changes_icon_menu_and_window() {
    let mut day = Day::begins();
    let seen = day.told("busy");
    let asks = "the doctor looks";
    assert_eq!(seen, [asks, "face: Busy", "menu: Busy: web-app, 4 min", "view: 0 notices"]);
}

#[test]
fn a_supervisor_s_doctor_is_asked_once_and_its_findings_are_on_the_menu() {
    let mut day = Day::begins();
    assert_eq!(day.told("busy")[0], "the doctor looks");
    assert!(!day.told("idle").contains(&"the doctor looks".to_owned()));
    let found = |level| protocol::Finding::new(protocol::Check::Disk, level, "/", "it is full");
    let levels = [Level::Bad, Level::Warn, Level::Unknown, Level::Note, Level::Ok];
    let findings = Findings { findings: levels.map(found).into() };
    let seen = day.happens(Happened::Examined(findings));
    assert_eq!(seen[0], "menu: Idle: mac-mini-01", "{seen:?}");
    assert_eq!(day.controller.view.findings, Some(3), "a note and what is well ask for nothing");
}

fn the_doctor_is_asked(seen: &[String]) -> bool {
    seen.iter().any(|it| it == "the doctor looks")
}

#[test]
fn the_doctor_is_asked_again_when_other_things_are_wrong_and_at_most_once_a_minute() {
    let mut day = Day::begins();
    assert!(the_doctor_is_asked(&day.told("idle")));
    assert!(!the_doctor_is_asked(&day.told("problem")), "it was asked this minute");
    day.now = scenes::at("2026-03-02T16:43:11Z");
    assert!(!the_doctor_is_asked(&day.happens(Happened::TimePassed)), "a second is left");
    day.now = scenes::at("2026-03-02T16:43:12Z");
    assert!(the_doctor_is_asked(&day.happens(Happened::TimePassed)), "nothing else has to happen");
    day.now = scenes::at("2026-03-02T16:50:00Z");
    assert!(!the_doctor_is_asked(&day.told("problem")), "nothing else is wrong");
    assert!(the_doctor_is_asked(&day.told("idle")), "it was mended");
    day.told("problem");
    day.now = scenes::at("2026-03-02T15:50:00Z");
    assert!(the_doctor_is_asked(&day.happens(Happened::TimePassed)), "the clock was set back");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_doctor_that_is_to_be_asked_again_is_asked_within_a_minute() {
    let mut day = Day::begins();
    day.told("idle");
    day.told("problem");
    let begun = tokio::time::Instant::now();
    let in_a_while = scenes::at("2026-03-02T16:42:42Z").timestamp();
    day.controller.time_passes(in_a_while).await;
    assert_eq!(begun.elapsed().as_secs(), 30, "the rest of its minute");
}

#[test]
fn what_the_doctor_found_goes_with_its_supervisor_and_is_asked_for_when_it_is_back() {
    let mut day = Day::begins();
    day.told("idle");
    let found = protocol::Finding::new(protocol::Check::Disk, Level::Bad, "/", "it is full");
    day.happens(Happened::Examined(Findings { findings: vec![found] }));
    assert_eq!(day.controller.view.findings, Some(1));
    for gone in ["absent", "unclear"] {
        day.told(gone);
        assert_eq!(day.controller.view.findings, None, "{gone}");
        day.happens(Happened::Examined(Findings::default()));
        assert_eq!(day.controller.view.findings, None, "it was asked before, {gone}");
    }
    day.now = scenes::at("2026-03-02T16:44:00Z");
    assert!(the_doctor_is_asked(&day.told("idle")), "the same one, with nothing else wrong");
}

#[test]
fn the_tray_sends_the_window_to_a_page_and_each_word_counts_once() {
    let mut day = Day::begins();
    day.told("idle");
    for times in [1, 2] {
        let seen = day.asked(Ask::OpenPage { page: Page::Logs });
        assert_eq!(seen, ["window opened", "view: 0 notices"]);
        assert_eq!(day.controller.view.go, Some(Go { to: Page::Logs, plan: false, times }));
    }
    day.asked(Ask::OpenWindow);
    assert_eq!(day.controller.view.go, None, "opened plainly it goes nowhere");
}

#[test]
fn where_the_window_was_sent_ends_with_it_and_moves_none_that_opens_for_something_else() {
    let refusal = || Happened::Refused(Notice { title: "No.".to_owned(), hint: "Try.".to_owned() });
    let details =
        || Happened::Chosen(Box::new(notice(None, NoticeAbout::Other)), NoticeOffer::Details);
    let mut day = Day::begins();
    day.told("idle");
    for opens in [refusal(), details()] {
        day.asked(Ask::CleanUp);
        day.happens(Happened::WindowClosed);
        let what = format!("{opens:?}");
        assert!(day.happens(opens).contains(&"window opened".to_owned()), "{what}");
        assert_eq!(day.controller.view.go, None, "{what}");
    }
    // One that has not been heard yet is not lost by it.
    for opens in [refusal(), details()] {
        day.asked(Ask::CleanUp);
        day.happens(opens);
        assert_eq!(day.controller.view.go.map(|go| go.to), Some(Page::CleanUp));
    }
}

#[test]
fn clean_up_from_the_tray_opens_its_page_and_has_the_plan_made_there() {
    let mut day = Day::begins();
    day.told("idle");
    assert_eq!(day.asked(Ask::CleanUp), ["window opened", "view: 0 notices"]);
    assert_eq!(day.controller.view.go, Some(Go { to: Page::CleanUp, plan: true, times: 1 }));
    day.asked(Ask::OpenPage { page: Page::CleanUp });
    assert_eq!(day.controller.view.go, Some(Go { to: Page::CleanUp, plan: false, times: 2 }));
}

#[test]
fn only_a_directory_that_the_supervisor_names_is_opened_and_why_one_is_not_is_said() {
    let mut day = Day::begins();
    day.told("idle");
    let mut open = |id: &str| day.asked(Ask::OpenDirectory { directory: WorkDirId(id.to_owned()) });
    assert_eq!(open("mac-mini-01"), ["folder: /Users/ada/runner/mac-mini-01/work"]);
    let kept = open("mac-mini-01/20260302T070000Z-1.80");
    assert!(kept[0].starts_with("folder: /Users/ada/runner/mac-mini-01/work.kept/"), "{kept:?}");
    assert_eq!(kept[1..], ["window opened", "view: 1 notices"]);
    assert_eq!(open("/etc"), ["window opened", "view: 2 notices"], "no path is an id");
}

#[test]
fn a_machine_without_a_runner_is_shown_how_to_get_one_and_only_at_the_start() {
    let mut day = Day::begins();
    assert!(day.told("no-runner").contains(&"window opened".to_owned()));
    assert_eq!(day.controller.view.go.map(|go| go.to), Some(Page::SetUp));
    assert!(!day.told("no-runner").contains(&"window opened".to_owned()));

    let mut day = Day::begins();
    day.told("idle");
    let later = day.told("no-runner");
    assert!(!later.contains(&"window opened".to_owned()), "its last runner was removed: {later:?}");
}

#[test]
fn a_supervisor_that_quits_after_the_task_takes_the_app_along() {
    let mut day = Day::begins();
    let Seen::Live { snapshot } = scenes::view("draining").supervisor else { panic!("live") };
    let works = runner("mac-mini-01");
    for (act, waits_for, goes_along) in [
        (AfterTaskAct::Sleep, vec![], false),
        // Killed in the middle of the task, it is missed and can be started again.
        (AfterTaskAct::Quit, works, false),
        (AfterTaskAct::Quit, vec![], true),
    ] {
        let after_task = Some(AfterTask { act, since: Timestamp::UNIX_EPOCH, waits_for });
        day.happens(Happened::Told(Snapshot { after_task, ..snapshot.clone() }));
        let seen = day.told("absent");
        assert_eq!(seen.contains(&"quit".to_owned()), goes_along, "{act:?}: {seen:?}");
    }
}

#[test]
fn what_comes_after_the_task_is_the_supervisor_s_to_do() {
    let mut day = Day::begins();
    day.told("busy");
    let asked = day.asked(Ask::AfterTask { act: AfterTaskAct::Sleep });
    assert_eq!(asked, ["wish: AfterTask { act: Some(Sleep) }"]);
    assert_eq!(day.asked(Ask::NothingAfterTask), ["wish: AfterTask { act: None }"]);
    assert_eq!(day.asked(Ask::KeepAwake { on: false }), ["wish: KeepAwake { on: false }"]);
}

#[test]
fn quit_is_the_same_in_the_window_as_in_the_tray_and_ends_the_app_alone() {
    let quit: Ask = serde_json::from_str(r#"{"do":"quit"}"#).expect("the window's word");
    let label = "Quit (runners keep working)".to_owned();
    let in_the_tray = Item::Entry { label, action: Some(quit.clone()) };
    assert_eq!(menu(&scenes::view("idle"), &scenes::now()).items.last(), Some(&in_the_tray));
    for scene in ["idle", "busy", "absent"] {
        let mut day = Day::begins();
        day.told(scene);
        assert_eq!(day.asked(quit.clone()), ["quit"], "{scene}");
    }
}

#[test]
fn what_did_not_change_is_not_touched() {
    let mut day = Day::begins();
    day.told("busy");
    assert!(day.told("busy").is_empty());
    // Something the tray does not show, but the window may.
    let Seen::Live { mut snapshot } = scenes::view("busy").supervisor else { panic!("live") };
    snapshot.revision += 1;
    assert_eq!(day.happens(Happened::Told(snapshot)), ["view: 0 notices"]);
}

#[test]
fn minutes_pass_without_asking_the_supervisor() {
    let mut day = Day::begins();
    day.told("busy");
    day.now = scenes::at("2026-03-02T16:43:00Z");
    assert_eq!(day.happens(Happened::TimePassed), ["menu: Busy: web-app, 5 min"]);
}

#[test]
fn a_pause_for_an_hour_becomes_a_moment() {
    let mut day = Day::begins();
    day.told("idle");
    let asked =
        day.asked(Ask::Pause { runners: runner("mac-mini-01"), how_long: PauseLength::Hour });
    let [wish] = &asked[..] else { panic!("{asked:?}") };
    assert!(wish.contains("until: Some(2026-03-02T17:42:12Z)"), "{wish}");
}

#[test]
fn a_wish_changes_nothing_on_the_screen_before_the_supervisor_says_so() {
    let mut day = Day::begins();
    day.told("paused");
    let asked = day.asked(Ask::Resume { runners: runner("mac-mini-01") });
    assert_eq!(asked, ["wish: Resume { runners: [RunnerName(\"mac-mini-01\")] }"]);
    assert_eq!(day.told("idle")[1], "menu: Idle: mac-mini-01");
}

#[test]
fn a_button_waits_until_its_wish_is_answered() {
    let mut day = Day::begins();
    day.told("idle");
    let (done, mut answered) = oneshot::channel();
    let ask = Ask::Pause { runners: runner("mac-mini-01"), how_long: PauseLength::Hour };
    day.happens(Happened::Asked(ask, Some(done)));
    assert_eq!(answered.try_recv(), Err(oneshot::error::TryRecvError::Empty));
    day.desk.waiting.borrow_mut().clear();
    assert_eq!(answered.try_recv(), Err(oneshot::error::TryRecvError::Closed));
}

#[test]
fn a_refusal_is_shown_where_it_can_be_read_and_goes_when_it_was_read() {
    let mut day = Day::begins();
    day.told("idle");
    let refusal = || Happened::Refused(Notice { title: "No.".to_owned(), hint: "Try.".to_owned() });
    assert_eq!(day.happens(refusal()), ["window opened", "view: 1 notices"]);
    assert_eq!(day.happens(refusal()), ["window opened"], "the same is not said twice");
    assert_eq!(day.asked(Ask::Dismiss), ["view: 0 notices"]);
}

#[test]
fn a_lost_supervisor_leaves_nothing_old_on_the_screen() {
    let mut day = Day::begins();
    day.told("busy");
    let seen = day.told("absent");
    assert_eq!(seen, ["face: Unknown", "menu: Supervisor not running", "view: 0 notices"]);
    assert_eq!(day.asked(Ask::StartSupervisor), ["start"]);
    assert_eq!(day.happens(Happened::Starting)[0], "menu: Starting the supervisor…");
    assert_eq!(day.told("busy")[0], "face: Busy");
}

#[test]
fn a_window_that_looks_is_shown_everything_and_usage_is_measured_only_while_it_does() {
    let mut day = Day::begins();
    day.told("busy");
    assert_eq!(day.asked(Ask::Look), ["somebody looks: true", "view: 0 notices"]);
    assert_eq!(day.happens(Happened::WindowClosed), ["somebody looks: false"]);
}

#[test]
fn only_a_task_s_own_page_is_opened() {
    let mut day = Day::begins();
    day.told("busy");
    let opened = day.asked(Ask::OpenTask { runner: runner("mac-mini-01").remove(0) });
    assert!(opened[0].starts_with("link: https://app.circleci.com/"), "{opened:?}");
    assert!(day.asked(Ask::OpenTask { runner: runner("another").remove(0) }).is_empty());

    day.told("hostile");
    let refused = day.asked(Ask::OpenTask { runner: runner("mac-mini-01").remove(0) });
    assert_eq!(refused, ["window opened", "view: 1 notices"], "it is not opened, and says so");
}

#[test]
fn a_desktop_without_trays_gets_the_window_and_the_reason() {
    let mut day = Day::begins();
    let missed = |quietly| Happened::NoTray { quietly };
    assert_eq!(day.happens(missed(false)), ["window opened", "view: 1 notices"]);
    // A panel that comes later takes the reason away.
    assert_eq!(day.happens(Happened::TrayCame), ["view: 0 notices"]);
    // At login, or when the panel goes, no window pops up for it.
    let notified = "notify: This desktop shows no tray icons.";
    assert_eq!(day.happens(missed(true)), [notified, "view: 1 notices"]);
    assert_eq!(day.asked(Ask::OpenWindow), ["window opened"], "and the reason is there");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn without_a_time_on_the_menu_nothing_ever_wakes_it() {
    let mut day = Day::begins();
    day.told("idle");
    let year = Duration::from_hours(365 * 24);
    tokio::time::timeout(year, day.controller.time_passes(day.now.timestamp()))
        .await
        .expect_err("it slept");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn with_a_time_on_the_menu_it_looks_again_within_a_minute() {
    let mut day = Day::begins();
    day.told("paused");
    let minute = Duration::from_mins(1);
    tokio::time::timeout(minute, day.controller.time_passes(day.now.timestamp()))
        .await
        .expect("it woke");
}

fn told_up_to(newest: u64) -> Happened {
    let Seen::Live { mut snapshot } = scenes::view("busy").supervisor else { panic!("live") };
    snapshot.notices = Some(protocol::NoticesSeen { newest, seen: 0 });
    Happened::Told(snapshot)
}

fn notice(runner: Option<&str>, about: NoticeAbout) -> protocol::Notice {
    protocol::Notice {
        id: 4,
        at: Timestamp::UNIX_EPOCH,
        runner: runner.map(|name| name.parse().expect("a name")),
        about,
        title: "Something happened".to_owned(),
        body: String::new(),
        offers: Vec::new(),
    }
}

#[test]
fn where_only_the_app_may_notify_it_shows_what_is_told_while_it_runs_each_once() {
    let mut day = Day::begins_where(true);
    let asks = |seen: &[String]| seen.iter().filter(|it| it.starts_with("told since")).count();
    assert_eq!(asks(&day.happens(told_up_to(3))), 0, "what was told before is the window's");
    assert!(day.happens(told_up_to(5)).contains(&"told since 3".to_owned()));
    assert_eq!(asks(&day.happens(told_up_to(5))), 0);
    let news = vec![notice(None, NoticeAbout::PauseEnded), notice(None, NoticeAbout::PauseEnded)];
    assert_eq!(day.happens(Happened::News(news)), ["notify: Something happened"; 2]);
    day.told("absent");
    assert!(day.happens(told_up_to(6)).contains(&"told since 5".to_owned()), "a new supervisor");
    assert_eq!(asks(&day.happens(told_up_to(1))), 0, "a history that was begun anew");

    let mut day = Day::begins();
    day.happens(told_up_to(3));
    assert_eq!(asks(&day.happens(told_up_to(5))), 0, "elsewhere the supervisor shows them");
}

#[test]
fn a_notification_s_buttons_do_what_they_say() {
    let mut day = Day::begins_where(true);
    day.told("several");
    let mut chosen = |runner, about, offer| {
        day.happens(Happened::Chosen(Box::new(notice(runner, about)), offer))
    };
    let ended = |link: &str| NoticeAbout::TaskEnded {
        task: "run-1.1".into(),
        result: protocol::TaskResult::Succeeded,
        link: Some(link.to_owned()),
    };
    let resume = chosen(Some("mac-mini-01"), NoticeAbout::PauseEnded, NoticeOffer::Resume);
    assert_eq!(resume, ["wish: Resume { runners: [RunnerName(\"mac-mini-01\")] }"]);
    let all =
        chosen(None, NoticeAbout::AfterTask { act: AfterTaskAct::Pause }, NoticeOffer::Resume);
    assert_eq!(all[0].matches("RunnerName").count(), 3, "{all:?}");
    let page = "https://app.circleci.com/pipelines/1";
    assert_eq!(chosen(None, ended(page), NoticeOffer::Open), [format!("link: {page}")]);
    let elsewhere = chosen(None, ended("https://evil.example/"), NoticeOffer::Open);
    assert_eq!(elsewhere, ["window opened", "view: 1 notices"], "it is not opened, and says so");
    assert_eq!(chosen(None, ended(page), NoticeOffer::Details), ["window opened"]);
    assert!(chosen(None, NoticeAbout::PauseEnded, NoticeOffer::Other).is_empty());
}
