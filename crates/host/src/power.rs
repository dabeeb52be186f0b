//! How the machine is powered: whether it has a battery, what that holds, and whether it is plugged
//! in. A reading, never a guess: what is not said is unknown.

#[cfg(any(target_os = "linux", test))]
use std::fs;
use std::path::Path;

use crate::os_session;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    NoBattery,
    Battery {
        plugged: Option<bool>,
        /// 0 to 100.
        percent: Option<u8>,
    },
    /// Nothing can be read.
    Unknown,
}

impl Power {
    /// Of this machine; on Linux of the folder `supplies`, which is [`SUPPLIES`] but for tests.
    pub fn now(supplies: &Path) -> Self {
        os_session::power(supplies)
    }
}

/// Where Linux tells of batteries and chargers (kernel documentation, `sysfs-class-power`).
pub const SUPPLIES: &str = "/sys/class/power_supply";

/// What a folder like [`SUPPLIES`] says. A mouse's battery and a UPS are not the machine's.
#[cfg(any(target_os = "linux", test))]
pub(crate) fn from_supplies(folder: &Path) -> Power {
    let Ok(entries) = fs::read_dir(folder) else { return Power::Unknown };
    let read = |path: &Path, name: &str| {
        fs::read_to_string(path.join(name)).ok().map(|text| text.trim().to_owned())
    };
    let (mut plugged, mut charging) = (None, None);
    let mut batteries: Vec<Option<u8>> = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        match read(&path, "type").as_deref() {
            Some("Mains" | "USB") => {
                if let Some(online) = read(&path, "online") {
                    plugged = Some(plugged == Some(true) || online != "0");
                }
            }
            Some("Battery") if read(&path, "scope").as_deref() != Some("Device") => {
                batteries.push(read(&path, "capacity").and_then(|text| text.parse().ok()));
                match read(&path, "status").as_deref() {
                    Some("Discharging") => charging = Some(false),
                    Some("Charging" | "Full" | "Not charging") => {
                        charging = charging.or(Some(true));
                    }
                    Some(_) | None => {}
                }
            }
            Some(_) | None => {}
        }
    }
    if batteries.is_empty() {
        return Power::NoBattery;
    }
    // Of several, their mean; one that says nothing makes it unknown.
    let known: Option<Vec<u32>> = batteries.iter().map(|percent| percent.map(u32::from)).collect();
    let percent = known.and_then(|all| {
        let sum: u32 = all.iter().sum();
        u8::try_from(sum / u32::try_from(all.len()).ok()?).ok()
    });
    // What a battery does tells more than what a socket offers.
    Power::Battery {
        plugged: charging.or(plugged),
        percent: percent.map(|percent| percent.min(100)),
    }
}

/// What `pmset -g batt` says (`pmset(1)`): "Now drawing from 'AC Power'" and a line a battery,
/// "-InternalBattery-0 (id=...) 85%; discharging; 5:12 remaining".
#[cfg(any(target_os = "macos", test))]
pub(crate) fn from_pmset_batt(text: &str) -> Power {
    let Some((_, after)) = text.split_once("drawing from '") else { return Power::Unknown };
    let plugged = Some(!after.starts_with("Battery"));
    let Some(line) = text.lines().find(|line| line.contains("InternalBattery")) else {
        return Power::NoBattery;
    };
    let before = line.split('%').next().unwrap_or_default();
    let digits = before.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    Power::Battery { plugged, percent: digits.parse().ok().map(|percent: u8| percent.min(100)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supply(folder: &Path, name: &str, files: &[(&str, &str)]) {
        let supply = folder.join(name);
        fs::create_dir(&supply).unwrap();
        for (file, text) in files {
            std::io::Write::write_all(
                &mut fs::File::create(supply.join(file)).unwrap(),
                format!("{text}\n").as_bytes(),
            )
            .unwrap();
        }
    }

    #[test]
    fn a_laptop_is_read_and_its_mouse_is_not() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(from_supplies(&folder.path().join("none")), Power::Unknown);
        assert_eq!(from_supplies(folder.path()), Power::NoBattery);
        let mouse = [("type", "Battery"), ("scope", "Device"), ("capacity", "3")];
        supply(folder.path(), "hidpp_battery_0", &mouse);
        supply(folder.path(), "ups", &[("type", "UPS"), ("capacity", "5")]);
        assert_eq!(from_supplies(folder.path()), Power::NoBattery);
        supply(folder.path(), "AC", &[("type", "Mains"), ("online", "1")]);
        supply(folder.path(), "BAT0", &[("type", "Battery"), ("capacity", "80")]);
        let plugged = Power::Battery { plugged: Some(true), percent: Some(80) };
        assert_eq!(from_supplies(folder.path()), plugged);
        let second = [("type", "Battery"), ("capacity", "20"), ("status", "Discharging")];
        supply(folder.path(), "BAT1", &second);
        let both = Power::Battery { plugged: Some(false), percent: Some(50) };
        assert_eq!(from_supplies(folder.path()), both);
        supply(folder.path(), "BAT2", &[("type", "Battery"), ("capacity", "what")]);
        let unknown = Power::Battery { plugged: Some(false), percent: None };
        assert_eq!(from_supplies(folder.path()), unknown);
    }

    #[test]
    fn pmset_is_understood() {
        let text = "Now drawing from 'Battery Power'\n -InternalBattery-0 (id=1234)\t85%; discharging; 5:12 remaining present: true\n";
        let on_battery = Power::Battery { plugged: Some(false), percent: Some(85) };
        assert_eq!(from_pmset_batt(text), on_battery);
        let text = text.replace("Battery Power", "AC Power");
        let plugged = Power::Battery { plugged: Some(true), percent: Some(85) };
        assert_eq!(from_pmset_batt(&text), plugged);
        assert_eq!(from_pmset_batt("Now drawing from 'AC Power'\n"), Power::NoBattery);
        assert_eq!(from_pmset_batt("no such thing"), Power::Unknown);
    }
}
