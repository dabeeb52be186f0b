//! What programs answer when they are asked what would go, and what they say they freed. Pure.

use serde_json::Value;

use super::data::Reading;

/// What would go at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Goes {
    pub(crate) bytes: u64,
    /// Containers that wrote nothing take no bytes, and hold their images all the same.
    pub(crate) things: u64,
}

/// None: the answer has another form.
pub(crate) fn goes_in(reading: Reading, answer: &[u8]) -> Option<Goes> {
    match reading {
        Reading::Containers => of_kind(answer, "Containers"),
        Reading::Images => of_kind(answer, "Images"),
        Reading::BuildCache => of_kind(answer, "Build Cache"),
        Reading::Simulators => simulators(answer),
    }
}

/// One line of JSON a kind. Docker writes `"Reclaimable":"1.2GB (40%)"` and `"TotalCount":"9"`, podman a
/// number and `"Total":9`, or words and `"RawReclaimable"` beside them.
fn of_kind(answer: &[u8], kind: &str) -> Option<Goes> {
    let text = std::str::from_utf8(answer).ok()?;
    let mut kinds = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let of_kind = kinds.find(|it| it.get("Type").and_then(Value::as_str) == Some(kind))?;
    let number = |field: &str| {
        let value = of_kind.get(field)?;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    };
    let words = || size(of_kind.get("Reclaimable")?.as_str()?);
    let bytes = number("RawReclaimable").or_else(|| number("Reclaimable")).or_else(words)?;
    let all = number("TotalCount").or_else(|| number("Total")).unwrap_or_default();
    let things = all.saturating_sub(number("Active").unwrap_or_default());
    Some(Goes { bytes, things })
}

/// `{"devices": {"<system>": [{"dataPathSize": n, ...}]}}`.
fn simulators(answer: &[u8]) -> Option<Goes> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let systems = answer.get("devices")?.as_object()?;
    let devices = || systems.values().filter_map(Value::as_array).flatten();
    let sizes = devices().filter_map(|device| device.get("dataPathSize")?.as_u64());
    let bytes = sizes.fold(0_u64, u64::saturating_add);
    Some(Goes { bytes, things: devices().count() as u64 })
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
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_answer_of_docker_podman_and_simctl_is_a_number_or_none(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            text in "(\\{\"Type\":\"(Images|Containers|Build Cache)\"(,\"(RawReclaimable|Reclaimable|Total|TotalCount|Active)\":(-?[0-9]{1,25}|\"[0-9.]{0,25} ?(B|kB|TB)?( \\(4%\\))?\")){0,4}\\}\n?){0,3}",
            devices in "\\{\"devices\":\\{(\"iOS\":\\[(\\{\"dataPathSize\":[0-9]{1,22}\\},?){0,3}\\])?\\}\\}",
            lines in prop::collection::vec("(Total reclaimed space:|Total:)? ?[0-9.]{0,25}[kMGTB]{0,3}\\PC{0,9}", 0..4),
        ) {
            for answer in [&bytes, text.as_bytes(), devices.as_bytes()] {
                for reading in
                    [Reading::Containers, Reading::Images, Reading::BuildCache, Reading::Simulators]
                {
                    let _ = goes_in(reading, answer);
                }
                let _ = serde_json::from_slice::<crate::work::Said>(answer);
            }
            let _ = freed_in(&lines);
        }
    }

    #[test]
    fn docker_and_podman_are_read_in_each_of_their_forms() {
        let goes = |bytes, things| Some(Goes { bytes, things });
        let docker = br#"{"Active":"2","Reclaimable":"1.204GB (40%)","Size":"3GB","TotalCount":"9","Type":"Images"}
            {"Active":"1","Reclaimable":"0B (0%)","Size":"600B","TotalCount":"3","Type":"Containers"}
            {"Reclaimable":"7.5kB","Type":"Build Cache"}"#;
        assert_eq!(goes_in(Reading::Images, docker), goes(1_204_000_000, 7));
        assert_eq!(goes_in(Reading::Containers, docker), goes(0, 2));
        assert_eq!(goes_in(Reading::BuildCache, docker), goes(7500, 0));
        let podman = br#"{"Type":"Images","Total":1,"Active":0,"Size":3011655,"Reclaimable":3011655}
            {"Type":"Containers","Total":1,"RawSize":9,"RawReclaimable":5,"Reclaimable":"5B (9%)"}"#;
        assert_eq!(goes_in(Reading::Images, podman), goes(3_011_655, 1));
        assert_eq!(goes_in(Reading::Containers, podman), goes(5, 1));
        for other in [&b""[..], b"json", b"{}", b"Cannot connect", b"{\"Type\":\"Images\"}"] {
            assert_eq!(goes_in(Reading::Images, other), None);
            assert_eq!(goes_in(Reading::Simulators, other), None);
        }
    }

    #[test]
    fn the_sizes_of_simulators_are_added_up() {
        let answer = br#"{"devices":{"iOS-16-0":[{"dataPathSize":10,"isAvailable":false},{"udid":"A"}],"iOS-17-0":[{"dataPathSize":7}]}}"#;
        assert_eq!(goes_in(Reading::Simulators, answer), Some(Goes { bytes: 17, things: 3 }));
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
