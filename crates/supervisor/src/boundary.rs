//! What stands between a job and the owner of the machine, in words.

use protocol::{Boundary, TokenStore};

/// `job_user` is the user that tasks are run as; none = the owner.
pub(crate) fn boundary(job_user: Option<&str>, store: TokenStore) -> Boundary {
    match job_user {
        None => Boundary::SameUser { meaning: same_user(store) },
        Some(user) => Boundary::JobUser {
            user: user.to_owned(),
            meaning: format!(
                "Jobs run as the user {user}. They cannot read your files, the token, the keychain \
                 or this app's socket; they can use what {user} may, the network included."
            ),
        },
    }
}

fn same_user(store: TokenStore) -> String {
    let place = crate::token::place_words(store);
    format!(
        "Jobs run as you. The token is in {place} and in the agent's environment and nowhere else: \
         that keeps it from accidents, not from a hostile job, which can read what you can \
         (your files, the environment of your processes, an unlocked keychain, this app's socket). \
         Only a job user of its own is a boundary."
    )
}
