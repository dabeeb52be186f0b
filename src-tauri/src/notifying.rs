//! Notifications that the app itself shows, each on a thread of its own that waits for the answer: where only
//! an app may show them (macOS), all; elsewhere only that nobody shows its icon.

use std::io;

use host::notification::{End, Notification};
use protocol::{Notice, NoticeOffer};

use crate::controller::Happened;
use crate::link::News;

pub(crate) fn show(notice: Notice, news: News) -> io::Result<()> {
    let shows = move || {
        let end = notification(&notice).show();
        if let End::NotShown(why) = &end {
            eprintln!("runner-tray: a notification was not shown: {why}");
        }
        if let Some(offer) = chosen(&notice, &end) {
            let _ = news.send(Happened::Chosen(Box::new(notice), offer));
        }
    };
    std::thread::Builder::new().name("notification".to_owned()).spawn(shows).map(drop)
}

fn notification(notice: &Notice) -> Notification {
    let button = |offer: &NoticeOffer| Some((offer.key().to_owned(), offer.words()?.to_owned()));
    Notification {
        title: notice.title.clone(),
        body: notice.body.clone(),
        buttons: notice.offers.iter().filter_map(button).collect(),
    }
}

fn chosen(notice: &Notice, end: &End) -> Option<NoticeOffer> {
    match end {
        End::Clicked => Some(NoticeOffer::Details),
        End::Chosen(key) => notice.offers.iter().copied().find(|offer| offer.key() == key),
        End::Closed | End::NotShown(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use protocol::NoticeAbout;

    use super::*;

    #[test]
    fn a_button_is_what_was_offered_and_a_click_on_the_rest_shows_more() {
        let notice = Notice {
            id: 1,
            at: Timestamp::UNIX_EPOCH,
            runner: None,
            about: NoticeAbout::PauseEnded,
            title: "mini claims tasks again".into(),
            body: "Your pause is over.".into(),
            offers: vec![NoticeOffer::Resume, NoticeOffer::Other],
        };
        assert_eq!(notification(&notice).buttons, [("resume".into(), "Resume".into())]);
        let choose = |key: &str| chosen(&notice, &End::Chosen(key.into()));
        assert_eq!(choose("resume"), Some(NoticeOffer::Resume));
        assert_eq!(choose("open"), None, "it was not offered");
        assert_eq!(chosen(&notice, &End::Clicked), Some(NoticeOffer::Details));
        assert_eq!(chosen(&notice, &End::Closed), None);
    }
}
