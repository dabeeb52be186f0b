//! A folder with a root in it that may be cleaned, and canaries beside it that must live.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cleanup::{Fate, Plan, Progress, Receipt, Root, Rule, Stop, Survey, plan, remove, survey};
use jiff::Timestamp;

pub(crate) struct Yard {
    _folder: Option<tempfile::TempDir>,
    pub(crate) path: PathBuf,
    canary: BTreeMap<PathBuf, Canary>,
}

#[derive(Debug, PartialEq, Eq)]
struct Canary {
    inode: u64,
    mode: u32,
    owner: u32,
    content: Option<Vec<u8>>,
}

impl Yard {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        Self::at(path, Some(folder))
    }

    /// In a folder that is there already.
    pub(crate) fn at(path: PathBuf, folder: Option<tempfile::TempDir>) -> Self {
        fs::create_dir_all(path.join("root")).unwrap();
        for outside in ["home", "home/.ssh", "home/project", "home/project/deep"] {
            fs::create_dir_all(path.join(outside)).unwrap();
            for file in ["a", "b", "c"] {
                write(&path.join(outside).join(file), outside.as_bytes());
            }
        }
        let canary = look(&path.join("home"));
        Self { _folder: folder, path, canary }
    }

    /// Where the canaries are.
    pub(crate) fn home(&self) -> PathBuf {
        self.path.join("home")
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.path.join("root")
    }

    /// A new folder in the root.
    pub(crate) fn item(&self, name: &str) -> PathBuf {
        let item = self.root().join(name);
        fs::create_dir_all(&item).unwrap();
        item
    }

    pub(crate) fn plan(&self) -> Plan {
        let root = Root::given(&self.root()).unwrap();
        plan_of(&root)
    }

    /// All that is in the root is removed.
    pub(crate) fn clean(&self) -> Receipt {
        carry_out(&self.plan())
    }

    /// What a killed or hindered removal left is removed.
    pub(crate) fn sweep(&self) -> Receipt {
        let root = Root::given(&self.root()).unwrap();
        remove::sweep(&root, later(), later(), &Stop::never(), &Progress::default())
    }

    pub(crate) fn is_empty(&self) -> bool {
        fs::read_dir(self.root()).unwrap().next().is_none()
    }

    /// All that was in it has lost its name, and some of it is still to be deleted.
    pub(crate) fn is_nameless(&self) -> bool {
        let mut names = fs::read_dir(self.root()).unwrap().flatten().map(|entry| entry.file_name());
        names.next().is_some_and(|name| name == cleanup::TRASH) && names.next().is_none()
    }

    #[track_caller]
    pub(crate) fn canary_lives(&self) {
        assert_eq!(look(&self.home()), self.canary, "something outside of the root was touched");
    }

    #[track_caller]
    pub(crate) fn all_went(&self, receipt: &Receipt) {
        assert!(receipt.failures.is_empty(), "{:#?}", receipt.failures);
        assert!(
            receipt.items.iter().all(|item| item.fate == Fate::Deleted),
            "{:#?}",
            receipt.items
        );
        assert!(self.is_empty(), "{:?}", look(&self.root()).keys());
        self.canary_lives();
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap()
}

pub(crate) fn later() -> Timestamp {
    Timestamp::from_second(1_790_001_000).unwrap()
}

pub(crate) fn plan_of(root: &Root) -> Plan {
    let asked = Survey { index: 0, is_meant: &|_| true, lock: &|_| None, never_delete: &[] };
    let found = survey(root, &asked, &Stop::never(), &Progress::default()).unwrap();
    plan(vec![root.planned()], &found, &[Rule::All], now())
}

pub(crate) fn carry_out(plan: &Plan) -> Receipt {
    remove::set_aside(plan, now()).delete(&Stop::never(), &Progress::default())
}

pub(crate) fn write(path: &Path, content: &[u8]) {
    use std::io::Write;
    fs::File::create(path).unwrap().write_all(content).unwrap();
}

fn look(folder: &Path) -> BTreeMap<PathBuf, Canary> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let about = fs::symlink_metadata(&path).unwrap();
            if about.is_dir() {
                folders.push(path.clone());
            }
            let content = about.is_file().then(|| fs::read(&path).unwrap());
            let (inode, mode, owner) = (about.ino(), about.mode(), about.uid());
            found.insert(path, Canary { inode, mode, owner, content });
        }
    }
    found
}
