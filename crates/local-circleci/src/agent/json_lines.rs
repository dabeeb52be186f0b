//! The task agent's log: one JSON object a line on standard error, keys sorted, with the fields of
//! the lines that are public (`pulibrary/princeton_ansible`, pull request 6136).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::wire::TaskConfig;
use crate::{clock, random, stderr};

#[derive(Clone)]
pub(super) struct JsonLines {
    /// Of every line.
    fields: BTreeMap<String, Value>,
    is_silent: bool,
}

impl JsonLines {
    pub(super) fn new(config: &TaskConfig, is_silent: bool) -> Self {
        let mut fields = BTreeMap::new();
        fields.insert("Runner".to_owned(), true.into());
        fields.insert("build_uri".to_owned(), config.build_url.clone().into());
        fields.insert("correlation".to_owned(), random::hex(4).unwrap_or_default().into());
        fields.insert("job-id".to_owned(), config.job_id.clone().into());
        fields.insert("task-id".to_owned(), config.task_id.clone().into());
        Self { fields, is_silent }
    }

    pub(super) fn debug(&self, message: &str, more: &[(&str, Value)]) {
        self.write("debug", message, more);
    }

    pub(super) fn info(&self, message: &str, more: &[(&str, Value)]) {
        self.write("info", message, more);
    }

    pub(super) fn warning(&self, message: &str) {
        self.write("warning", message, &[]);
    }

    fn write(&self, level: &str, message: &str, more: &[(&str, Value)]) {
        if self.is_silent {
            return;
        }
        let mut fields = self.fields.clone();
        fields.insert("level".to_owned(), level.into());
        fields.insert("msg".to_owned(), message.into());
        fields.insert("time".to_owned(), clock::seconds(clock::now()).into());
        for (key, value) in more {
            fields.insert((*key).to_owned(), value.clone());
        }
        let line = serde_json::to_string(&fields).unwrap_or_default();
        stderr::write(format!("{line}\n").as_bytes());
    }
}
