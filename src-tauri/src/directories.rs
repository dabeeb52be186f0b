//! The menu's part about working directories: what is on the disk because of tasks, and the way to less.

use protocol::{Bytes, Snapshot, WorkDirShort};

use crate::ask::{Ask, Page};
use crate::menu::{Item, entry, submenu};
use crate::words::plain;

/// As many as a menu shows well; they come with the largest first.
const MOST: usize = 8;
/// In letters.
const MOST_OF_A_TITLE: usize = 32;

/// None: the supervisor is an older one and knows of none, or nobody runs tasks here.
pub(crate) fn directories(snapshot: &Snapshot) -> Option<Item> {
    let all = &snapshot.work_dirs;
    if all.is_empty() && snapshot.volumes.is_empty() {
        return None;
    }
    let known: u64 = all.iter().filter_map(|it| it.size).map(|size| size.0).sum();
    let label = match Bytes(known) {
        Bytes(0) => "Working directories".to_owned(),
        all => format!("Working directories: {}", all.words()),
    };
    let several = snapshot.runners.len() > 1;
    let mut items: Vec<Item> = all.iter().take(MOST).map(|it| directory(it, several)).collect();
    if !items.is_empty() {
        items.push(Item::Separator);
    }
    let rest = match all.len() {
        0..=MOST => "Show in Runner Tray".to_owned(),
        more => format!("Show all {more} in Runner Tray"),
    };
    items.push(entry(&rest, Ask::OpenPage { page: Page::Directories }));
    items.push(entry("Clean up now…", Ask::CleanUp));
    Some(submenu(&label, items))
}

/// "web-app  2.1 GB"; with its runner where there are several.
fn directory(it: &WorkDirShort, several: bool) -> Item {
    let title = plain(&it.title, MOST_OF_A_TITLE);
    let runner = it.runner.to_string();
    let title = if several && title != runner { format!("{title} ({runner})") } else { title };
    let size = it.size.map(|size| format!("  {}", size.words())).unwrap_or_default();
    entry(&format!("{title}{size}"), Ask::OpenDirectory { directory: it.id.clone() })
}
