//! For tests: a folder with a PATH of its own, and scripts on it that stand in for tools and package
//! managers. What they were called with is noted.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use protocol::PreinstallEnd;
use tokio::sync::watch;

use crate::calls::Rights;
use crate::machine::{Arch, Os};
use crate::{
    Catalogue, Done, Draft, Installation, Item, Jobs, Machine, Manager, Output, Progress, Record,
    Told, check, plan,
};

/// A folder with a PATH of its own, and what stands on it.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
}

/// One answer of a stand-in.
#[derive(Clone, Copy, Default)]
pub(crate) struct Replay {
    pub(crate) words: &'static str,
    /// A file of `outputs/`; empty: nothing.
    pub(crate) says: &'static str,
    pub(crate) code: i32,
    /// Programs that are there afterwards.
    pub(crate) brings: &'static [&'static str],
    pub(crate) once: bool,
}

/// Where what package managers print is kept.
pub(crate) fn recorded(name: &str) -> String {
    let name = if name.is_empty() { "/dev/null" } else { name };
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("outputs");
    folder.join(name).display().to_string()
}

pub(crate) struct Carried {
    pub(crate) done: Done,
    pub(crate) progress: Vec<Progress>,
    pub(crate) saved: Vec<Record>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["bin", "home", "state", "calls"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn program(&self, name: &str, script: &str) {
        let file = self.path("bin").join(name);
        let new = self.path("bin").join(format!(".{name}.new"));
        {
            use std::io::Write;
            let mut new = std::fs::File::create(&new).unwrap();
            new.write_all(format!("#!/bin/sh\n{script}\n").as_bytes()).unwrap();
        }
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::rename(new, file).unwrap();
    }

    /// A package manager that notes its arguments and puts a program for each package but those of
    /// `lacks`; with one of them it installs nothing, as apt does.
    pub(crate) fn manager(&self, name: &str, lacks: &str) {
        let bin = self.path("bin").display().to_string();
        let calls = self.path("calls").join(name).display().to_string();
        self.program(
            name,
            &format!(
                r#"[ "$1" = --version ] && {{ echo "Homebrew 4.4.0"; exit 0; }}
printf '%s\n' "$*" >> {calls}
env | sort > {calls}.env
for word do case $word in {lacks}) echo "Error: No available formula with the name \"$word\"." >&2; exit 1;; esac; done
for word do case $word in -*|install|update|*=*) ;; *) printf '#!/bin/sh\necho %s 1.2.3\n' "$word" > {bin}/$word; chmod +x {bin}/$word;; esac; done"#
            ),
        );
    }

    /// A package manager that says what `outputs/` has of it, for the words that it is called with: the
    /// first that fits, and those of `once` only the first time.
    pub(crate) fn replays(&self, name: &str, all: &[Replay]) {
        let calls = self.path("calls").join(name).display().to_string();
        let bin = self.path("bin").display().to_string();
        let mut script = vec![format!("printf '%s\\n' \"$*\" >> {calls}")];
        for (at, Replay { words, says, code, brings, once }) in all.iter().enumerate() {
            let file = recorded(says);
            script.push(format!(
                "if [ \"$*\" = '{words}' ] && [ ! -e {calls}.{at} ]; then cat '{file}'"
            ));
            if *once {
                script.push(format!(": > {calls}.{at}"));
            }
            for tool in *brings {
                let tool_script = format!("#!/bin/sh\\necho {tool} 1.2.3\\n");
                script
                    .push(format!("printf '{tool_script}' > {bin}/{tool}; chmod +x {bin}/{tool}"));
            }
            script.push(format!("exit {code}; fi"));
        }
        script.push("exit 64".to_owned());
        self.program(name, &script.join("\n"));
    }

    pub(crate) fn calls(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("calls").join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    pub(crate) fn jobs(&self) -> Jobs {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let home = self.path("home");
        let environment = BTreeMap::from([
            ("PATH".to_owned(), path),
            ("HOME".to_owned(), home.display().to_string()),
        ]);
        Jobs { runner: None, user: "me".into(), is_job_user: false, home, environment }
    }

    /// An item for each package, checked by the program of its name.
    pub(crate) fn catalogue(names: &[&str], field: &str) -> Catalogue {
        let own: Vec<serde_json::Value> = names
            .iter()
            .map(|name| {
                serde_json::json!({
                    "id": name,
                    "check": { "command": [name, "--version"], "version": format!("{name} {{version}}") },
                    "linux": { field: name },
                    "macos": { field: name },
                })
            })
            .collect();
        let (all, refused) = Catalogue::with(&own, &[]);
        assert_eq!(refused, []);
        all
    }

    pub(crate) async fn draft(&self, all: &Catalogue, names: &[&str], machine: &Machine) -> Draft {
        let asked: Vec<&Item> = names.iter().map(|name| all.item(name).unwrap()).collect();
        let needed = all.with_needs(&asked, machine);
        let checked = check(&needed, machine, &self.jobs(), |_| ()).await;
        plan(all, &asked, &checked, machine, false)
    }

    pub(crate) fn record(all: &Catalogue, draft: Draft) -> Record {
        Self::record_with(all, draft, Rights::Root)
    }

    pub(crate) fn record_with(all: &Catalogue, draft: Draft, rights: Rights) -> Record {
        let named = draft.steps.iter().flat_map(|step| &step.items);
        let items = named.filter_map(|item| all.item(&item.id)).cloned().collect();
        let began = jiff::Timestamp::UNIX_EPOCH;
        let rest = (draft.human, draft.left);
        Record::new("p".into(), began, None, rights, draft.steps, items, rest)
    }

    pub(crate) fn installation(&self, record: Record, machine: &Machine) -> Installation {
        let output = Output::at(self.path("state").join("output"));
        Installation {
            record,
            machine: machine.clone(),
            owner: self.jobs().environment,
            jobs: self.jobs(),
            output,
            own_commands: self.path("bin"),
            locks: Some(vec![self.path("state").join("lock")]),
            lock_patience: crate::LOCK_PATIENCE,
        }
    }

    pub(crate) async fn carry_out(&self, installation: Installation) -> Carried {
        let (_cancel, told) = watch::channel(false);
        carry_out(installation, told, |_| Ok(())).await
    }

    pub(crate) async fn install(
        &self,
        all: &Catalogue,
        names: &[&str],
        machine: &Machine,
    ) -> Carried {
        let draft = self.draft(all, names, machine).await;
        self.carry_out(self.installation(Self::record(all, draft), machine)).await
    }
}

pub(crate) async fn carry_out(
    installation: Installation,
    cancel: watch::Receiver<bool>,
    on_save: impl Fn(&Record) -> io::Result<()> + Send,
) -> Carried {
    let (progress, saved) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
    let (into, kept) = (Arc::clone(&progress), Arc::clone(&saved));
    let mut advanced = move |now| into.lock().unwrap().push(now);
    let mut save = move |record: &Record| {
        kept.lock().unwrap().push(record.clone());
        on_save(record)
    };
    let told = Told { progress: &mut advanced, save: &mut save };
    let done = installation.carry_out(cancel, told).await;
    let progress = progress.lock().unwrap().clone();
    let saved = saved.lock().unwrap().clone();
    Carried { done, progress, saved }
}

pub(crate) fn mac() -> Machine {
    Machine::with(Os::Macos, Arch::Arm, &[])
}

pub(crate) fn linux(manager: Manager) -> Machine {
    Machine::with(Os::Linux, Arch::X86, &[manager])
}

pub(crate) fn ends(done: &Done) -> Vec<(String, PreinstallEnd)> {
    done.outcomes.iter().map(|it| (it.item.id.clone(), it.outcome)).collect()
}
