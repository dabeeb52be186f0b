//! How much room the disks have on which tasks and state lie. A disk far away may not answer, so nobody
//! waits for it.

use doctor::{Use, Volume};
use host::Folders;
use protocol::RunnerName;
use supervisor_core::VolumeFacts;

use crate::doctor::{Runners, volumes};
use crate::input::Input;
use crate::supervisor::Supervisor;

impl Supervisor {
    pub(crate) fn look_at_disk(&mut self) {
        // What a task left is worth a look, too.
        self.look_at_work_dirs();
        let runners = self.settings.as_ref().map(|it| it.runners.clone()).unwrap_or_default();
        let (folders, to_loop) = (self.folders.clone(), self.to_loop.clone());
        tokio::task::spawn_blocking(move || {
            to_loop.send(Input::DisksSeen(look(&runners, &folders)));
        });
    }
}

/// Those that can be read and written; of others the doctor tells.
fn look(runners: &Runners, folders: &Folders) -> Vec<VolumeFacts> {
    let facts = |volume: Volume| {
        let room = volume.room.as_ref().ok().filter(|room| !room.read_only)?.clone();
        let of_all = volume.uses.iter().any(|(of, _)| !matches!(of, Use::Work | Use::Home));
        let mut uses: Vec<Use> = volume.uses.iter().map(|(of, _)| *of).collect();
        uses.sort_unstable();
        uses.dedup();
        let uses: Vec<&str> = uses.iter().map(|of| of.words()).collect();
        Some(VolumeFacts {
            holds: doctor::list(&uses),
            total: room.total,
            free: room.free,
            runners: (!of_all).then(|| working_on(&volume, runners, folders)),
            path: volume.at,
        })
    };
    volumes::look(runners, folders).into_iter().filter_map(facts).collect()
}

/// Those that work there, or whose jobs have their home there.
fn working_on(volume: &Volume, runners: &Runners, folders: &Folders) -> Vec<RunnerName> {
    let works = |(name, settings): (&RunnerName, &crate::settings::RunnerSettings)| {
        let work = crate::places::of(name, settings, folders).working_directory;
        let home = volumes::home_of(settings.job_user.as_deref());
        let is_its = |(of, at): &(Use, String)| match of {
            Use::Work => *at == work.display().to_string(),
            Use::Home => home.as_ref().is_some_and(|home| *at == home.display().to_string()),
            Use::Temporary | Use::Programs | Use::State => false,
        };
        volume.uses.iter().any(is_its).then(|| name.clone())
    };
    runners.iter().filter_map(works).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::Settings;

    #[test]
    fn a_home_on_a_volume_of_its_own_holds_those_alone_whose_home_it_is() {
        let place = tempfile::tempdir().unwrap();
        let folders = Folders::below(place.path());
        let file = place.path().join("settings.toml");
        let runner = |name: &str, more: &str| {
            format!("[[runner]]\nname = \"{name}\"\nresource_class = \"acme/{name}\"\n{more}\n")
        };
        // Every list of users has this one.
        let text = runner("mine", "") + &runner("its", "job_user = \"root\"");
        run_dir::write_atomically(&file, text.as_bytes()).unwrap();
        let runners = Settings::read(&file).unwrap().runners;
        let home_of = |user: Option<&str>| volumes::home_of(user).unwrap().display().to_string();
        assert!(Path::new(&home_of(Some("root"))).is_absolute());
        let volume = |uses: &[(Use, String)]| Volume {
            at: "/its-home".into(),
            uses: uses.to_vec(),
            room: Err("nobody asks".into()),
        };
        let homes = [(Use::Home, home_of(Some("root")))];
        assert!(working_on(&volume(&homes), &runners, &folders).contains(&"its".parse().unwrap()));
        let nobodys = [(Use::Home, "/nobody's".into())];
        assert!(working_on(&volume(&nobodys), &runners, &folders).is_empty());
        let all = volumes::look(&runners, &folders);
        let uses = || all.iter().flat_map(|volume| &volume.uses);
        for home in [home_of(None), home_of(Some("root"))] {
            assert!(uses().any(|(of, at)| *of == Use::Home && *at == home), "{all:?}");
        }
    }
}
