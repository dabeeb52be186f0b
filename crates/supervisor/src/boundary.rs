//! What stands between a job and the owner of the machine, in words.

use protocol::Boundary;

const SAME_USER: &str = "Jobs run as you. The token is in the keychain and in the agent's \
    environment and nowhere else, which keeps it from accidents, not from a hostile job: a job can \
    read whatever you can, the environment of your processes, an unlocked keychain and this app's \
    socket among it. Only a job user of its own is a boundary.";

/// `job_user` is the user that tasks are run as; none = the owner.
pub(crate) fn boundary(job_user: Option<&str>) -> Boundary {
    match job_user {
        None => Boundary::SameUser { meaning: SAME_USER.into() },
        Some(user) => Boundary::JobUser {
            user: user.to_owned(),
            meaning: format!(
                "Jobs run as the user {user}. They cannot read your files, the token, the keychain \
                 or this app's socket; they can use what {user} may, the network included."
            ),
        },
    }
}
