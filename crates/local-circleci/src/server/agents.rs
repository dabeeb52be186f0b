//! The runners that were heard of, by resource class and name. CircleCI registers a runner by its
//! claim calls, answered with a task or not; so does this.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::queue::Queue;
use crate::control::Agent;
use crate::id_of;
use crate::wire::ClaimRequest;

#[derive(Default)]
pub(super) struct Agents {
    known: BTreeMap<(String, String), Agent>,
}

impl Agents {
    pub(super) fn heard(&mut self, class: &str, claim: &ClaimRequest, now: Timestamp) {
        let key = (class.to_owned(), claim.name.clone());
        let agent = self.known.entry(key).or_insert_with(|| Agent {
            id: id_of(&format!("{class} {}", claim.name)),
            resource_class: class.to_owned(),
            name: claim.name.clone(),
            hostname: String::new(),
            ip: String::new(),
            version: String::new(),
            is_busy: false,
            claim_calls: 0,
            first_connected: now,
            last_connected: now,
            last_used: None,
        });
        agent.hostname.clone_from(&claim.hostname);
        agent.ip.clone_from(&claim.ip);
        agent.version.clone_from(&claim.version);
        agent.claim_calls += 1;
        agent.last_connected = now;
    }

    pub(super) fn used(&mut self, class: &str, name: &str, now: Timestamp) {
        if let Some(agent) = self.known.get_mut(&(class.to_owned(), name.to_owned())) {
            agent.last_used = Some(now);
        }
    }

    /// All of them, with what the queue says of each.
    pub(super) fn list(&self, queue: &Queue) -> Vec<Agent> {
        let with_busy = |agent: &Agent| {
            let is_busy = queue.is_busy(&agent.resource_class, &agent.name);
            Agent { is_busy, ..agent.clone() }
        };
        self.known.values().map(with_busy).collect()
    }
}
