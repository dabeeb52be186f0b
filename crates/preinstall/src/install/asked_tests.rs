//! Installing by `pkexec`, which asks somebody: a scripted one says yes or no.

use protocol::{PreinstallEnd, PreinstallOutcome};

use crate::calls::Rights;
use crate::stand_ins::{Carried, Place, ends, linux};
use crate::{Catalogue, Manager, Record};

/// A `pkexec` that notes what it was called for and ends with `code`; 0: it does what it is asked to.
fn pkexec(place: &Place, code: i32) {
    let calls = place.path("calls").join("pkexec");
    let then = if code == 0 { "exec \"$@\"".to_owned() } else { format!("exit {code}") };
    place.program(
        "pkexec",
        &format!(
            "echo asked >> {}\n[ {code} = 0 ] || echo 'Error executing command as another user: Request dismissed' >&2\n{then}",
            calls.display()
        ),
    );
}

/// apt's items, and one that needs no admin.
fn catalogue() -> Catalogue {
    let npm = serde_json::json!({ "id": "npm", "check": { "command": ["npm-there"] } });
    let late = serde_json::json!({
        "id": "late", "check": { "command": ["late"] },
        "linux": { "npm": "late" }, "macos": { "npm": "late" },
    });
    let apt = Place::catalogue(&["hallo", "figlette", "moon"], "apt");
    let own = ["hallo", "figlette", "moon"].map(|id| serde_json::to_value(apt.item(id)).unwrap());
    let (all, refused) = Catalogue::with(&[&own[..], &[npm, late]].concat(), &[]);
    assert_eq!(refused, []);
    all
}

async fn installed(place: &Place, names: &[&str], taken_up: u32) -> Carried {
    place.manager("apt-get", "moon");
    place.manager("npm", "nothing");
    place.program("npm-there", "exit 0");
    let (all, machine) = (catalogue(), linux(Manager::Apt));
    let draft = place.draft(&all, names, &machine).await;
    let record = Place::record_with(&all, draft, Rights::Pkexec);
    let record = Record { taken_up, ..record };
    place.carry_out(place.installation(record, &machine)).await
}

fn outcome<'a>(carried: &'a Carried, id: &str) -> &'a PreinstallOutcome {
    carried.done.outcomes.iter().find(|it| it.item.id == id).unwrap()
}

#[tokio::test]
async fn who_allows_it_is_asked_once_for_lists_and_packages() {
    let place = Place::new();
    pkexec(&place, 0);
    let carried = installed(&place, &["hallo", "figlette"], 0).await;
    assert_eq!(place.calls("pkexec"), ["asked"]);
    assert!(ends(&carried.done).iter().all(|(_, end)| *end == PreinstallEnd::Installed));
    let apt = place.calls("apt-get");
    assert_eq!(apt.len(), 2, "{apt:?}");
    assert!(apt[0].ends_with(" update") && apt[1].ends_with("-- hallo figlette"), "{apt:?}");
}

#[tokio::test]
async fn one_that_cannot_be_had_asks_nobody_again_and_shows_its_own_words() {
    let place = Place::new();
    pkexec(&place, 0);
    let carried = installed(&place, &["hallo", "moon", "figlette"], 0).await;
    assert_eq!(place.calls("pkexec"), ["asked"]);
    for id in ["hallo", "figlette"] {
        assert_eq!(outcome(&carried, id).outcome, PreinstallEnd::Installed, "{id}");
    }
    let moon = outcome(&carried, "moon");
    assert_eq!(moon.outcome, PreinstallEnd::Failed);
    let said = moon.said.as_deref().unwrap();
    assert_eq!(said, "Error: No available formula with the name \"moon\".");
}

#[tokio::test]
async fn a_no_ends_all_that_needs_an_admin_and_nothing_else() {
    for code in [126, 127] {
        let place = Place::new();
        pkexec(&place, code);
        let carried = installed(&place, &["hallo", "figlette", "late"], 0).await;
        assert_eq!(place.calls("pkexec"), ["asked"], "{code}");
        assert_eq!(place.calls("apt-get"), Vec::<String>::new());
        for id in ["hallo", "figlette"] {
            let left = outcome(&carried, id);
            assert_eq!(left.outcome, PreinstallEnd::NotBegun, "{code}");
            let said = left.said.as_deref().unwrap();
            assert!(said.starts_with("You did not allow it."), "{said}");
            assert!(said.ends_with("Request dismissed"), "{said}");
            assert!(left.command.as_deref().unwrap().starts_with("sudo apt-get "), "{left:?}");
        }
        assert_eq!(outcome(&carried, "late").outcome, PreinstallEnd::Installed);
        assert_eq!(carried.done.cut_short, None);
    }
}

#[tokio::test]
async fn after_a_no_another_step_of_an_admin_asks_nobody() {
    let place = Place::new();
    pkexec(&place, 126);
    place.manager("apt-get", "moon");
    let (all, machine) = (catalogue(), linux(Manager::Apt));
    let first = place.draft(&all, &["hallo"], &machine).await;
    let second = place.draft(&all, &["figlette"], &machine).await;
    let steps = [first.steps, second.steps].concat();
    let draft = crate::Draft { steps, ..crate::Draft::default() };
    let record = Place::record_with(&all, draft, Rights::Pkexec);
    let carried = place.carry_out(place.installation(record, &machine)).await;
    assert_eq!(place.calls("pkexec"), ["asked"]);
    assert!(ends(&carried.done).iter().all(|(_, end)| *end == PreinstallEnd::NotBegun));
    let figlette = outcome(&carried, "figlette").said.clone().unwrap();
    assert!(figlette.starts_with("You did not allow it."), "{figlette}");
}

#[tokio::test]
async fn one_that_was_interrupted_asks_nobody_and_says_so() {
    let place = Place::new();
    pkexec(&place, 0);
    let carried = installed(&place, &["hallo", "late"], 1).await;
    assert_eq!(place.calls("pkexec"), Vec::<String>::new());
    let why = carried.done.cut_short.as_deref().unwrap();
    assert!(why.starts_with("It was interrupted") && why.contains("install again"), "{why}");
    assert!(ends(&carried.done).iter().all(|(_, end)| *end == PreinstallEnd::NotBegun));
    // What needs nobody's word goes on.
    let place = Place::new();
    let carried = installed(&place, &["late"], 1).await;
    assert_eq!(ends(&carried.done), [("late".into(), PreinstallEnd::Installed)]);
}

#[tokio::test]
async fn a_record_keeps_what_was_not_allowed() {
    let place = Place::new();
    pkexec(&place, 126);
    let carried = installed(&place, &["hallo"], 0).await;
    let last = carried.saved.last().unwrap();
    assert!(last.not_allowed.contains("hallo"), "{last:?}");
    assert_eq!(Record::read(&serde_json::to_vec(last).unwrap()).unwrap(), *last);
}
