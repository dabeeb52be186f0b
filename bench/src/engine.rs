//! The clean-up as a program of its own, so that it is timed as its peers are: from its start to its
//! end. It does to one folder what it is told, and says what that took.
//!
//! ```text
//! bench-cleanup measure FOLDER          bytes, entries
//! bench-cleanup remove ROOT NAME        until its name was free, in us
//! both                                  the most memory it had, in bytes
//! ```

use std::io::{Error, Result};
use std::path::Path;
use std::time::Instant;

use cleanup::{Fate, Item, Plan, Progress, Root, Stop, measure, remove};
use jiff::Timestamp;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["measure", folder] => {
            let size = measure(Path::new(folder), &Stop::never(), &Progress::default())?;
            println!("bytes\t{}", size.bytes);
            println!("entries\t{}", size.files + size.folders);
        }
        ["remove", root, name] => {
            let plan = plan_of(Path::new(root), name)?;
            let begun = Instant::now();
            let aside = remove::set_aside(&plan, plan.made);
            println!("name_free_us\t{}", begun.elapsed().as_micros());
            let receipt = aside.delete(&Stop::never(), &Progress::default());
            let done = receipt.items.iter().all(|item| item.fate == Fate::Deleted);
            if !done {
                return Err(Error::other(format!("{receipt:?}")));
            }
        }
        _ => return Err(Error::other("usage: bench-cleanup measure FOLDER | remove ROOT NAME")),
    }
    println!("memory\t{}", most_memory()?);
    Ok(())
}

/// A plan of one folder that somebody chose: its size is not needed for that.
#[expect(clippy::disallowed_methods, reason = "a plan has a date")]
fn plan_of(root: &Path, name: &str) -> Result<Plan> {
    use std::os::unix::fs::MetadataExt;
    let about = std::fs::symlink_metadata(root.join(name))?;
    let root = Root::given(root).map_err(Error::other)?;
    let item = Item {
        root: 0,
        path: name.into(),
        inode: about.ino(),
        owner: about.uid(),
        bytes: 0,
        entries: 0,
        used: None,
        rule: "all".into(),
        why: "the bench".into(),
        lock: None,
    };
    Ok(Plan { version: 1, made: Timestamp::now(), roots: vec![root.planned()], items: vec![item] })
}

/// As the kernel noted it (proc(5), `VmHWM`), in bytes.
fn most_memory() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    number.map(|kilobytes| kilobytes * 1024).ok_or_else(|| Error::other("there is no VmHWM"))
}
