use std::collections::BTreeSet;
use std::io::Read as _;

use super::*;
use crate::read_by::read_by;
use crate::{cli, shipped};

const ALL: [Package; 3] = [Package::Deb, Package::Rpm, Package::App];
const PROGRAMS: [&str; 4] =
    ["runner-tray", "runnerctl", "runner-tray-keeper", "runner-tray-supervisor"];

/// The tables, and what they name, without what is built: a project of the test's own.
fn project() -> tempfile::TempDir {
    let root = crate::root();
    let project = tempfile::tempdir().expect("a folder");
    fs::create_dir(project.path().join("installers")).expect("a folder");
    for part in [
        "installers/linux",
        "installers/macos",
        "icons",
        "CHANGELOG.md",
        "LICENSE-APACHE",
        "LICENSE-MIT",
    ] {
        let (from, to) = (root.join(part).canonicalize(), project.path().join(part));
        std::os::unix::fs::symlink(from.expect("there"), to).expect("a link");
    }
    let generated = [cli::shipped(&root).expect("made"), vec![shipped::unit(&root)]].concat();
    for file in generated {
        let below = file.path.strip_prefix(&root).expect("below the project");
        generated::write(&project.path().join(below), &file.bytes).expect("written");
    }
    // What takes long to make, and is looked at where it is made.
    for name in ["third-party", "macos/runner-tray.icns"] {
        let path = project.path().join("installers/generated").join(name);
        generated::write(&path, b"short").expect("written");
    }
    for name in PROGRAMS {
        let program = project.path().join("program").join(name);
        generated::write(&program, format!("{name}\n").as_bytes()).expect("written");
    }
    project
}

fn laid_out(package: Package, project: &Path) -> (PathBuf, Vec<PathBuf>) {
    let into = project.join("tree");
    let left_out = lay_out(package, project, &project.join("program"), &into).expect("laid out");
    (into, left_out)
}

fn places(package: Package, project: &Path) -> Vec<String> {
    let rows = rows(package, project).expect("rows");
    rows.iter().map(|row| row.place.to_string_lossy().into_owned()).collect()
}

#[test]
fn each_package_has_the_four_programs_side_by_side_and_no_place_twice() {
    let project = project();
    for package in ALL {
        let places = places(package, project.path());
        let folder = if package == Package::App { "Contents/MacOS" } else { "usr/bin" };
        let mut there: Vec<&str> = places
            .iter()
            .filter_map(|place| place.strip_prefix(folder)?.strip_prefix('/'))
            .collect();
        there.sort_unstable();
        let mut all = PROGRAMS;
        all.sort_unstable();
        assert_eq!(there, all, "{package:?}");
        let once: BTreeSet<&String> = places.iter().collect();
        assert_eq!(once.len(), places.len(), "{package:?}: a place is there twice");
    }
}

#[test]
fn a_package_is_laid_out_with_the_modes_of_its_table_and_all_but_what_the_bundler_adds() {
    let project = project();
    for package in [Package::Deb, Package::Rpm] {
        let (tree, left_out) = laid_out(package, project.path());
        let linux = std::env::consts::OS == "linux";
        assert_eq!(left_out.is_empty(), linux, "{left_out:?}");
        for row in rows(package, project.path()).expect("rows") {
            let place = tree.join(&row.place);
            if row.source == Source::Bundler || left_out.contains(&row.place) {
                assert!(!place.exists(), "{}", place.display());
                continue;
            }
            let mode = fs::metadata(&place).expect("there").permissions().mode() & 0o7777;
            assert_eq!(mode, row.mode, "{}", place.display());
        }
        let page = fs::read(tree.join("usr/share/man/man1/runnerctl-pause.1.gz")).expect("a page");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&page[..]).read_to_string(&mut text).expect("packed");
        assert!(text.contains(".TH runnerctl-pause 1"), "{text}");
    }
}

#[test]
fn the_icons_that_the_bundler_adds_are_those_that_it_is_told_of() {
    let root = crate::root();
    let text = fs::read(root.join("installers/linux/bundle.json")).expect("there");
    let told: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    let mut told: Vec<String> = told["bundle"]["icon"]
        .as_array()
        .expect("icons")
        .iter()
        .map(|icon| {
            let path = root.join("src-tauri").join(icon.as_str().expect("a path"));
            let picture = resvg::tiny_skia::Pixmap::load_png(path).expect("a picture");
            let (width, height) = (picture.width(), picture.height());
            format!("usr/share/icons/hicolor/{width}x{height}/apps/runner-tray.png")
        })
        .collect();
    told.sort();
    let mut listed = places(Package::Deb, project().path());
    listed.retain(|place| {
        place.contains("hicolor") && Path::new(place).extension().is_some_and(|it| it == "png")
    });
    listed.sort();
    assert_eq!(told, listed);
}

#[test]
fn the_unit_of_a_package_starts_the_supervisor_that_it_installs() {
    let project = project();
    let (tree, _) = laid_out(Package::Deb, project.path());
    let unit = tree.join("usr/lib/systemd/user/runner-tray-supervisor.service");
    let unit = fs::read_to_string(unit).expect("a unit");
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("a start");
    let program = start.trim_matches('"').trim_start_matches('/');
    assert!(places(Package::Deb, project.path()).iter().any(|place| place == program), "{start}");
    // What `runnerctl supervisor enable` would write there, byte for byte: so it writes no second one.
    let program = Path::new("/").join(program);
    assert_eq!(unit, host::login_service::systemd_unit(&program, None));
}

#[test]
fn the_desktop_entry_is_valid_and_names_what_is_installed() {
    let path = crate::root().join("installers/linux/runner-tray.desktop");
    let entry = fs::read(&path).expect("there");
    let said = read_by("desktop-file-validate", &["--warn-kde"], &path, &entry);
    assert_eq!(said.unwrap_or_default(), "");
    let entry = String::from_utf8(entry).expect("text");
    for line in ["Exec=runner-tray", "Icon=runner-tray", "StartupNotify=true"] {
        assert!(entry.lines().any(|known| known == line), "{line} is missing");
    }
}

#[test]
fn the_man_pages_that_are_written_by_hand_are_read_without_a_warning() {
    let folder = crate::root().join("installers/linux/man");
    let pages: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert_eq!(pages.len(), 3);
    for path in pages {
        let page = fs::read(&path).expect("a page");
        let said = read_by("groff", &["-man", "-ww", "-z", "-Tutf8"], &path, &page);
        assert_eq!(said.unwrap_or_default(), "", "{}", path.display());
    }
}

#[test]
fn the_app_for_macos_is_laid_out_and_names_what_only_a_mac_can_build() {
    let project = project();
    let (app, mut left_out) = laid_out(Package::App, project.path());
    if std::env::consts::OS != "macos" {
        left_out.sort();
        let of = |name| Path::new("Contents/MacOS").join(name);
        let mut programs = PROGRAMS.map(of);
        programs.sort();
        assert_eq!(left_out, programs);
    }
    let info = plist::Value::from_file(app.join("Contents/Info.plist")).expect("a list");
    let info = info.as_dictionary().expect("keys");
    let text = |key: &str| info.get(key).and_then(plist::Value::as_string).unwrap_or_default();
    assert_eq!(text("CFBundleIdentifier"), "dev.runner-tray.app");
    assert_eq!(text("CFBundlePackageType"), "APPL");
    assert_eq!(text("CFBundleShortVersionString"), env!("CARGO_PKG_VERSION"));
    assert_eq!(text("CFBundleVersion"), env!("CARGO_PKG_VERSION"));
    assert!(app.join("Contents/Resources").join(text("CFBundleIconFile")).is_file());
    let program = format!("Contents/MacOS/{}", text("CFBundleExecutable"));
    assert!(places(Package::App, project.path()).contains(&program), "{program}");
    assert!(!text("NSAppleEventsUsageDescription").is_empty());
    // What Tauri builds into the program alone says the same.
    let own = plist::Value::from_file(crate::root().join("src-tauri/Info.plist")).expect("a list");
    for (key, value) in own.as_dictionary().expect("keys") {
        assert_eq!(info.get(key), Some(value), "{key}");
    }
}

#[test]
fn a_line_of_a_table_that_cannot_be_read_is_named() {
    for (line, why) in [
        ("deb 0644 usr/x", "package, mode, place, source"),
        ("snap 0644 usr/x y", "no package snap"),
        ("deb rw usr/x y", "rw is no mode"),
        ("deb 0644 usr/x y zip", "package, mode, place, source"),
    ] {
        let error = row(line).expect_err(line);
        assert!(format!("{error:#}").contains(why), "{line}: {error:#}");
    }
}

#[test]
fn a_source_that_is_not_there_is_named_and_no_package_is_made_without_it() {
    let project = project();
    fs::remove_file(project.path().join("CHANGELOG.md")).expect("a link");
    let into = project.path().join("tree");
    let made = lay_out(Package::Deb, project.path(), &project.path().join("program"), &into);
    assert!(format!("{:#}", made.expect_err("a file is missing")).contains("CHANGELOG.md"));
}
