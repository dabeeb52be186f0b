//! For any tree and any rules: no plan leads out of its roots or names what is in use, and the sum of
//! a receipt is what is gone.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

use std::fs;
use std::path::{Path, PathBuf};

use cleanup::{
    Candidate, Goal, Plan, PlannedRoot, Progress, Root, Rule, Size, Stop, Survey, measure, plan,
    put_back, remove, survey,
};
use jiff::Timestamp;
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let rule =
        prop_oneof![
            Just(Rule::All),
            (0_usize..6).prop_map(Rule::KeepLast),
            (0_u32..40).prop_map(|days| Rule::UnusedFor { days }),
            (0_u64..5000).prop_map(|bytes| Rule::AtMost { bytes }),
            (0_u64..3, 0_u64..5000, 0_u64..9000)
                .prop_map(|(device, free, wanted)| Rule::Free(Goal { device, free, wanted })),
        ];
    prop::collection::vec(rule, 0..4)
}

fn candidate() -> impl Strategy<Value = Candidate> {
    let path = prop_oneof![
        "[a-z]{1,3}(/[a-z]{1,2})?",
        Just("..".to_owned()),
        Just("/etc".to_owned()),
        Just(String::new()),
        Just("a/../../b".to_owned()),
    ];
    let size = (0_u64..3000, 0_u64..500, prop::option::of(0_i64..4_000_000));
    (0_usize..4, path, size, any::<bool>(), any::<bool>()).prop_map(
        |(root, path, (bytes, shared, used), is_in_use, never_delete)| Candidate {
            root,
            path: path.into(),
            inode: 1,
            owner: 1,
            size: Size { bytes, shared, used: used.map(at), complete: true, ..Size::default() },
            lock: None,
            is_in_use,
            never_delete,
        },
    )
}

proptest! {
    #[test]
    fn no_plan_leads_out_of_its_roots_or_names_what_is_in_use_or_marked(
        candidates in prop::collection::vec(candidate(), 0..12),
        rules in rules(),
    ) {
        let root = |device| PlannedRoot { path: "/w".into(), device, inode: 1, volume: 1, trash: None };
        let made = plan(vec![root(0), root(1)], &candidates, &rules, at(4_000_000));
        prop_assert_eq!(made.refused(), None);
        for item in &made.items {
            prop_assert!(item.root < 2);
            let path = Path::new("/w").join(&*item.path);
            prop_assert!(path.starts_with("/w") && path != Path::new("/w"));
            prop_assert!(!path.components().any(|part| part.as_os_str() == ".."));
            prop_assert!(!item.why.is_empty());
            let named = candidates.iter().any(|it| {
                it.path == item.path && it.root == item.root && !it.is_in_use && !it.never_delete
            });
            prop_assert!(named, "{}", item.path);
        }
        let bytes = |plan: &Plan| plan.items.iter().map(|item| item.bytes).sum::<u64>();
        prop_assert_eq!(made.bytes(), bytes(&made));
        let json = serde_json::to_string(&made).unwrap();
        prop_assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), made);
    }
}

/// What one step of making a tree does, in one of a few folders.
#[derive(Clone, Debug)]
enum Make {
    Folder(u8, u8),
    File(u8, u8, usize),
    Sparse(u8, u8),
    Link(u8, u8),
    HardLink(u8, u8, u8, u8),
    HardLinkOutside(u8, u8),
}

fn make() -> impl Strategy<Value = Make> {
    prop_oneof![
        (0_u8..6, 0_u8..6).prop_map(|(a, b)| Make::Folder(a, b)),
        (0_u8..6, 0_u8..6, 0_usize..20_000).prop_map(|(a, b, size)| Make::File(a, b, size)),
        (0_u8..6, 0_u8..6).prop_map(|(a, b)| Make::Sparse(a, b)),
        (0_u8..6, 0_u8..6).prop_map(|(a, b)| Make::Link(a, b)),
        (0_u8..6, 0_u8..6, 0_u8..6, 0_u8..6).prop_map(|(a, b, c, d)| Make::HardLink(a, b, c, d)),
        (0_u8..6, 0_u8..6).prop_map(|(a, b)| Make::HardLinkOutside(a, b)),
    ]
}

fn build(base: &Path, steps: &[Make]) {
    use std::io::Write;
    let entry = |a: &u8, b: &u8| base.join(format!("root/item-{a}/entry-{b}"));
    for item in 0..6 {
        fs::create_dir_all(base.join(format!("root/item-{item}"))).unwrap();
    }
    fs::create_dir_all(base.join("outside")).unwrap();
    fs::File::create(base.join("outside/file")).unwrap().write_all(&[1; 9000]).unwrap();
    for step in steps {
        // Two steps may want one name: the first has it.
        let _ = match step {
            Make::Folder(a, b) => fs::create_dir_all(entry(a, b).join("in/side")),
            Make::File(a, b, size) => fs::File::create_new(entry(a, b)).and_then(|mut file| {
                file.write_all(&vec![7; *size])?;
                file.sync_all()
            }),
            Make::Sparse(a, b) => {
                fs::File::create_new(entry(a, b)).and_then(|file| file.set_len(1 << 30))
            }
            Make::Link(a, b) => std::os::unix::fs::symlink(base.join("outside"), entry(a, b)),
            Make::HardLink(a, b, c, d) => fs::hard_link(entry(a, b), entry(c, d)),
            Make::HardLinkOutside(a, b) => fs::hard_link(base.join("outside/file"), entry(a, b)),
        };
    }
}

fn size_of(folder: &Path) -> Size {
    measure(folder, &Stop::never(), &Progress::default()).unwrap()
}

fn lock_of(base: &Path, item: &Path) -> PathBuf {
    base.join("locks").join(item)
}

/// The locks of those items whose bits are set, held as their tasks hold them.
fn held(base: &Path, bits: u8) -> Vec<fs::File> {
    let items = (0..6_u8).filter(|item| bits >> item & 1 == 1);
    let hold = |item| {
        let lock = fs::File::create(lock_of(base, Path::new(&format!("item-{item}")))).unwrap();
        lock.lock().unwrap();
        lock
    };
    items.map(hold).collect()
}

fn planned(base: &Path, is_meant: &dyn Fn(&Path) -> bool) -> Plan {
    let root = Root::given(&base.join("root")).unwrap();
    // One has no lock, and one a lock that was never made.
    let locked = |name: &Path| (name != Path::new("item-4")).then(|| lock_of(base, name));
    let asked = Survey { index: 0, is_meant, lock: &locked, never_delete: &[] };
    let found = survey(&root, &asked, &Stop::never(), &Progress::default()).unwrap();
    plan(vec![root.planned()], &found, &[Rule::All], at(1_790_000_000))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_sum_of_a_receipt_is_what_is_gone(
        steps in prop::collection::vec(make(), 0..40),
        chosen in any::<u8>(),
        undo in any::<bool>(),
        (held_before, held_since) in (any::<u8>(), any::<u8>()),
    ) {
        // Those without a lock cannot be held.
        let lockable = !(1 << 4);
        let (held_before, held_since) = (held_before & lockable, held_since & lockable & !held_before);
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        build(&base, &steps);
        fs::create_dir(base.join("locks")).unwrap();
        let _tasks = held(&base, held_before);
        for item in 0..4 {
            fs::File::options().create(true).append(true).open(base.join(format!("locks/item-{item}"))).unwrap();
        }
        let before = size_of(&base);
        let is_meant = |name: &Path| {
            let number = name.to_str().and_then(|name| name.strip_prefix("item-")?.parse::<u8>().ok());
            number.is_some_and(|number| chosen >> number & 1 == 1)
        };
        let plan = planned(&base, &is_meant);
        for item in &plan.items {
            let number: u8 = item.path.to_str().unwrap()["item-".len()..].parse().unwrap();
            prop_assert!(held_before >> number & 1 == 0, "{} is held", item.path);
        }
        let (stop, progress) = (Stop::never(), Progress::default());
        if undo {
            // Put back, it is as it was; then it goes.
            remove::set_aside(&plan, at(1_790_000_000)).keep();
            let root = Root::given(&base.join("root")).unwrap();
            for batch in remove::batches(&root).unwrap() {
                let put = put_back::put_back(&root, &batch).unwrap();
                prop_assert!(put.iter().all(|(_, put)| *put == put_back::PutBack::Done), "{put:?}");
            }
            let again = size_of(&base);
            prop_assert_eq!((again.bytes, again.files, again.folders), (before.bytes, before.files, before.folders));
        }
        let _later_tasks = held(&base, held_since);
        let before = size_of(&base);
        let receipt = remove::set_aside(&plan, at(1_790_000_000)).delete(&stop, &progress);
        let after = size_of(&base);
        prop_assert_eq!(before.bytes - after.bytes, receipt.freed);
        prop_assert_eq!(before.files + before.folders - after.files - after.folders, receipt.removed);
        prop_assert_eq!((progress.bytes(), progress.entries()), (receipt.freed, receipt.removed));
        if held_since == 0 {
            prop_assert!(receipt.freed >= plan.bytes(), "a plan promises no more than comes");
        }
        prop_assert!(receipt.failures.is_empty());
        for item in 0..6_u8 {
            let there = base.join(format!("root/item-{item}")).exists();
            let stays = chosen >> item & 1 == 0 || (held_before | held_since) >> item & 1 == 1;
            prop_assert_eq!(there, stays, "item-{}", item);
        }
    }
}

/// Three entries set aside in one batch, whose list is `list` then.
fn set_aside_with(list: &[u8]) -> (tempfile::TempDir, Root, cleanup::Batch) {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().canonicalize().unwrap();
    build(&base, &[]);
    let plan = planned(&base, &|name| name < Path::new("item-3"));
    remove::set_aside(&plan, at(1_790_000_000)).keep();
    let root = Root::given(&base.join("root")).unwrap();
    let batch = remove::batches(&root).unwrap().remove(0);
    let file = base.join("root").join(cleanup::TRASH).join(batch.name()).join("batch.json");
    if !list.is_empty() {
        use std::io::Write;
        fs::File::create(file).unwrap().write_all(list).unwrap();
    }
    (folder, root, batch)
}

/// Nothing of it is anywhere else, and in time it goes as all others do.
fn is_told_and_swept(list: &[u8]) {
    let (_folder, root, batch) = set_aside_with(list);
    let outside = || fs::read(root.path().parent().unwrap().join("outside/file")).unwrap();
    let (before, put) = (outside(), put_back::put_back(&root, &batch));
    match put {
        Err(why) => assert!(why.to_string().contains("it lies in"), "{why}"),
        Ok(put) => assert!(put.iter().all(|(_, put)| *put != put_back::PutBack::Done), "{put:?}"),
    }
    let there = (0..6).filter(|item| root.path().join(format!("item-{item}")).exists()).count();
    assert_eq!(there, 3);
    let (stop, progress) = (Stop::never(), Progress::default());
    remove::sweep(&root, at(1_790_000_001), at(1_790_000_001), &stop, &progress);
    assert!(remove::batches(&root).unwrap().is_empty());
    assert_eq!(outside(), before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_batch_whose_list_is_any_bytes_is_told_and_swept(
        list in prop_oneof![
            prop::collection::vec(any::<u8>(), 1..200),
            "\\{\"version\":[0-9]{1,12},\"items\":\\[(\"(\\.\\./outside|/etc|)\",?){0,3}\\]?\\}?"
                .prop_map(String::into_bytes),
        ],
    ) {
        is_told_and_swept(&list);
    }
}

/// As a power cut leaves it, whose bytes never came to the disk.
#[test]
fn a_batch_whose_list_was_torn_is_told_with_its_place_and_swept() {
    let (_folder, root, batch) = set_aside_with(&[]);
    let file = root.path().join(cleanup::TRASH).join(batch.name()).join("batch.json");
    let whole = fs::read(file).unwrap();
    for cut in (0..whole.len()).step_by(7) {
        let mut zeros = whole.clone();
        zeros[cut..].fill(0);
        is_told_and_swept(&zeros);
        if cut > 0 {
            is_told_and_swept(&whole[..cut]);
        }
    }
}

#[test]
fn what_a_living_task_holds_is_in_no_plan_and_is_not_removed_by_an_older_one() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().canonicalize().unwrap();
    for item in ["root/held", "root/free", "locks"] {
        fs::create_dir_all(base.join(item)).unwrap();
    }
    let root = Root::given(&base.join("root")).unwrap();
    let lock = |name: &Path| Some(base.join("locks").join(name));
    let made = || {
        let asked = Survey { index: 0, is_meant: &|_| true, lock: &lock, never_delete: &[] };
        let found = survey(&root, &asked, &Stop::never(), &Progress::default()).unwrap();
        plan(vec![root.planned()], &found, &[Rule::All], at(1_790_000_000))
    };
    let names = |plan: &Plan| {
        let names = plan.items.iter().map(|it| it.path.to_string());
        names.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    let before = made();
    assert_eq!(names(&before), ["free", "held"]);
    let holder = fs::File::create(base.join("locks/held")).unwrap();
    holder.lock().unwrap();
    assert_eq!(names(&made()), ["free"]);
    let carry_out = |plan: &Plan| {
        remove::set_aside(plan, at(1_790_000_000)).delete(&Stop::never(), &Progress::default())
    };
    let receipt = carry_out(&before);
    for item in &receipt.items {
        let held = item.path.ends_with("held");
        let expected = if held { cleanup::Fate::InUse } else { cleanup::Fate::Deleted };
        assert_eq!(item.fate, expected, "{}", item.path);
    }
    assert!(base.join("root/held").exists());
    drop(holder);
    assert_eq!(carry_out(&made()).items[0].fate, cleanup::Fate::Deleted);
}
