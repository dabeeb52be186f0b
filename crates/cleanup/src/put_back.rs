//! Puts back what was set aside, each entry to where it was, and never over what has its name since.

use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};

use process::folder::open_folder;
use rustix::fs::{RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::place::Place;
use crate::roots::{Root, is_beside};
use crate::trash::{Batch, List, OpenBatch, Trash, c_part};

/// What became of an entry that was to be put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutBack {
    Done,
    /// It lies in the trash still: something else has its name.
    NameTaken,
    /// It is not in the trash.
    Gone,
    /// It lies in the trash still.
    Failed(String),
}

/// The folder that what a batch has is put back to. An error: it cannot be put back.
pub fn goes_to(root: &Root, batch: &Batch) -> std::io::Result<PathBuf> {
    let (_, list) = listed(root, batch)?;
    Ok(list.root.map_or_else(|| root.path().to_owned(), |of| of.to_path_buf()))
}

fn listed(root: &Root, batch: &Batch) -> std::io::Result<(OpenBatch, List)> {
    if batch.is_going() {
        return Err(std::io::Error::other("it is being deleted already"));
    }
    let Some(trash) = Trash::of(root)? else { return Err(Errno::NOENT.into()) };
    let open = trash.open_batch(batch)?;
    let list = open.list().map_err(|error| {
        let path = open.path(root);
        std::io::Error::other(format!("{error}; until it is deleted it lies in {}", path.display()))
    })?;
    Ok((open, list))
}

/// Puts back what a batch has, each to where it was. `root`: the folder that the trash lies in. An error:
/// the batch cannot be put back.
pub fn put_back(root: &Root, batch: &Batch) -> std::io::Result<Vec<(Place, PutBack)>> {
    let (open, list) = listed(root, batch)?;
    let beside = match &list.root {
        None => None,
        Some(of) if is_beside(of, root.path()) => Some(Root::open(of.to_path_buf())?),
        Some(of) => return Err(std::io::Error::other(format!("{of} is not beside it"))),
    };
    let to = beside.as_ref().unwrap_or(root);
    let mut done = Vec::new();
    for (number, item) in list.items.into_iter().enumerate() {
        let name = CString::new(number.to_string()).unwrap_or_default();
        let put =
            if item.is_below() { rename_back(to, &open, &name, &item) } else { Err(Errno::INVAL) };
        let put = match put {
            Ok(()) => PutBack::Done,
            Err(Errno::EXIST | Errno::NOTEMPTY) => PutBack::NameTaken,
            Err(Errno::NOENT) => PutBack::Gone,
            Err(error) => PutBack::Failed(error.to_string()),
        };
        done.push((item, put));
    }
    open.remove_if_empty();
    Trash::remove_if_empty(root);
    Ok(done)
}

pub(crate) fn rename_back(
    root: &Root,
    batch: &OpenBatch,
    from: &CStr,
    item: &Path,
) -> Result<(), Errno> {
    let mut parts: Vec<CString> = item.components().map(|part| c_part(part.as_os_str())).collect();
    let name = parts.pop().ok_or(Errno::INVAL)?;
    let mut folder = open_folder(&root.open, c".")?;
    for part in &parts {
        folder = open_folder(&folder, part)?;
    }
    renameat_with(&batch.open, from, &folder, &name, RenameFlags::NOREPLACE)
}
