//! What lies in the folders of a preset: roots and the entries that are meant, each with what its rules
//! need to know.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::around::{Around, RunnerAround};
use super::choice::Limits;
use super::data::{Entries, Folders};
use crate::choose::{Candidate, Rule, plan};
use crate::plan::{Item, Plan};
use crate::roots::{Root, RootError};
use crate::stop::{Progress, Stop};
use crate::survey::{Survey, glance, survey};
use crate::whose::is_from_before;
use crate::why::Failure;

/// In a folder that others share nothing goes that was used since.
const SHARED_UNUSED: SignedDuration = SignedDuration::from_hours(24);

/// What a look at the disk needs beside the disk.
pub(crate) struct Look<'a> {
    pub(crate) around: &'a Around,
    /// Sizes are wanted, though no rule needs them.
    pub(crate) measure: bool,
    pub(crate) now: Timestamp,
    pub(crate) stop: &'a Stop,
    pub(crate) progress: &'a Progress,
}

/// What was found in the roots of one kind of thing: the rules are applied to all of it together.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) roots: Vec<Root>,
    pub(crate) candidates: Vec<Candidate>,
    /// Of each root, whether others share it.
    shared: Vec<bool>,
    sockets: Vec<bool>,
    /// Where other file systems are mounted in the roots.
    mounts: Vec<PathBuf>,
    /// What the rules name and cannot go.
    pub(crate) left_out: Vec<Failure>,
    /// Why something was left out.
    pub(crate) notes: Vec<String>,
}

impl Look<'_> {
    /// The directories of earlier tasks of one runner, and nothing that no task of ours made. Each was used
    /// when it was moved there, which was before the next task's.
    pub(crate) fn kept(&self, runner: &RunnerAround, limits: Limits) -> Found {
        let mut found = Found::default();
        if !is_folder(&runner.kept) {
            return found;
        }
        let (root, mounts) = match Root::above_mounts(&runner.kept) {
            Ok(opened) => opened,
            Err(error) => {
                found.refused(&runner.kept, &error);
                return found;
            }
        };
        let is_meant = |name: &Path| {
            let text = name.to_string_lossy();
            !text.starts_with('.') && !is_from_before(&text) && is_folder(&root.path().join(name))
        };
        let asked = self.asked(&is_meant, &|_| None);
        let looked = glance(&root, &asked, self.stop).and_then(|mut seen| {
            in_their_order(&mut seen);
            if !self.measure && limits.at_most_bytes.is_none() {
                return Ok(seen);
            }
            let mut measured = survey(&root, &asked, self.stop, self.progress)?;
            for it in &mut measured {
                let same = seen.iter().find(|seen| seen.inode == it.inode);
                it.size.used = same.map_or(it.size.used, |seen| seen.size.used);
            }
            Ok(measured)
        });
        if let Err(why) = looked {
            let path = root.path().to_owned();
            found.refused(&runner.kept, &RootError::Unreachable { path, why });
            return found;
        }
        found.mounts = mounts;
        found.take(root, looked, false, false);
        found
    }

    /// The entries of a preset's folders.
    pub(crate) fn folders(&self, folders: &[Folders], limits: Limits) -> Found {
        let mut found = Found::default();
        let mut seen: Vec<PathBuf> = Vec::new();
        for folders in folders {
            let is_all = !folders.exactly && folders.names == ["*"];
            for place in self.around.places(&folders.root) {
                let Ok(canonical) = fs::canonicalize(&place) else { continue };
                if !canonical.is_dir() || seen.contains(&canonical) && is_all {
                    continue;
                }
                seen.push(canonical);
                self.folder(folders, &place, limits, &mut found);
            }
        }
        found
    }

    fn folder(&self, folders: &Folders, place: &Path, limits: Limits, found: &mut Found) {
        let is_ours = self.around.is_a_runners(place);
        let opened = if is_ours {
            Root::above_mounts(place)
        } else {
            Root::shared(place).map(|root| (root, Vec::new()))
        };
        let root = match opened {
            Ok((root, mounts)) => {
                found.mounts.extend(mounts);
                self.with_its_trash(root)
            }
            Err(error) if is_ours => return found.refused(place, &error),
            Err(error) => return found.notes.push(error.to_string()),
        };
        let temp = fs::canonicalize(&self.around.temp);
        let is_shared = root.is_shared() || temp.is_ok_and(|temp| temp == root.path());
        let lock = folders.lock.as_deref().map(|lock| self.around.place(lock));
        let is_meant = |name: &Path| {
            let path = root.path().join(name);
            folders.names.iter().any(|it| folders.names_one(it, name.as_os_str()))
                && is_of(folders.entries, &path)
                && lock.as_ref() != Some(&path)
        };
        let lock = |_: &Path| lock.clone();
        let asked = self.asked(&is_meant, &lock);
        let is_file = matches!(folders.entries, Entries::Files | Entries::StaleSockets);
        let has_rule = limits != Limits::default() || is_shared;
        let looked = if !is_file && (self.measure || has_rule) {
            survey(&root, &asked, self.stop, self.progress)
        } else {
            glance(&root, &asked, self.stop)
        };
        let looked = looked.map(|mut seen| {
            if self.around.is_anybodys(&folders.root, place) {
                let own = rustix::process::geteuid().as_raw();
                seen.retain(|it| it.owner == own);
            }
            seen
        });
        found.take(root, looked, is_shared, folders.entries == Entries::StaleSockets);
    }

    /// A job must find nothing of ours in its working directory, and a fresh start must not move a trash
    /// to where nobody looks for it: that of a working directory lies with the kept ones.
    fn with_its_trash(&self, root: Root) -> Root {
        let is_it = |runner: &&RunnerAround| {
            fs::canonicalize(&runner.work).is_ok_and(|work| work == root.path())
        };
        let beside = || {
            let kept = &self.around.runners.iter().find(is_it)?.kept;
            let (above, name) = (fs::canonicalize(kept.parent()?).ok()?, kept.file_name()?);
            (root.path().parent() == Some(&above)).then(|| above.join(name))
        };
        match beside() {
            Some(kept) => root.with_trash_in(kept),
            None => root,
        }
    }

    fn asked<'a>(
        &'a self,
        is_meant: &'a dyn Fn(&Path) -> bool,
        lock: &'a dyn Fn(&Path) -> Option<PathBuf>,
    ) -> Survey<'a> {
        Survey { index: 0, is_meant, lock, never_delete: &self.around.never_delete }
    }

    /// What the limits name of it; with no limit, all.
    pub(crate) fn plan(&self, found: &mut Found, limits: Limits) -> Plan {
        let own = rustix::process::geteuid().as_raw();
        for it in &mut found.candidates {
            if found.shared.get(it.root) == Some(&true) {
                let is_old = |used| self.now.duration_since(used) > SHARED_UNUSED;
                it.never_delete |= it.owner != own || !it.size.used.is_some_and(is_old);
                // To rename it would move what is mounted in it.
                it.never_delete |= it.size.mounts > 0;
            }
        }
        let rules = [
            limits.keep_last.map(Rule::KeepLast),
            limits.unused_days.map(|days| Rule::UnusedFor { days }),
            limits.at_most_bytes.map(|bytes| Rule::AtMost { bytes }),
        ];
        let mut rules: Vec<Rule> = rules.into_iter().flatten().collect();
        if rules.is_empty() {
            rules.push(Rule::All);
        }
        let roots = found.roots.iter().map(Root::planned).collect();
        let mut made = plan(roots, &found.candidates, &rules, self.now);
        found.spare_what_is_held(&mut made);
        found.leave_mounts_out(&mut made);
        made
    }
}

impl Found {
    fn take(
        &mut self,
        root: Root,
        looked: Result<Vec<Candidate>, rustix::io::Errno>,
        is_shared: bool,
        is_socket: bool,
    ) {
        match looked {
            Ok(candidates) => {
                let index = self.roots.len();
                self.candidates
                    .extend(candidates.into_iter().map(|it| Candidate { root: index, ..it }));
                self.roots.push(root);
                self.shared.push(is_shared);
                self.sockets.push(is_socket);
            }
            Err(error) => {
                self.notes.push(format!("{} cannot be read: {error}", root.path().display()));
            }
        }
    }

    /// A folder of ours that is there and may not be looked into.
    fn refused(&mut self, folder: &Path, error: &RootError) {
        self.left_out.push(error.failure(folder.into()));
    }

    /// Whether the free-space goal may take it: nothing of what others share.
    pub(crate) fn is_evictable(&self, it: &Candidate) -> bool {
        let holds_mount = self.roots.get(it.root).is_some_and(|root| {
            let path = root.path().join(&*it.path);
            self.mounts.iter().any(|mount| mount.starts_with(&path))
        });
        self.shared.get(it.root) == Some(&false)
            && self.sockets.get(it.root) == Some(&false)
            && !holds_mount
    }

    /// To rename it would move what is mounted in it.
    fn leave_mounts_out(&mut self, plan: &mut Plan) {
        let Self { roots, mounts, left_out, .. } = self;
        plan.items.retain(|item| {
            let Some(root) = roots.get(item.root) else { return false };
            let path = root.path().join(&*item.path);
            let mut inside: Vec<&PathBuf> =
                mounts.iter().filter(|mount| mount.starts_with(&path)).collect();
            // The innermost first: one with another in it cannot be unmounted.
            inside.sort_by(|a, b| b.cmp(a));
            left_out.extend(Failure::mounted(path.into(), &inside));
            inside.is_empty()
        });
    }

    /// Asked of few, since every process is looked at: what is open somewhere in a folder that others
    /// share, and sockets that are listened on.
    fn spare_what_is_held(&mut self, plan: &mut Plan) {
        let is = |of: &[bool], item: &Item| of.get(item.root) == Some(&true);
        let path = |item: &Item| Some(self.roots.get(item.root)?.path().join(&*item.path));
        plan.items.retain(|item| {
            !is(&self.sockets, item)
                || path(item).is_some_and(|path| process::is_listened_on(&path) == Some(false))
        });
        if !plan.items.iter().any(|item| is(&self.shared, item)) {
            return;
        }
        let paths: Vec<PathBuf> =
            plan.items.iter().map(|item| path(item).unwrap_or_default()).collect();
        let held = process::are_held(&paths).unwrap_or_else(|_| vec![true; paths.len()]);
        let mut held = held.into_iter();
        plan.items.retain(|item| !(held.next() == Some(true) && is(&self.shared, item)));
    }
}

/// Each later rename of a directory makes it look used, as when it is put back: of tasks of ours none was used
/// later than the next one's.
fn in_their_order(kept: &mut [Candidate]) {
    let mut named: Vec<(TaskName, &mut Candidate)> =
        kept.iter_mut().filter_map(|it| Some((TaskName::of(&it.path)?, it))).collect();
    named.sort_by(|(a, _), (b, _)| b.cmp(a));
    let mut next: Option<Timestamp> = None;
    for (_, it) in named {
        let before_next = next.and_then(|next| next.checked_sub(SignedDuration::from_secs(1)).ok());
        it.size.used = match (it.size.used, before_next) {
            (Some(used), Some(before_next)) => Some(used.min(before_next)),
            (used, None) => used,
            (None, Some(before_next)) => Some(before_next),
        };
        next = it.size.used;
    }
}

/// The name of a task, `20261129T132425.358Z-a74acd.1`: of its run, which begins with the moment it was begun at,
/// and its number in that. One whose name was taken has another number behind it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct TaskName {
    run: String,
    numbers: Vec<u32>,
}

impl TaskName {
    fn of(path: &Path) -> Option<Self> {
        let name = path.to_str()?;
        let (moment, rest) = name.split_once("Z-")?;
        let is_moment = moment.len() == "20261129T132425.358".len()
            && moment.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'T' | b'.'));
        let mut parts = rest.split('.');
        let run = format!("{moment}Z-{}", parts.next()?);
        let numbers = parts.map(|part| part.parse().ok()).collect::<Option<Vec<u32>>>()?;
        (is_moment && !numbers.is_empty()).then_some(Self { run, numbers })
    }
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|about| about.is_dir())
}

fn is_of(entries: Entries, path: &Path) -> bool {
    let kind = || fs::symlink_metadata(path).map(|about| about.file_type());
    match entries {
        Entries::All => true,
        Entries::Folders => kind().is_ok_and(|kind| kind.is_dir()),
        Entries::Files => kind().is_ok_and(|kind| kind.is_file() || kind.is_symlink()),
        Entries::StaleSockets => kind().is_ok_and(|kind| kind.is_socket()),
    }
}

impl Folders {
    fn names_one(&self, meant: &str, name: &OsStr) -> bool {
        if self.exactly { OsStr::new(meant) == name } else { matches(meant, name) }
    }
}

/// Whether a name is of a pattern, in which `*` stands for anything.
fn matches(pattern: &str, name: &OsStr) -> bool {
    let name = name.as_bytes();
    let mut parts = pattern.as_bytes().split(|byte| *byte == b'*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&[u8]> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        let found = rest.windows(part.len()).position(|some| some == part);
        let Some(after) = found.and_then(|at| rest.get(at + part.len()..)) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_in_the_order_of_their_runs_and_numbers_and_other_names_in_none() {
        let name = |name: &str| TaskName::of(Path::new(name));
        let of = |run: &str| name(&format!("20261129T132425.358Z-{run}"));
        let sorted = [of("a74acd.2"), of("a74acd.2.1"), of("a74acd.10"), of("b00000.1")];
        assert!(sorted.iter().all(Option::is_some) && sorted.is_sorted());
        assert!(name("20261129T132425.358Z-ffffff.9") < name("20261130T000000.000Z-000000.1"));
        for other in ["run-1", "by-hand-1790000000", "20261129T132425.358Z-a74acd", "Z-a.1", ""] {
            assert!(name(other).is_none(), "{other}");
        }
        assert!(of("a74acd.unrecorded").is_none());
    }

    #[test]
    fn a_star_stands_for_anything_and_all_else_for_itself() {
        let is = |pattern, name: &str| matches(pattern, OsStr::new(name));
        for (pattern, name) in [
            ("*", ""),
            ("*", "a"),
            ("a*", "a"),
            ("a*c", "abc"),
            ("*b*", "abc"),
            ("a", "a"),
            ("a*b*c", "a1b2c"),
        ] {
            assert!(is(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("a", "ab"), ("a*", "ba"), ("*a", "ab"), ("a*a", "a"), ("?", "a"), ("a*b*c", "acb")]
        {
            assert!(!is(pattern, name), "{pattern} {name}");
        }
        assert!(matches("*\u{e9}", OsStr::from_bytes(b"\xff\xc3\xa9")));
    }
}
