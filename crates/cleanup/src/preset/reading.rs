//! What programs answer when they are asked what would go, and what they say they freed. Pure.

use serde_json::Value;

use super::data::Reading;

/// Bytes that would go at most. None: the answer has another form.
pub(crate) fn bytes_in(reading: Reading, answer: &[u8]) -> Option<u64> {
    match reading {
        Reading::DockerContainers => docker(answer, "Containers"),
        Reading::DockerImages => docker(answer, "Images"),
        Reading::DockerBuildCache => docker(answer, "Build Cache"),
        Reading::PodmanContainers => podman(answer, "Containers"),
        Reading::PodmanImages => podman(answer, "Images"),
        Reading::Simulators => simulators(answer),
    }
}

/// One line of JSON a kind, sizes in words: `"Reclaimable":"1.2GB (40%)"`.
fn docker(answer: &[u8], kind: &str) -> Option<u64> {
    let text = std::str::from_utf8(answer).ok()?;
    let kinds = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    reclaimable(kinds, kind)
}

/// A list of the same, with plain numbers under other names since podman 4.
fn podman(answer: &[u8], kind: &str) -> Option<u64> {
    let kinds: Vec<Value> = serde_json::from_slice(answer).ok()?;
    reclaimable(kinds.into_iter(), kind)
}

fn reclaimable(mut kinds: impl Iterator<Item = Value>, kind: &str) -> Option<u64> {
    let of_kind = kinds.find(|it| it.get("Type").and_then(Value::as_str) == Some(kind))?;
    let raw = of_kind.get("RawReclaimable").and_then(Value::as_u64);
    raw.or_else(|| {
        let value = of_kind.get("Reclaimable")?;
        value.as_u64().or_else(|| size(value.as_str()?))
    })
}

/// `{"devices": {"<system>": [{"dataPathSize": n, ...}]}}`.
fn simulators(answer: &[u8]) -> Option<u64> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let systems = answer.get("devices")?.as_object()?;
    let devices = systems.values().filter_map(Value::as_array).flatten();
    Some(devices.filter_map(|device| device.get("dataPathSize")?.as_u64()).sum())
}

/// "Total reclaimed space: 1.2GB", as docker and podman end.
pub(crate) fn freed_in(lines: &[String]) -> Option<u64> {
    let said = lines.iter().rev().find_map(|line| line.strip_prefix("Total reclaimed space:"));
    said.and_then(size).or_else(|| {
        let total = lines.iter().rev().find_map(|line| line.strip_prefix("Total:"));
        total.and_then(size)
    })
}

/// "1.204GB (40%)", in steps of 1000.
fn size(words: &str) -> Option<u64> {
    let word = words.split('(').next()?.trim();
    let end = word.find(|char: char| char.is_ascii_alphabetic())?;
    let (number, unit) = word.split_at_checked(end)?;
    let (whole, part) = number.trim().split_once('.').unwrap_or((number.trim(), ""));
    let unit = match unit.trim() {
        "B" => 1,
        "kB" | "KB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        _ => return None,
    };
    let part: String = format!("{part:0<6}").chars().take(6).collect();
    let millionths = part.parse::<u64>().ok()?.checked_mul(unit)? / 1_000_000;
    whole.parse::<u64>().ok()?.checked_mul(unit)?.checked_add(millionths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_and_podman_are_read_in_each_of_their_forms() {
        let docker = b"{\"Active\":\"0\",\"Reclaimable\":\"1.204GB (40%)\",\"Size\":\"3GB\",\"TotalCount\":\"9\",\"Type\":\"Images\"}\n\
            {\"Active\":\"1\",\"Reclaimable\":\"512B (0%)\",\"Size\":\"600B\",\"Type\":\"Containers\"}\n\
            {\"Reclaimable\":\"7.5kB\",\"Type\":\"Build Cache\"}\n";
        assert_eq!(bytes_in(Reading::DockerImages, docker), Some(1_204_000_000));
        assert_eq!(bytes_in(Reading::DockerContainers, docker), Some(512));
        assert_eq!(bytes_in(Reading::DockerBuildCache, docker), Some(7500));
        let podman = br#"[{"Type":"Images","Total":1,"Active":0,"Size":"4.2MB","Reclaimable":"4.2MB (100%)"},
            {"Type":"Containers","RawSize":9,"RawReclaimable":5,"Reclaimable":"5B"}]"#;
        assert_eq!(bytes_in(Reading::PodmanImages, podman), Some(4_200_000));
        assert_eq!(bytes_in(Reading::PodmanContainers, podman), Some(5));
        for other in [&b""[..], b"[]", b"{}", b"Cannot connect", b"[{\"Type\":\"Images\"}]"] {
            assert_eq!(bytes_in(Reading::PodmanImages, other), None);
            assert_eq!(bytes_in(Reading::DockerImages, other), None);
            assert_eq!(bytes_in(Reading::Simulators, other), None);
        }
    }

    #[test]
    fn the_sizes_of_simulators_are_added_up() {
        let answer = br#"{"devices":{"iOS-16-0":[{"dataPathSize":10,"isAvailable":false},{"udid":"A"}],"iOS-17-0":[{"dataPathSize":7}]}}"#;
        assert_eq!(bytes_in(Reading::Simulators, answer), Some(17));
    }

    #[test]
    fn sizes_in_words_are_read_exactly_or_not_at_all() {
        assert_eq!(size(" 0B"), Some(0));
        assert_eq!(size("12.34MB"), Some(12_340_000));
        assert_eq!(size("1.5 GB"), Some(1_500_000_000));
        for other in ["", "12", "GB", "1.2.3GB", "-1B", "9XB", "99999999999999999999TB"] {
            assert_eq!(size(other), None, "{other}");
        }
        let lines = ["Deleted Images:", "untagged: a", "", "Total reclaimed space: 2.5kB"];
        assert_eq!(freed_in(&lines.map(str::to_owned)), Some(2500));
        assert_eq!(freed_in(&["done".to_owned()]), None);
    }
}
