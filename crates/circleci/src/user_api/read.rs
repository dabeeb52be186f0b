//! Taking a value of JSON apart: what must be there is there or the answer is not understood, what
//! may be missing is absent. Any JSON is taken; none may panic.

use serde_json::Value;

/// Why a value is not what was looked for, in words.
pub(super) type Wrong = String;

/// The longest id that is believed; CircleCI's are UUIDs.
const LONGEST_ID: usize = 100;

/// The list under `key`.
pub(super) fn list<'a>(value: &'a Value, key: &str) -> Result<&'a [Value], Wrong> {
    value
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .ok_or_else(|| format!("it has no list \"{key}\""))
}

/// A text that must be there.
pub(super) fn text(value: &Value, key: &str) -> Result<String, Wrong> {
    maybe_text(value, key).ok_or_else(|| format!("it has no \"{key}\""))
}

/// A text that may be missing, null or empty.
pub(super) fn maybe_text(value: &Value, key: &str) -> Option<String> {
    let text = value.get(key)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// An id: it becomes a part of addresses, so it is letters, digits, `-` and `_`.
pub(super) fn id(value: &Value) -> Result<String, Wrong> {
    let id = text(value, "id")?;
    if is_id(&id) { Ok(id) } else { Err("it has an id that cannot be one".into()) }
}

pub(super) fn is_id(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

pub(super) fn count(value: &Value, key: &str) -> Result<u64, Wrong> {
    value.get(key).and_then(Value::as_u64).ok_or_else(|| format!("it has no number \"{key}\""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::{enveloped, flat};
    use super::*;

    /// Values with the keys that are looked for, of every kind and at every depth.
    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        let key = prop::sample::select(vec![
            "items",
            "data",
            "page",
            "next",
            "id",
            "attributes",
            "resource_class",
            "nickname",
            "token",
            "name",
            "is_busy",
            "queued_tasks",
            "running_tasks",
            "description",
        ]);
        leaf.prop_recursive(4, 40, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((key.clone(), inner), 0..6).prop_map(|pairs| {
                    Value::Object(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(json in anything()) {
            flat::read_anything(&json);
            enveloped::read_anything(&json);
        }

        #[test]
        fn an_id_is_never_more_than_one_part_of_an_address(id in ".{0,120}") {
            let Ok(taken) = super::id(&json!({ "id": id })) else { return Ok(()) };
            let mut url = url::Url::parse("https://x.example/a").unwrap();
            url.path_segments_mut().unwrap().push(&taken);
            prop_assert_eq!(url.path(), format!("/a/{taken}"));
        }
    }

    #[test]
    fn ids_that_would_lead_elsewhere_are_none() {
        for id in ["", ".", "..", "a/b", "a?b", "a%2fb", "a b", "ä"] {
            assert!(!is_id(id), "{id}");
        }
        assert!(is_id("9f0c1c1e-5f5b-4a0e-8a4b-0d8f2b1c3d4e"));
    }
}
