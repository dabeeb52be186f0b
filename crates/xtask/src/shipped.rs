//! Below `installers/generated/`: all that packages hold and nobody writes by hand. Not in git; whoever builds a
//! package writes it first.

use std::path::Path;

use crate::generated::Generated;
use crate::{cli, icns, third_party};

/// Where a package for Linux puts the supervisor.
const INSTALLED: &str = "/usr/bin/runner-tray-supervisor";

pub(crate) fn files(root: &Path) -> anyhow::Result<Vec<Generated>> {
    let mut files = cli::shipped(root)?;
    files.extend([unit(root), icns::icns(root)?, third_party::notices(root)?]);
    Ok(files)
}

/// The very unit that `runnerctl supervisor enable` would write for a supervisor that lies there, so that it finds
/// the package's as good.
pub(crate) fn unit(root: &Path) -> Generated {
    let unit = host::login_service::systemd_unit(Path::new(INSTALLED), None);
    Generated {
        path: root.join("installers/generated/systemd").join(host::login_service::UNIT),
        bytes: unit.into_bytes(),
        same: |old, new| old == new,
    }
}
