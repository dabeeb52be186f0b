//! Docker, podman and simulators.

use std::fs;
use std::path::Path;
use std::process::Command;

use cleanup::preset::{Choice, Limits, Outcome, Platform};
use skipped::skipped;

use crate::scene::{Scene, fill, stand_in};

fn of_any_age(preset: &str) -> Choice {
    let limits = Limits { unused_days: Some(0), ..Limits::default() };
    Choice { limits, ..Choice::built_in(preset) }
}

/// Runs it and gives what it printed.
type Podman = Box<dyn Fn(&[&str]) -> String>;

/// A podman whose store is the scene's own: the true one behind a script that says where.
fn podman(scene: &mut Scene) -> Option<Podman> {
    let real = scene.around.path.iter().map(|folder| folder.join("podman")).find(|it| it.is_file());
    let Some(real) = real else {
        skipped("there is no podman");
        return None;
    };
    let home = scene.home().display().to_string();
    let script = format!(
        "exec {} --root '{home}/store' --runroot '{home}/run' --storage-driver vfs --cgroup-manager \
         cgroupfs --events-backend none \"$@\"",
        real.display()
    );
    let program = stand_in(scene, "podman", &script);
    let home = scene.home().to_owned();
    let run = move |words: &[&str]| {
        let output = Command::new(&program).args(words).current_dir(&home).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { said } else { format!("failed: {errors}") }
    };
    let info = run(&["info"]);
    if info.starts_with("failed") {
        skipped(&format!("podman does not work here: {}", info.trim()));
        return None;
    }
    Some(Box::new(run))
}

/// An image of one file, from a folder: no registry is asked.
fn image(scene: &Scene, podman: &dyn Fn(&[&str]) -> String) -> bool {
    fill(&scene.home().join("image/file"), 3_000_000);
    let mut tar = Command::new("tar");
    let tar = tar.args(["-C", "image", "-cf", "image.tar", "file"]).current_dir(scene.home());
    assert!(tar.status().unwrap().success());
    let made = podman(&["import", "image.tar", "one:latest"]);
    if made.starts_with("failed") {
        skipped(&format!("podman cannot import here: {}", made.trim()));
        return false;
    }
    true
}

#[test]
fn podman_says_before_what_goes_and_removes_what_nobody_uses() {
    let mut scene = Scene::new();
    let Some(podman) = podman(&mut scene) else { return };
    let nothing = scene.group(of_any_age("podman-images"));
    assert_eq!(nothing.notes, ["podman has nothing to go"]);
    if !image(&scene, &podman) {
        return;
    }
    let young = scene.clean(Choice::built_in("podman-images"));
    assert_eq!(young.1.steps[0].outcome, Outcome::Done);
    assert!(podman(&["images", "-q"]).trim().len() >= 12, "it was made today");
    let made = podman(&["create", "--name", "user", "one:latest", "/file"]);
    assert!(!made.starts_with("failed"), "{made}");
    let used = scene.group(of_any_age("podman-images"));
    assert_eq!(used.notes, ["podman has nothing to go"], "a container uses it");
    // Podman counts the age in whole seconds, and this one is to have any.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let (group, done) = scene.clean(of_any_age("podman-containers"));
    assert_eq!(group.bytes, Some(0), "it wrote nothing, and holds its image all the same");
    assert_eq!(done.steps[0].outcome, Outcome::Done, "{done:?}");
    assert_eq!(podman(&["ps", "-aq"]).trim(), "");
    let (group, done) = scene.clean(of_any_age("podman-images"));
    assert!(group.bytes.unwrap() >= 3_000_000, "{group:?}");
    assert_eq!(group.steps[0].words, "podman image prune --all --force --filter until=0h");
    assert_eq!(done.steps[0].outcome, Outcome::Done, "{done:?}");
    assert_eq!(podman(&["images", "-q"]).trim(), "");
    let volume = done.steps[0].volume.as_ref().unwrap();
    assert!(volume.total > 0);
    scene.around.idle = false;
    let busy = scene.group(of_any_age("podman-images"));
    assert_eq!(busy.notes, ["it is done only while no task runs on this machine"]);
    // Its store may have files that only it can remove.
    podman(&["system", "reset", "--force"]);
}

/// What `docker system df` of release 28 prints.
const DF: &str = r#"{"Active":"1","Reclaimable":"1.204GB (40%)","Size":"3.01GB","TotalCount":"9","Type":"Images"}
{"Active":"1","Reclaimable":"0B (0%)","Size":"12kB","TotalCount":"1","Type":"Containers"}
{"Active":"0","Reclaimable":"0B","Size":"0B","TotalCount":"0","Type":"Local Volumes"}
{"Active":"0","Reclaimable":"512MB","Size":"512MB","TotalCount":"20","Type":"Build Cache"}"#;

#[test]
fn docker_is_asked_first_and_told_the_age() {
    let mut scene = Scene::new();
    let script = format!(
        "echo \"$*\" >> \"$HOME/asked\"\ncase $1 in\nsystem) cat <<'END'\n{DF}\nEND\n;;\n\
         *) echo 'deleted: sha256:1'; echo; echo 'Total reclaimed space: 1.1GB';;\nesac"
    );
    stand_in(&mut scene, "docker", &script);
    let (group, done) = scene.clean(Choice::built_in("docker-images"));
    assert_eq!(group.bytes, Some(1_204_000_000));
    assert_eq!(group.notes, ["at most so much: what was used in the last 7 days stays"]);
    assert_eq!(done.steps[0].freed, Some(1_100_000_000));
    assert_eq!(done.steps[0].printed, ["deleted: sha256:1", "Total reclaimed space: 1.1GB"]);
    let asked = fs::read_to_string(scene.home().join("asked")).unwrap();
    let expected = "system df --format {{json .}}\nimage prune --all --force --filter until=168h\n";
    assert_eq!(asked, expected, "a dry run asks and no more");
    let none = scene.group(Choice::built_in("docker-containers"));
    assert_eq!((none.steps.len(), none.notes), (0, vec!["docker has nothing to go".to_owned()]));
    assert_eq!(scene.group(Choice::built_in("docker-build-cache")).bytes, Some(512_000_000));
}

#[test]
fn a_docker_that_is_not_there_or_does_not_answer_is_a_note_and_no_failure() {
    let mut scene = Scene::new();
    stand_in(&mut scene, "docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1");
    let notes = |scene: &Scene| scene.group(Choice::built_in("docker-images")).notes;
    let told = notes(&scene);
    assert!(told[0].ends_with("failed (1): Cannot connect to the Docker daemon"), "{told:?}");
    stand_in(&mut scene, "docker", "echo 'a new form'");
    let told = notes(&scene);
    assert!(told[0].contains("in a form that is not known here: a new form"), "{told:?}");
    scene.around.path = vec![scene.home().join("none")];
    if !Path::new("/usr/local/bin/docker").exists() {
        assert_eq!(notes(&scene), ["docker is not installed"]);
    }
    scene.around.platform = Platform::Macos;
    if !Path::new("/usr/bin/xcrun").exists() {
        assert_eq!(
            scene.group(Choice::built_in("xcode-simulators")).notes,
            ["xcrun is not installed"]
        );
    }
}

#[test]
fn simulators_that_no_xcode_can_start_are_counted_and_deleted() {
    let mut scene = Scene::new();
    scene.around.platform = Platform::Macos;
    let script = "echo \"$*\" >> \"$HOME/asked\"\n[ \"$2\" = list ] && echo '{\"devices\":{\"iOS-15\":[{\
                  \"dataPathSize\":1000,\"isAvailable\":false},{\"dataPathSize\":24}]}}'; exit 0";
    stand_in(&mut scene, "xcrun", script);
    let (group, done) = scene.clean(Choice::built_in("xcode-simulators"));
    assert_eq!(group.bytes, Some(1024));
    assert_eq!(done.steps[0].outcome, Outcome::Done);
    let asked = fs::read_to_string(scene.home().join("asked")).unwrap();
    assert_eq!(asked, "simctl list devices unavailable --json\nsimctl delete unavailable\n");
}
