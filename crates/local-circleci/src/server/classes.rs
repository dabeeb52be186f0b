//! Resource classes and who may speak for them. A token is told once, to whoever creates it, and is
//! never printed, logged or sent back later.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::id_of;

/// Resource classes by name (`namespace/name`), each with its valid tokens, and the namespaces there
/// are. All of it lasts as long as the server, but for what is given at its start.
#[derive(Default)]
pub(super) struct Classes {
    namespaces: BTreeSet<String>,
    classes: BTreeMap<String, Class>,
}

#[derive(Default)]
pub(super) struct Class {
    pub(super) description: String,
    pub(super) tokens: Vec<Token>,
}

pub(super) struct Token {
    pub(super) id: String,
    pub(super) nickname: String,
    pub(super) created_at: Timestamp,
    secret: String,
}

/// Why a class was not deleted.
pub(super) enum Undeleted {
    NoSuch,
    HasTokens,
}

impl Classes {
    /// A token for a class, which is made where it is new.
    pub(super) fn add(&mut self, name: &str, secret: String, now: Timestamp) {
        self.create(name, "");
        self.add_token(name, "default", secret, now);
    }

    /// False where it is there already.
    pub(super) fn create(&mut self, name: &str, description: &str) -> bool {
        if self.exists(name) {
            return false;
        }
        self.namespaces.insert(namespace_of(name).to_owned());
        let class = Class { description: description.to_owned(), tokens: Vec::new() };
        self.classes.insert(name.to_owned(), class);
        true
    }

    pub(super) fn add_token(
        &mut self,
        class: &str,
        nickname: &str,
        secret: String,
        now: Timestamp,
    ) -> Option<&Token> {
        let tokens = &mut self.classes.get_mut(class)?.tokens;
        let (id, nickname) = (id_of(&secret), nickname.to_owned());
        tokens.push(Token { id, nickname, created_at: now, secret });
        tokens.last()
    }

    pub(super) fn exists(&self, name: &str) -> bool {
        self.classes.contains_key(name)
    }

    /// Whether the personal token may see it: one that has no class yet only if it was named.
    pub(super) fn has_namespace(&self, name: &str) -> bool {
        self.namespaces.contains(name)
    }

    pub(super) fn add_namespace(&mut self, name: &str) {
        self.namespaces.insert(name.to_owned());
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Class)> {
        self.classes.iter().map(|(name, class)| (&**name, class))
    }

    pub(super) fn tokens(&self, class: &str) -> Option<&[Token]> {
        self.classes.get(class).map(|class| &*class.tokens)
    }

    pub(super) fn name_of(&self, id: &str) -> Option<&str> {
        self.classes.keys().find(|name| id_of(name) == id).map(String::as_str)
    }

    /// The class that a token stands for.
    pub(super) fn of_token(&self, token: &str) -> Option<&str> {
        let speaks = |class: &Class| class.tokens.iter().any(|known| known.secret == token);
        self.classes.iter().find(|(_, class)| speaks(class)).map(|(name, _)| &**name)
    }

    pub(super) fn delete(&mut self, id: &str, force: bool) -> Result<(), Undeleted> {
        let name = self.name_of(id).ok_or(Undeleted::NoSuch)?.to_owned();
        if !force && !self.classes[&name].tokens.is_empty() {
            return Err(Undeleted::HasTokens);
        }
        self.classes.remove(&name);
        Ok(())
    }

    /// False where there is no such token.
    pub(super) fn delete_token(&mut self, id: &str) -> bool {
        let before = self.count();
        for class in self.classes.values_mut() {
            class.tokens.retain(|token| token.id != id);
        }
        self.count() < before
    }

    pub(super) fn revoke_all(&mut self, class: &str) {
        if let Some(class) = self.classes.get_mut(class) {
            class.tokens.clear();
        }
    }

    fn count(&self) -> usize {
        self.classes.values().map(|class| class.tokens.len()).sum()
    }
}

pub(super) fn namespace_of(class: &str) -> &str {
    class.split('/').next().unwrap_or_default()
}
