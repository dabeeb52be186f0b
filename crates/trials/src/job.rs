//! A job that prints, has processes of several kinds, and works until it is told to end. It shows
//! by files how far it is.

use std::fs::{self, File};
use std::path::PathBuf;

use local_circleci::{NewTask, TaskNumber};
use process::ProcessId;

use crate::leftovers::{Found, that_name};
use crate::{Circle, DEADLINE, Place, until};

const MARK: &str = "TRIAL_JOB";

/// One works in the background and one has run away into a session of its own, as a job's may. Where
/// they cling, nothing but KILL ends these two: no other signal, and no reader that is gone.
const WORK: &str = r#"
: > "$SIGNS-begun"
say() { [ -n "$QUIET" ] || echo "$@" || :; }
working() { n=0; until [ -e "$SIGNS-go" ]; do n=$((n + 1)); say "$1 $n"; sleep 0.05; done; }
cling() { [ -z "$CLINGS" ] || { trap '' PIPE TERM; exec 2> /dev/null; }; }
export -f say working cling
{ cling; working background; } &
if command -v setsid > /dev/null; then setsid bash -c 'cling; working runaway' & fi
working foreground
wait
: > "$SIGNS-done"
echo "the whole job ran"
"#;

/// A job in the queue or later.
pub struct Job {
    pub number: TaskNumber,
    mark: String,
    signs: PathBuf,
}

impl Job {
    /// Queues a job that works until [`Self::let_go`]. Where its task is cancelled all of it ends.
    pub fn that_waits(place: &Place, circle: &Circle, class: &str, name: &str) -> Self {
        Self::queued(place, circle, class, name, &[])
    }

    /// Queues a job that works until [`Self::let_go`]. What has run away survives a cancel, as it
    /// would without us.
    pub fn that_clings(place: &Place, circle: &Circle, class: &str, name: &str) -> Self {
        Self::queued(place, circle, class, name, &["CLINGS"])
    }

    /// Queues a job that works until [`Self::let_go`] and prints next to nothing, so that many of
    /// them keep nobody busy.
    pub fn that_is_quiet(place: &Place, circle: &Circle, class: &str, name: &str) -> Self {
        Self::queued(place, circle, class, name, &["QUIET"])
    }

    fn queued(place: &Place, circle: &Circle, class: &str, name: &str, so: &[&str]) -> Self {
        let signs = place.path("signs").join(name);
        let mark = format!("{MARK}={name}@{}", place.root().display());
        let mut task = NewTask::new(class)
            .job(name)
            .env("SIGNS", signs.to_str().expect("the folder's name is UTF-8"))
            .env(MARK, mark.split_once('=').map_or("", |(_, value)| value))
            .step("work", WORK);
        for way in ["CLINGS", "QUIET"] {
            task = task.env(way, if so.contains(&way) { "1" } else { "" });
        }
        Self { number: circle.enqueue(&task), mark, signs }
    }

    /// Queues a job that needs no word to end.
    pub fn that_ends(place: &Place, circle: &Circle, class: &str, name: &str) -> Self {
        let signs = place.path("signs").join(name);
        File::create(sign(&signs, "go")).expect("a file in a folder of ours");
        Self::that_waits(place, circle, class, name)
    }

    /// Lets it end, begun or not.
    pub fn let_go(&self) {
        File::create(sign(&self.signs, "go")).expect("a file in a folder of ours");
    }

    #[track_caller]
    pub fn until_begun(&self) {
        until(DEADLINE, &format!("task {} works", self.number), || self.has_begun());
    }

    pub fn has_begun(&self) -> bool {
        sign(&self.signs, "begun").exists()
    }

    /// It came to its own end.
    pub fn is_done(&self) -> bool {
        sign(&self.signs, "done").exists()
    }

    /// The processes of its steps that live now; the task agent is not among them.
    pub fn processes(&self) -> Vec<Found> {
        that_name(&self.mark)
    }

    #[track_caller]
    pub fn until_nothing_is_left(&self, named: &[&ProcessId]) {
        until(DEADLINE, &format!("nothing of task {} is left", self.number), || {
            self.processes().is_empty() && !named.iter().any(|id| crate::is_alive(id))
        });
    }

    /// So that a long trial does not keep them all.
    pub fn forget(self) {
        for name in ["begun", "go", "done"] {
            let _ = fs::remove_file(sign(&self.signs, name));
        }
    }
}

fn sign(signs: &std::path::Path, name: &str) -> PathBuf {
    let mut path = signs.as_os_str().to_owned();
    path.push("-");
    path.push(name);
    path.into()
}
