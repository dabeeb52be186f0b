//! Carries a plan out: first every name is made free, which takes no time and can be undone; then
//! what was set aside is deleted. Killed at any moment, each entry is whole under its name or gone
//! from it, and [`sweep`] does the rest.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use process::folder::{Facts, facts_at, facts_of, open_folder, open_up, open_up_opened, room_of};
use rustix::fs::{RenameFlags, renameat, renameat_with};
use rustix::io::Errno;

use crate::in_use::{InUse, in_use};
use crate::place::Place;
use crate::plan::{Item, Plan, VERSION};
use crate::put_back::rename_back;
use crate::receipt::{Fate, ItemReceipt, Receipt, VolumeReceipt};
use crate::roots::Root;
use crate::stop::{Progress, Stop};
use crate::trash::{Batch, OpenBatch, Trash, c_part};
use crate::tree::{Tally, Tree, delete};
use crate::why::{Failure, Why};

/// What a plan named, out of the way: [`Aside::delete`] it, or [`Aside::keep`] it to be put back.
pub struct Aside {
    roots: Vec<AsideRoot>,
    items: Vec<AsideItem>,
    failures: Vec<Failure>,
    at: Timestamp,
}

struct AsideRoot {
    root: Root,
    batch: Result<OpenBatch, Errno>,
    free_before: u64,
}

struct AsideItem {
    receipt: ItemReceipt,
    place: Option<Aparted>,
}

/// Where an item is now.
enum Aparted {
    InBatch {
        root: usize,
        name: CString,
    },
    /// There is no trash, for want of space or rights; it goes from where it is, or stays.
    InPlace {
        folder: Arc<OwnedFd>,
        name: CString,
        path: PathBuf,
        why: Errno,
    },
}

/// Frees the names of all that the plan lists, if each is still what was planned and not in use.
pub fn set_aside(plan: &Plan, now: Timestamp) -> Aside {
    let mut aside = Aside { roots: Vec::new(), items: Vec::new(), failures: Vec::new(), at: now };
    let refused = plan.refused();
    // Held until the last name is free: a task that begins meanwhile waits for some renames at most, and
    // finds no half of what was planned.
    let mut locks = BTreeMap::new();
    for lock in plan.items.iter().filter_map(|item| item.lock.as_ref()) {
        locks.entry(lock).or_insert_with(|| in_use(lock));
    }
    let mut roots: Vec<Result<usize, String>> = Vec::new();
    for (index, planned) in plan.roots.iter().enumerate() {
        let root = refused.clone().map_or_else(|| Root::again(planned), Err);
        roots.push(root.map(|root| {
            let items = plan.items.iter().filter(|item| item.root == index);
            let items: Vec<Place> = items.map(|item| item.path.clone()).collect();
            let batch = if items.is_empty() {
                Err(Errno::NOENT)
            } else {
                OpenBatch::make(&root, &items, now)
            };
            let free_before = root.free().unwrap_or(root.room.free);
            aside.roots.push(AsideRoot { root, batch, free_before });
            aside.roots.len() - 1
        }));
    }
    let mut numbers = vec![0_usize; plan.roots.len()];
    for item in &plan.items {
        let number = numbers.get_mut(item.root).map_or(0, |number| {
            *number += 1;
            *number - 1
        });
        let lock = item.lock.as_ref().and_then(|lock| locks.get(lock));
        let is_held = matches!(lock, Some(InUse::Held | InUse::Unknown(_)));
        match roots.get(item.root) {
            Some(Ok(root)) => aside.take(*root, item, number, is_held),
            Some(Err(why)) => aside.note(item, item.path.clone(), Fate::Refused(why.clone())),
            None => aside.note(item, item.path.clone(), Fate::Refused("it has no root".into())),
        }
    }
    aside
}

impl Aside {
    fn note(&mut self, item: &Item, path: Place, fate: Fate) {
        self.items.push(AsideItem { receipt: receipt_of(item, path, fate), place: None });
    }

    fn take(&mut self, at: usize, item: &Item, number: usize, is_held: bool) {
        let Some(aside) = self.roots.get(at) else { return };
        let path = Place::from(aside.root.path().join(&*item.path));
        if is_held {
            return self.note(item, path, Fate::InUse);
        }
        match aside.move_out(at, item, number) {
            Ok(place) => {
                let receipt = receipt_of(item, path, Fate::SetAside);
                self.items.push(AsideItem { receipt, place: Some(place) });
            }
            Err(Stays::As(fate)) => self.note(item, path, fate),
            Err(Stays::Because(why)) => {
                self.failures.push(Failure::new(path.clone(), why));
                self.note(item, path, Fate::Failed);
            }
        }
    }

    /// Leaves all in the trash, to be put back by [`put_back`](crate::put_back) or deleted by [`sweep`].
    /// What could not be kept so stays, or comes back to, where it was.
    pub fn keep(mut self) -> Receipt {
        for item in &mut self.items {
            let why = match &item.place {
                None => continue,
                Some(Aparted::InPlace { why, folder, name, .. }) => match *why {
                    Errno::NOSPC | Errno::DQUOT | Errno::MLINK => Why::NoRoom,
                    error => Why::of(error, folder, facts_of(folder).ok().as_ref(), name),
                },
                Some(Aparted::InBatch { root, name }) => {
                    let Some(root) = self.roots.get(*root) else { continue };
                    let Ok(batch) = &root.batch else { continue };
                    if !batch.batch.is_going() {
                        continue;
                    }
                    // There was no room for the list by which it could be put back.
                    let from = item.receipt.path.strip_prefix(root.root.path());
                    let back = from.map_err(|_| Errno::INVAL);
                    if back.and_then(|to| rename_back(&root.root, batch, name, to)).is_err() {
                        item.receipt.fate = Fate::Stopped;
                        continue;
                    }
                    Why::NoRoom
                }
            };
            item.receipt.fate = Fate::Failed;
            self.failures.push(Failure::new(item.receipt.path.clone(), why));
        }
        self.tidy();
        self.receipt()
    }

    /// Takes away batches and trashes with nothing in them.
    fn tidy(&self) {
        for root in &self.roots {
            if let Ok(batch) = &root.batch {
                batch.remove_if_empty();
                Trash::remove_if_empty(&root.root);
            }
        }
    }

    /// Deletes what was set aside.
    pub fn delete(mut self, stop: &Stop, progress: &Progress) -> Receipt {
        for root in &mut self.roots {
            // Where that fails it is deleted all the same, and a kill leaves it to be put back in part.
            let _ = root.batch.as_mut().map(OpenBatch::go);
        }
        let (mut trees, mut of) = (Vec::new(), Vec::new());
        let handles: Vec<Option<Arc<OwnedFd>>> = self
            .roots
            .iter()
            .map(|root| root.batch.as_ref().ok()?.open.try_clone().ok().map(Arc::new))
            .collect();
        for (index, item) in self.items.iter().enumerate() {
            let tree = match &item.place {
                None => None,
                Some(Aparted::InPlace { folder, name, path, why: _ }) => Some(Tree {
                    folder: Arc::clone(folder),
                    name: name.clone(),
                    path: path.clone(),
                }),
                Some(Aparted::InBatch { root, name }) => {
                    tree_in(&self.roots, &handles, *root, name)
                }
            };
            if let Some(tree) = tree {
                of.push((index, Arc::clone(&tree.folder), tree.name.clone()));
                trees.push(tree);
            }
        }
        let tallies = delete(trees, stop, progress);
        let mut removed = 0;
        let mut more_failures = 0;
        for ((index, folder, name), tally) in of.into_iter().zip(tallies) {
            let told = tell(&tally);
            removed += tally.removed.load(Ordering::Relaxed);
            more_failures += tally.more_failures.load(Ordering::Relaxed);
            if let Some(item) = self.items.get_mut(index) {
                item.receipt.freed = tally.freed.load(Ordering::Relaxed);
                item.receipt.fate = match facts_at(&folder, &name) {
                    Err(_) => Fate::Deleted,
                    Ok(_) if told.is_empty() => Fate::Stopped,
                    Ok(_) => Fate::Partly,
                };
            }
            self.failures.extend(told);
        }
        self.tidy();
        let mut receipt = self.receipt();
        (receipt.removed, receipt.more_failures) = (removed, more_failures);
        receipt
    }

    fn receipt(self) -> Receipt {
        let volume = |root: &AsideRoot| VolumeReceipt {
            path: root.root.path().into(),
            total: root.root.room.total,
            free_before: root.free_before,
            free_after: room_of(&root.root.open).map_or(root.free_before, |room| room.free),
        };
        Receipt {
            version: VERSION,
            at: self.at,
            freed: self.items.iter().map(|item| item.receipt.freed).sum(),
            removed: 0,
            volumes: self.roots.iter().map(volume).collect(),
            items: self.items.into_iter().map(|item| item.receipt).collect(),
            failures: self.failures,
            more_failures: 0,
        }
    }
}

fn tree_in(
    roots: &[AsideRoot],
    handles: &[Option<Arc<OwnedFd>>],
    root: usize,
    name: &CString,
) -> Option<Tree> {
    let (aside, handle) = (roots.get(root)?, handles.get(root)?.as_ref()?);
    let path = aside.batch.as_ref().ok()?.path(&aside.root);
    Some(Tree { folder: Arc::clone(handle), name: name.clone(), path })
}

fn receipt_of(item: &Item, path: Place, fate: Fate) -> ItemReceipt {
    let (rule, why) = (item.rule.clone(), item.why.clone());
    ItemReceipt { path, rule, why, planned: item.bytes, freed: 0, fate }
}

fn tell(tally: &Tally) -> Vec<Failure> {
    std::mem::take(&mut *tally.failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// Why an item is where it was.
enum Stays {
    As(Fate),
    Because(Why),
}

impl AsideRoot {
    fn move_out(&self, at: usize, item: &Item, number: usize) -> Result<Aparted, Stays> {
        let (folder, above, name) = self.parent_of(item)?;
        let facts = match facts_at(&folder, &name) {
            Ok(facts) => facts,
            Err(Errno::NOENT) => return Err(Stays::As(Fate::Gone)),
            Err(error) => return Err(Stays::Because(Why::of(error, &folder, Some(&above), &name))),
        };
        if facts.device != self.root.facts.device {
            return Err(Stays::Because(Why::Mounted));
        }
        if !item.is(&facts) {
            let is_mount = matches!(open_folder(&folder, &name), Err(Errno::XDEV));
            return Err(if is_mount {
                Stays::Because(Why::Mounted)
            } else {
                Stays::As(Fate::Changed)
            });
        }
        let folder = Arc::new(folder);
        let path = self.root.path().join(&*item.path);
        let in_place = |why| {
            let path = path.parent().unwrap_or(&path).to_owned();
            Aparted::InPlace { folder: Arc::clone(&folder), name: name.clone(), path, why }
        };
        let batch = match &self.batch {
            Ok(batch) => batch,
            Err(why) => return Ok(in_place(*why)),
        };
        let to = CString::new(number.to_string()).unwrap_or_default();
        let rename = || renameat(&*folder, &name, &batch.open, &to);
        let renamed = rename().or_else(|error| match error {
            // Read-only folders: the one it lies in, and itself, whose entry `..` changes.
            Errno::ACCESS | Errno::PERM => {
                if above.inode != self.root.facts.inode {
                    let _ = open_up_opened(&*folder);
                }
                let _ = open_up(&*folder, &name);
                rename().map_err(|_| error)
            }
            other => Err(other),
        });
        match renamed {
            Ok(()) => {}
            Err(Errno::NOENT) => return Err(Stays::As(Fate::Gone)),
            Err(why @ (Errno::NOSPC | Errno::DQUOT | Errno::MLINK)) => return Ok(in_place(why)),
            Err(error) => {
                return Err(Stays::Because(Why::of(error, &folder, Some(&above), &name)));
            }
        }
        // Somebody may have changed the names between the look and the rename.
        if !facts_at(&batch.open, &to).is_ok_and(|facts| item.is(&facts)) {
            let _ = renameat_with(&batch.open, &to, &*folder, &name, RenameFlags::NOREPLACE);
            return Err(Stays::As(Fate::Changed));
        }
        Ok(Aparted::InBatch { root: at, name: to })
    }

    /// The folder that an item lies in, found from the root down.
    fn parent_of(&self, item: &Item) -> Result<(OwnedFd, Facts, CString), Stays> {
        let mut parts: Vec<CString> =
            item.path.components().map(|part| c_part(part.as_os_str())).collect();
        let Some(name) = parts.pop() else { return Err(Stays::As(Fate::Changed)) };
        let opened = || -> Result<(OwnedFd, Facts), Errno> {
            let mut folder = open_folder(&self.root.open, c".")?;
            for part in &parts {
                folder = open_folder(&folder, part)?;
            }
            let facts = facts_of(&folder)?;
            Ok((folder, facts))
        };
        match opened() {
            Ok((folder, facts)) => Ok((folder, facts, name)),
            Err(Errno::NOENT) => Err(Stays::As(Fate::Gone)),
            Err(Errno::LOOP | Errno::NOTDIR) => Err(Stays::As(Fate::Changed)),
            Err(error) => Err(Stays::Because(Why::of(error, &self.root.open, None, &name))),
        }
    }
}

impl Item {
    /// The same entry, and still its owner's.
    fn is(&self, facts: &Facts) -> bool {
        (self.inode, self.owner) == (facts.inode, facts.owner)
    }
}

/// The batches in a root's trash, the oldest first.
pub fn batches(root: &Root) -> Result<Vec<Batch>, Errno> {
    Trash::of(root)?.map_or(Ok(Vec::new()), |trash| trash.batches())
}

/// Deletes what lies in a root's trash: what was going when somebody was killed, and what was set
/// aside before `until`.
pub fn sweep(
    root: &Root,
    until: Timestamp,
    now: Timestamp,
    stop: &Stop,
    progress: &Progress,
) -> Receipt {
    let listed = batches(root).unwrap_or_default();
    let due = listed
        .into_iter()
        .filter(|batch| batch.is_going() || batch.at().is_none_or(|at| at < until));
    let (mut trees, mut open) = (Vec::new(), Vec::new());
    for batch in due {
        let opened = Trash::of(root).ok().flatten().and_then(|trash| trash.open_batch(&batch).ok());
        let Some(mut batch) = opened else { continue };
        let _ = batch.go();
        let Some(handle) = batch.open.try_clone().ok().map(Arc::new) else { continue };
        let (path, names) = (batch.path(root), batch.names().unwrap_or_default());
        for name in names.into_iter().filter(|name| !OpenBatch::is_list(name)) {
            trees
                .push((open.len(), Tree { folder: Arc::clone(&handle), name, path: path.clone() }));
        }
        open.push(batch);
    }
    let free_before = root.free().unwrap_or(root.room.free);
    let (of, trees): (Vec<usize>, Vec<Tree>) = trees.into_iter().unzip();
    let tallies = delete(trees, stop, progress);
    let mut items: Vec<ItemReceipt> = open.iter().map(|batch| swept(&batch.path(root))).collect();
    let (mut failures, mut more_failures, mut removed) = (Vec::new(), 0, 0);
    for (index, tally) in of.into_iter().zip(tallies) {
        removed += tally.removed.load(Ordering::Relaxed);
        more_failures += tally.more_failures.load(Ordering::Relaxed);
        let told = tell(&tally);
        if let Some(item) = items.get_mut(index) {
            item.freed += tally.freed.load(Ordering::Relaxed);
            if !told.is_empty() {
                item.fate = Fate::Partly;
            }
        }
        failures.extend(told);
    }
    for (batch, item) in open.iter().zip(&mut items) {
        batch.remove_if_empty();
        let is_left = batch.names().is_ok_and(|names| !names.is_empty());
        if is_left && item.fate == Fate::Deleted {
            item.fate = Fate::Stopped;
        }
    }
    Trash::remove_if_empty(root);
    Receipt {
        version: VERSION,
        at: now,
        freed: items.iter().map(|item| item.freed).sum(),
        removed,
        items,
        volumes: vec![VolumeReceipt {
            path: root.path().into(),
            total: root.room.total,
            free_before,
            free_after: root.free().unwrap_or(free_before),
        }],
        failures,
        more_failures,
    }
}

fn swept(path: &Path) -> ItemReceipt {
    ItemReceipt {
        path: path.into(),
        rule: "trash".into(),
        why: "it was set aside before".into(),
        planned: 0,
        freed: 0,
        fate: Fate::Deleted,
    }
}
