//! The names CircleCI takes for runners and resource classes. Never looser than its own rules: a
//! name that is refused here fails with a sentence, one that is refused there fails in a log.

/// Why a name was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameRefused {
    #[error(
        "\"{name}\" cannot be a runner's name. Use letters, digits and . ( ) - _ with at least one letter or \
         digit, at most {RUNNER_NAME_LONGEST} in all."
    )]
    Runner { name: String },
    #[error(
        "\"{name}\" is not a resource class. It has the form namespace/name, as in acme/macos: lower-case \
         letters, digits, _ and - before the slash; letters, digits and _ : + - after it."
    )]
    ResourceClass { name: String },
}

/// Ours, not CircleCI's: the name is part of file names.
const RUNNER_NAME_LONGEST: usize = 128;

/// Whether CircleCI takes `name` for a runner: letters, digits and `. ( ) - _` (machine runner 3
/// configuration reference, `runner.name`).
///
/// Letters are ASCII letters, as nothing says that others work; at least one letter or digit, as
/// the name also becomes part of file names.
pub fn runner_name_is_valid(name: &str) -> bool {
    name.len() <= RUNNER_NAME_LONGEST
        && name.bytes().any(|byte| byte.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".()-_".contains(&byte))
}

/// [`runner_name_is_valid`] with a sentence for the user.
pub fn check_runner_name(name: &str) -> Result<(), NameRefused> {
    runner_name_is_valid(name)
        .then_some(())
        .ok_or_else(|| NameRefused::Runner { name: name.to_owned() })
}

/// Whether `name` has the form of a resource class: `^[a-z0-9_-]+/[a-zA-Z0-9:_+-]+$` (seen in a
/// third party's client of CircleCI's API; CircleCI documents only `namespace/resource-class`).
pub fn resource_class_is_valid(name: &str) -> bool {
    let Some((namespace, class)) = name.split_once('/') else { return false };
    let namespace_byte =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    let class_byte = |byte: u8| byte.is_ascii_alphanumeric() || b":_+-".contains(&byte);
    !namespace.is_empty()
        && !class.is_empty()
        && namespace.bytes().all(namespace_byte)
        && class.bytes().all(class_byte)
}

/// [`resource_class_is_valid`] with a sentence for the user.
pub fn check_resource_class(name: &str) -> Result<(), NameRefused> {
    resource_class_is_valid(name)
        .then_some(())
        .ok_or_else(|| NameRefused::ResourceClass { name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runner_names_follow_the_configuration_reference() {
        for taken in ["mac-mini-01", "ci_box.local", "desk(2)", "A", "7"] {
            assert!(runner_name_is_valid(taken), "{taken}");
        }
        let long = "x".repeat(129);
        for refused in
            ["", ".", "..", "(-_-)", "mac mini", "a/b", "a\0b", "a\n", "zoë", "a:b", &long]
        {
            assert!(!runner_name_is_valid(refused), "{refused:?}");
        }
    }

    #[test]
    fn resource_classes_have_a_namespace_and_a_name() {
        for taken in ["acme/macos", "a-b_c/Linux:Large+2", "0/0", "acme/-"] {
            assert!(resource_class_is_valid(taken), "{taken}");
        }
        for refused in
            ["", "acme", "acme/", "/macos", "Acme/macos", "acme/mac os", "a/b/c", "a/b.c"]
        {
            assert!(!resource_class_is_valid(refused), "{refused:?}");
        }
    }

    #[test]
    fn a_refusal_names_the_name_and_the_rule() {
        let sentence = check_runner_name("mac mini").unwrap_err().to_string();
        assert!(sentence.contains("\"mac mini\"") && sentence.contains(". ( ) - _"), "{sentence}");
        let sentence = check_resource_class("macos").unwrap_err().to_string();
        assert!(sentence.contains("namespace/name"), "{sentence}");
    }
}
