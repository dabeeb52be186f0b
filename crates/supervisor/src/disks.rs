//! How much room the disks have on which tasks and state lie. A disk far away may not answer, so nobody
//! waits for it.

use doctor::{Use, Volume};
use host::Folders;
use protocol::RunnerName;
use supervisor_core::{Event, VolumeFacts};

use crate::doctor::{Runners, volumes};
use crate::supervisor::Supervisor;

impl Supervisor {
    pub(crate) fn look_at_disk(&mut self) {
        // What a task left is worth a look, too.
        self.look_at_work_dirs();
        let runners = self.settings.as_ref().map(|it| it.runners.clone()).unwrap_or_default();
        let (folders, to_loop) = (self.folders.clone(), self.to_loop.clone());
        tokio::task::spawn_blocking(move || {
            to_loop.event(Event::DiskSeen(look(&runners, &folders)));
        });
    }
}

/// Those that can be read and written; of others the doctor tells.
fn look(runners: &Runners, folders: &Folders) -> Vec<VolumeFacts> {
    let facts = |volume: Volume| {
        let room = volume.room.as_ref().ok().filter(|room| !room.read_only)?.clone();
        let of_all = volume.uses.iter().any(|(of, _)| *of != Use::Work);
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

fn working_on(volume: &Volume, runners: &Runners, folders: &Folders) -> Vec<RunnerName> {
    let works = |(name, settings): (&RunnerName, &crate::settings::RunnerSettings)| {
        let place = crate::places::of(name, settings, folders).working_directory;
        let place = place.display().to_string();
        volume.uses.iter().any(|(of, at)| *of == Use::Work && *at == place).then(|| name.clone())
    };
    runners.iter().filter_map(works).collect()
}
