//! Resource classes and who may speak for them. A token is never printed, logged or sent back.

use std::collections::BTreeMap;

/// Resource classes by name (`namespace/name`), each with its valid tokens.
#[derive(Default)]
pub(super) struct Classes {
    tokens: BTreeMap<String, Vec<String>>,
}

impl Classes {
    pub(super) fn add(&mut self, class: &str, token: String) {
        self.tokens.entry(class.to_owned()).or_default().push(token);
    }

    pub(super) fn exists(&self, class: &str) -> bool {
        self.tokens.contains_key(class)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.tokens.keys().map(String::as_str)
    }

    /// The class that a token stands for.
    pub(super) fn of_token(&self, token: &str) -> Option<&str> {
        let mut classes = self.tokens.iter();
        classes
            .find(|(_, tokens)| tokens.iter().any(|known| known == token))
            .map(|(name, _)| &**name)
    }

    pub(super) fn revoke_all(&mut self, class: &str) {
        if let Some(tokens) = self.tokens.get_mut(class) {
            tokens.clear();
        }
    }
}
