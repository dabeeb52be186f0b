//! That the packages of the catalogue are in the archives of each system that has names of its own:
//! theirs are asked, whatever this machine is. On demand (`--run-ignored all`), with a network.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use preinstall::{Arch, Catalogue, Machine, Manager, Os};

/// As /etc/os-release names it, and its archive.
const SUITES: [(&str, &str, &str); 3] = [
    ("debian-12", "debian", "http://deb.debian.org/debian bookworm main"),
    ("debian-13", "debian", "http://deb.debian.org/debian trixie main"),
    ("ubuntu-24.04", "ubuntu", "http://archive.ubuntu.com/ubuntu noble main universe"),
];

/// An apt with folders of its own, which knows nothing but that archive.
struct Apt<'a> {
    folder: &'a Path,
}

impl Apt<'_> {
    fn says(&self, program: &str, words: &[&str]) -> Option<String> {
        let at = |name: &str| self.folder.join(name).display().to_string();
        let mut apt = Command::new(program);
        for (name, value) in [
            ("Dir::State", at("state")),
            ("Dir::State::status", "/dev/null".to_owned()),
            ("Dir::Cache", at("cache")),
            ("Dir::Etc::SourceList", at("sources.list")),
            ("Dir::Etc::SourceParts", "-".to_owned()),
            ("APT::Architecture", "amd64".to_owned()),
            ("Acquire::Languages", "none".to_owned()),
            // Whatever is wrong with it is said, and is no success.
            ("APT::Update::Error-Mode", "any".to_owned()),
        ] {
            apt.arg("-o").arg(format!("{name}={value}"));
        }
        let output = apt.args(words).stdin(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

#[test]
#[ignore = "asks the archives of other systems: run it on demand"]
fn every_package_is_in_the_archive_of_each_release_that_has_names_of_its_own() {
    let all = Catalogue::built_in();
    let mut wrong = Vec::new();
    for (narrow, wide, archive) in SUITES {
        let folder = tempfile::tempdir().unwrap();
        for name in ["state/lists/partial", "cache/archives/partial"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        // Names alone are read of it, so nobody has to vouch for it.
        let source = format!("deb [trusted=yes] {archive}\n");
        {
            use std::io::Write;
            let mut file = std::fs::File::create(folder.path().join("sources.list")).unwrap();
            file.write_all(source.as_bytes()).unwrap();
        }
        let apt = Apt { folder: folder.path() };
        if apt.says("apt-get", &["-q", "update"]).is_none() {
            skipped::skipped(&format!("the archive of {narrow} cannot be asked"));
            continue;
        }
        let names = apt.says("apt-cache", &["pkgnames"]).unwrap();
        let names: BTreeSet<&str> = names.lines().collect();
        let machine = Machine {
            suites: vec![narrow.to_owned(), wide.to_owned()],
            ..Machine::with(Os::Linux, Arch::X86, &[Manager::Apt])
        };
        let asked = all.items.iter().flat_map(|item| {
            let ways = item.ways(&machine).into_iter();
            ways.flat_map(|ways| ways.of(Manager::Apt)).map(move |name| (&item.id, name))
        });
        let asked: Vec<_> = asked.collect();
        assert!(asked.len() > 30 && names.len() > 10_000, "{narrow}");
        let lacks = asked.iter().filter(|(_, name)| !names.contains(name.as_str()));
        wrong.extend(lacks.map(|(id, name)| format!("{narrow}: {id}: {name}")));
    }
    assert_eq!(wrong, Vec::<String>::new());
}
