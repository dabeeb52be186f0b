//! How full the disks are on which tasks and state lie. A disk far away may not answer, so nobody waits for it.

use host::Folders;
use supervisor_core::{Disk, Event};

use crate::doctor::{Runners, volumes};
use crate::supervisor::Supervisor;

impl Supervisor {
    pub(crate) fn look_at_disks(&self) {
        let runners = self.settings.as_ref().map(|it| it.runners.clone()).unwrap_or_default();
        let (folders, to_loop) = (self.folders.clone(), self.to_loop.clone());
        tokio::task::spawn_blocking(move || {
            to_loop.event(Event::DisksSeen(look(&runners, &folders)))
        });
    }
}

/// Those that can be read and written; of others the doctor tells.
fn look(runners: &Runners, folders: &Folders) -> Vec<Disk> {
    let volumes = volumes::look(runners, folders).into_iter();
    volumes
        .filter_map(|volume| {
            let room = volume.room.ok().filter(|room| !room.read_only)?;
            let (free, total) = (doctor::size(room.free), doctor::size(room.total));
            let reading = format!("{}: free {free} of {total}", volume.at);
            Some(Disk { at: volume.at, free: room.free, total: room.total, reading })
        })
        .collect()
}
