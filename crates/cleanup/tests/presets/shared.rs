//! The folder for temporary files, which others share.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use cleanup::preset::{Choice, Detail, Done, Limits, Undo, carry_out, own, sweep};
use cleanup::{Fate, Progress, Stop};

use crate::around::{Mounted, again, in_own_mounts, within};
use crate::scene::{Scene, fill, named};

fn leave(scene: &Scene) {
    fill(&scene.around.temp.join("circleci-agent-1/deep/file"), 10);
    fill(&scene.around.temp.join("circleci-file"), 10);
    fill(&scene.around.temp.join("other/file"), 10);
    symlink(scene.home(), scene.around.temp.join("circleci-link")).unwrap();
}

#[test]
fn what_was_used_today_is_of_somebody_else_or_open_somewhere_stays() {
    let mut scene = Scene::new();
    leave(&scene);
    fill(&scene.home().join("canary"), 1);
    let all = || Choice {
        limits: Limits { unused_days: Some(0), ..Limits::default() },
        ..Choice::built_in("circleci-temp")
    };
    assert_eq!(named(&scene.group(all())), [""; 0], "used today, whatever the limit says");
    scene.in_days(2);
    let everything = ["circleci-agent-1", "circleci-file", "circleci-link"];
    assert_eq!(named(&scene.group(all())), everything);
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(scene.around.temp.join("circleci-file"), Some(65534), None)
            .unwrap();
        assert_eq!(named(&scene.group(all())), ["circleci-agent-1", "circleci-link"]);
    }
    let mut stands = Command::new("sleep");
    let there = scene.around.temp.join("circleci-agent-1/deep");
    let mut stands = stands.arg("60").current_dir(there).stdout(Stdio::null()).spawn().unwrap();
    let spared = !named(&scene.group(all())).contains(&"circleci-agent-1".to_owned());
    stands.kill().unwrap();
    stands.wait().unwrap();
    assert!(spared, "a live process stands in it");
    let (group, done) = scene.clean(all());
    assert!(named(&group).contains(&"circleci-agent-1".to_owned()));
    assert_eq!(done.files.unwrap().failures, []);
    assert!(!scene.around.temp.join("circleci-agent-1").exists());
    assert!(scene.around.temp.join("other/file").exists() && scene.home().join("canary").exists());
    assert!(!scene.around.temp.join(cleanup::TRASH).exists());
}

/// However it is written: the owner's presets may name it by its path.
#[test]
fn what_others_share_is_known_by_its_rights_and_not_by_its_name() {
    let mut scene = Scene::new();
    leave(&scene);
    let table = "id = \"mine\"\nwhat = { folders = [{ root = \"ROOT\" }] }";
    let table = table.replace("ROOT", scene.around.temp.to_str().unwrap());
    let preset = own(&[table.parse().unwrap()]).0.remove(0);
    scene.around.temp = scene.home().join("another");
    assert_eq!(named(&scene.group(Choice::own(preset.clone()))), [""; 0], "used today");
    scene.in_days(2);
    assert_eq!(named(&scene.group(Choice::own(preset))).len(), 4);
}

/// As most Linux systems have it; with another file system mounted inside.
#[test]
fn it_may_be_a_mount_point_and_what_is_mounted_inside_stays() {
    if in_own_mounts("shared::it_may_be_a_mount_point_and_what_is_mounted_inside_stays") {
        return;
    }
    let mut scene = Scene::new();
    let _temp = Mounted::at(&scene.around.temp, "mode=1777");
    leave(&scene);
    let inside = scene.around.temp.join("circleci-mounts/inside");
    fs::create_dir_all(&inside).unwrap();
    let _inside = Mounted::at(&inside, "mode=1777");
    fill(&inside.join("canary"), 1);
    scene.in_days(2);
    let (group, done) = scene.clean(Choice::built_in("circleci-temp"));
    assert_eq!(group.notes, [""; 0]);
    assert_eq!(done.files.unwrap().failures, []);
    assert!(!scene.around.temp.join("circleci-agent-1").exists());
    assert!(inside.join("canary").exists(), "and it is where it was");
    // One that only some may write to is no folder that all share.
    scene.around.temp = "/proc".into();
    let refused = scene.group(Choice::built_in("circleci-temp"));
    assert!(refused.notes[0].contains("where a file system is mounted"), "{:?}", refused.notes);
}

#[test]
fn sockets_go_once_nobody_listens() {
    let mut scene = Scene::new();
    let temp = &scene.around.temp;
    let listens = UnixListener::bind(temp.join("live.sock")).unwrap();
    drop(UnixListener::bind(temp.join("stale.sock")).unwrap());
    fill(&temp.join("file"), 1);
    let stale = || Choice::built_in("stale-sockets");
    assert_eq!(named(&scene.group(stale())), [""; 0], "made today");
    scene.in_days(2);
    let (group, _) = scene.clean(stale());
    assert_eq!(named(&group), ["stale.sock"]);
    let left = |name: &str| scene.around.temp.join(name).exists();
    assert!(left("live.sock") && left("file") && !left("stale.sock"));
    drop(listens);
    assert_eq!(named(&scene.group(stale())), ["live.sock"]);
}

/// What this user left two days ago there, set aside or gone.
fn clean_temp(temp: &Path, undo: Undo) -> Done {
    let mut scene = Scene::new();
    temp.clone_into(&mut scene.around.temp);
    scene.around.others = true;
    scene.in_days(2);
    let draft = scene.draft(&[Choice::built_in("circleci-temp")], Detail::Quick);
    carry_out(&draft, undo, scene.now, &Stop::never(), &Progress::default())
}

fn fates(done: &Done) -> Vec<Fate> {
    let files = done.groups.iter().filter_map(|group| group.files.as_ref());
    files.flat_map(|files| files.items.iter().map(|item| item.fate.clone())).collect()
}

#[test]
fn each_user_of_a_shared_folder_has_a_trash_of_its_own() {
    const TEST: &str = "shared::each_user_of_a_shared_folder_has_a_trash_of_its_own";
    if let Some(temp) = within() {
        let temp = Path::new(&temp);
        fill(&temp.join("circleci-of-nobody"), 10);
        let done = clean_temp(temp, Undo::Kept);
        assert_eq!(fates(&done), [Fate::SetAside], "{done:?}");
        return;
    }
    if !rustix::process::geteuid().is_root() {
        skipped::skipped("a second user is at hand for root only");
        return;
    }
    let scene = Scene::new();
    let temp = &scene.around.temp;
    for folder in temp.ancestors().take(2) {
        let mode = if folder == temp { 0o1777 } else { 0o755 };
        fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
    }
    fill(&temp.join("circleci-of-root"), 10);
    assert_eq!(fates(&clean_temp(temp, Undo::Kept)), [Fate::SetAside]);
    let told = temp.to_str().unwrap();
    let status = again(TEST, told).env("HOME", "/").uid(65534).gid(65534).status().unwrap();
    assert!(status.success(), "as another user: {status}");
    let trash = |name: &str| fs::metadata(temp.join(name)).unwrap().uid();
    assert_eq!(trash(cleanup::TRASH), 0);
    assert_eq!(trash(&format!("{}-65534", cleanup::TRASH)), 65534);
    // Each is swept by whose it is.
    let around = scene.around.clone();
    let until = scene.now.checked_add(jiff::SignedDuration::from_hours(72)).unwrap();
    let choices = vec![Choice::built_in("circleci-temp")];
    let (stop, progress) = (Stop::never(), Progress::default());
    sweep(&choices, &around, until, until, &stop, &progress);
    assert!(!temp.join(cleanup::TRASH).exists());
    assert!(temp.join(format!("{}-65534", cleanup::TRASH)).exists());
}
