//! File systems of a trial's own, to be filled, to run out of inodes, to break, to lose their power.
//! Only root can mount them; where that is not possible there is none, and a printed line says so.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use skipped::skipped;

use crate::{DEADLINE, Fills, is_root, until};

/// Mounted over a folder as long as it lives.
struct Mount {
    at: PathBuf,
}

impl Mount {
    fn of(arguments: &[&str], at: &Path) -> Option<Self> {
        let mounted = Command::new("mount").args(arguments).arg(at).output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            skipped(&format!("no such file system can be mounted here: {arguments:?}"));
            return None;
        }
        Some(Self { at: at.to_owned() })
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

/// One in memory that ends somewhere.
pub struct SmallDisk {
    mount: Mount,
    /// The trial's folder: what was under its mount is left over when that is gone.
    root: PathBuf,
}

impl SmallDisk {
    /// `options` of tmpfs: `size=160m`, `nr_inodes=4k`. Over a folder of the trial's folder `root`.
    pub fn over(at: &Path, root: &Path, options: &str) -> Option<Self> {
        if !is_root() {
            return None;
        }
        let options = format!("mode=0700,{options}");
        let mount = Mount::of(&["-t", "tmpfs", "-o", &options, "tmpfs"], at)?;
        Some(Self { mount, root: root.to_owned() })
    }
}

impl Fills for SmallDisk {
    fn at(&self) -> &Path {
        &self.mount.at
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.mount.at).status();
        // The place is gone but for what was under its mount.
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// A real one (ext4) on a disk of a file, which can break as disks do.
pub struct RealDisk {
    image: PathBuf,
    mount: Option<Mount>,
    at: PathBuf,
    root: PathBuf,
}

/// How a disk breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaks {
    /// The kernel found an error on it and lets nobody write any more.
    ReadOnly,
    /// Whoever reads or writes gets an error.
    InputOutput,
    /// The power is cut: what was not made durable is lost.
    NoPower,
}

impl RealDisk {
    /// Mounted over a folder of the trial's folder `root`.
    pub fn over(at: &Path, root: &Path) -> Option<Self> {
        if !is_root() || !crate::has_tools(&["mkfs.ext4", "python3"]) {
            return None;
        }
        let image = root.join("disk");
        File::create(&image).and_then(|file| file.set_len(320 << 20)).expect("a file of ours");
        let made = Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image).status();
        assert!(made.is_ok_and(|made| made.success()), "no file system could be made");
        let mut disk = Self { image, mount: None, at: at.to_owned(), root: root.to_owned() };
        disk.mount()?;
        Some(disk)
    }

    /// Mounts it, with what is on it. Nobody may use it before.
    pub fn mount(&mut self) -> Option<()> {
        let image = self.image.to_str().expect("a name of ours is UTF-8").to_owned();
        let mount = Mount::of(&["-o", "loop,errors=remount-ro", &image], &self.at)?;
        self.mount = Some(mount);
        Some(())
    }

    /// Unmounts it, once nobody uses it any more.
    #[track_caller]
    pub fn unmount(&mut self) {
        until(DEADLINE, "nobody uses the disk", || {
            let done = Command::new("umount").arg(&self.at).output();
            done.is_ok_and(|done| done.status.success())
        });
        // There is nothing left to be unmounted.
        std::mem::forget(self.mount.take());
    }

    /// Repairs what an error left, as a machine does when it starts.
    pub fn repair(&self) {
        let checked = Command::new("e2fsck").args(["-f", "-y"]).arg(&self.image).output();
        let code = checked.expect("e2fsck comes with mkfs.ext4").status.code();
        assert!(code.is_some_and(|code| code <= 2), "e2fsck ended with {code:?}");
    }

    pub fn breaks(&self, how: Breaks) {
        // The file system's own switches, `EXT4_IOC_SHUTDOWN` (linux/ext4.h): 1 with what is in its
        // journal written, 2 without.
        let flag = match how {
            Breaks::ReadOnly => return self.finds_an_error(),
            Breaks::InputOutput => 1_u32,
            Breaks::NoPower => 2,
        };
        let script = "import fcntl, os, struct, sys\n\
                      folder = os.open(sys.argv[1], os.O_RDONLY)\n\
                      fcntl.ioctl(folder, 0x8004587D, struct.pack('I', int(sys.argv[2])))\n";
        let flag = flag.to_string();
        let done = Command::new("python3").args(["-c", script]).arg(&self.at).arg(flag).status();
        assert!(done.is_ok_and(|done| done.success()), "the disk did not break");
    }

    fn finds_an_error(&self) {
        let device = fs::read_to_string("/proc/mounts").expect("there are mounts");
        let at = self.at.to_str().expect("a name of ours is UTF-8").replace(' ', "\\040");
        let line = device.lines().find(|line| line.contains(&at)).expect("it is mounted");
        let device = line.split(' ').next().and_then(|name| name.rsplit('/').next());
        let switch = format!("/sys/fs/ext4/{}/trigger_fs_error", device.expect("a device"));
        let mut switch = File::options().write(true).open(switch).expect("ext4 has that switch");
        switch.write_all(b"x").expect("ext4 has that switch");
    }
}

impl Fills for RealDisk {
    fn at(&self) -> &Path {
        &self.at
    }
}

impl Drop for RealDisk {
    fn drop(&mut self) {
        self.mount = None;
        // The place is gone but for what was under its mount.
        let _ = fs::remove_dir_all(&self.root);
    }
}
