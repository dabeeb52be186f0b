//! Which of the programs that jobs need are there, by the checks of preinstall: with the user and the
//! PATH that jobs have.

use std::collections::BTreeSet;
use std::time::Instant;

use ::preinstall::{Catalogue, Item, Jobs, Machine};
use doctor::{TOOLS, ToolsFound};
use host::Folders;
use protocol::{Finding, ItemChecked};

use super::Runners;
use crate::preinstall::{of_job_user, of_owner};

/// A user and what the settings put first in its PATH; several runners may have the same.
pub(super) type Seen = BTreeSet<(Option<String>, Vec<String>)>;

pub(super) fn seen_by(runners: &Runners) -> Seen {
    let all = runners.values().map(|runner| (runner.job_user.clone(), runner.path.clone()));
    let mut all: Seen = all.collect();
    if runners.is_empty() {
        all.insert((None, Vec::new()));
    }
    all
}

/// A login profile that hangs is waited for until then, and ended.
pub(super) async fn look(
    user: Option<String>,
    first: Vec<String>,
    folders: Folders,
    until: Instant,
    all: &Catalogue,
) -> Vec<Finding> {
    let whose = user.clone().unwrap_or_else(|| "you".to_owned());
    let of = tokio::task::spawn_blocking(move || match user {
        None => Ok(of_owner(&first, &folders)),
        Some(user) => of_job_user(&user, &first, &folders, until),
    });
    let found = match of.await.map_err(|error| error.to_string()).flatten() {
        Ok(jobs) => Ok(check(all, &jobs).await),
        Err(why) => Err(why),
    };
    doctor::tools(&ToolsFound { whose, found })
}

async fn check(all: &Catalogue, jobs: &Jobs) -> Vec<ItemChecked> {
    let items: Vec<&Item> = TOOLS.iter().filter_map(|id| all.item(id)).collect();
    let machine = Machine::this(jobs.path(), host::tools_are_stubs());
    ::preinstall::check(&items, &machine, jobs, |_| ()).await
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[tokio::test]
    async fn an_owners_own_item_is_looked_at_in_the_place_of_the_built_in_one() {
        let own = serde_json::json!({
            "id": "git", "title": "Our Git", "check": { "command": ["sh"], "only_there": true },
        });
        let (all, _) = Catalogue::with(&[own], &[]);
        let environment = BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
        let (user, home) = ("me".to_owned(), "/".into());
        let jobs = Jobs { runner: None, user, is_job_user: false, home, environment };
        let found = check(&all, &jobs).await;
        let git = found.iter().find(|item| item.id == "git").unwrap();
        assert_eq!(git.title, "Our Git");
        assert!(git.reading.ends_with("/sh"), "{git:?}");
    }

    #[test]
    fn what_jobs_cannot_do_without_is_in_the_catalogue() {
        for id in TOOLS {
            assert!(Catalogue::built_in().item(id).is_some(), "{id}");
        }
    }
}
