//! The volumes on which tasks and we work, each once, with what lies there.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use doctor::{Use, Volume};
use host::{Account, Folders, Room};

use super::Runners;

pub(crate) fn look(runners: &Runners, folders: &Folders) -> Vec<Volume> {
    let mut uses = vec![
        (Use::State, folders.state.clone()),
        (Use::Programs, folders.data.clone()),
        (Use::Temporary, std::env::temp_dir()),
    ];
    if runners.is_empty() {
        uses.push((Use::Work, folders.data.join("runners")));
    }
    for (name, settings) in runners {
        let places = crate::places::of(name, settings, folders);
        uses.push((Use::Work, places.working_directory));
        uses.push((Use::Programs, places.task_agent_directory));
    }
    // Caches of tools lie in the homes of those whose jobs run here.
    let run_as: BTreeSet<Option<&str>> =
        runners.values().map(|settings| settings.job_user.as_deref()).collect();
    let homes = run_as.into_iter().filter_map(home_of);
    uses.extend(homes.map(|home| (Use::Home, home)));
    let mut volumes: Vec<Volume> = Vec::new();
    for (of, folder) in uses {
        let room = Room::of(&folder).map_err(|error| error.to_string());
        let of_room = (of, folder.display().to_string());
        let same = volumes.iter_mut().find(|volume| match (&volume.room, &room) {
            (Ok(known), Ok(room)) => known.device == room.device,
            (_, _) => false,
        });
        match same {
            Some(volume) => volume.uses.push(of_room),
            None => volumes.push(Volume {
                at: mount_point(&folder).display().to_string(),
                uses: vec![of_room],
                room,
            }),
        }
    }
    volumes
}

/// Of a job user, or without one the owner's.
pub(crate) fn home_of(job_user: Option<&str>) -> Option<PathBuf> {
    let Some(user) = job_user else { return std::env::var_os("HOME").map(PathBuf::from) };
    Account::named(user).ok().flatten().map(|account| account.home)
}

/// The topmost folder on the same device.
fn mount_point(folder: &Path) -> PathBuf {
    let there = folder.ancestors().find(|above| above.exists()).unwrap_or(folder);
    let there = fs::canonicalize(there).unwrap_or_else(|_| there.to_owned());
    let device = |path: &Path| fs::metadata(path).ok().map(|about| about.dev());
    let same = |above: &&Path| device(above).is_some() && device(above) == device(&there);
    there.ancestors().take_while(same).last().unwrap_or(&there).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_set_up_every_use_has_its_volume_and_no_volume_comes_twice() {
        let home = tempfile::tempdir().unwrap();
        let volumes = look(&Runners::new(), &Folders::below(home.path()));
        let uses: Vec<Use> =
            volumes.iter().flat_map(|volume| volume.uses.iter().map(|(of, _)| *of)).collect();
        for of in [Use::State, Use::Programs, Use::Temporary, Use::Work] {
            assert!(uses.contains(&of), "{uses:?}");
        }
        let mut devices: Vec<u64> =
            volumes.iter().map(|volume| volume.room.as_ref().unwrap().device).collect();
        devices.sort_unstable();
        devices.dedup();
        assert_eq!(devices.len(), volumes.len());
    }

    #[test]
    fn a_volume_is_called_by_its_mount_point() {
        assert_eq!(mount_point(Path::new("/proc/self/not-there")), Path::new("/proc"));
    }
}
