//! What needs an admin's rights, begun in the app by a user who has none: `pkexec` asks. It and apt are
//! scripted here, so that each answer can be given.
#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use protocol::{
    AskPreinstall, ItemState, PreinstallAskedBy, PreinstallEnd, PreinstallNow, PreinstallReceipt,
    StartPreinstall,
};
use skipped::skipped;
use trials::{Api, DEADLINE, Options, Place, Supervisor, User, until, until_some};

/// `pkexec`: says that somebody was asked, waits while `hold` is there, and ends with the code in `answer`
/// or does what it was asked to.
const PKEXEC: &str = r#"[ "$1" = --version ] && { echo "pkexec version 126"; exit 0; }
echo asked >> "$SIGNS/asked"
while [ -e "$SIGNS/hold" ]; do sleep 0.05; done
answer=$(cat "$SIGNS/answer")
[ "$answer" = yes ] && exec "$@"
echo "Error executing command as another user: Request dismissed" >&2
exit "$answer""#;

/// `apt-get`: puts a program for each package where jobs find it.
const APT: &str = r#"echo "$*" >> "$SIGNS/calls"
seen=
for word do
  [ "$seen" ] && { printf '#!/bin/sh\necho %s 1.2.3\n' "$word" > "$SIGNS/bin/$word"; chmod +x "$SIGNS/bin/$word"; }
  [ "$word" = -- ] && seen=1
done
exit 0"#;

struct World {
    supervisor: Supervisor,
    api: Api,
    place: Place,
    _user: User,
}

impl World {
    /// None where this machine cannot have it; it says why.
    fn start() -> Option<Self> {
        if !User::can_be_made() {
            return None;
        }
        let user = User::make("ask");
        let program = trials::program("runner-tray-supervisor");
        let mut reaches = Command::new("runuser");
        reaches.args(["-u", &user.name, "--", "test", "-x"]).arg(program);
        if !reaches.status().is_ok_and(|status| status.success()) {
            skipped("other users cannot reach our programs");
            return None;
        }
        let mut place = Place::new();
        let signs = place.path("signs");
        let bin = signs.join("bin");
        fs::create_dir(&bin).unwrap();
        for (name, script) in [("pkexec", PKEXEC), ("apt-get", APT)] {
            // sudo and pkexec give an environment of their own: the folder stands in the script.
            let script = format!("#!/bin/sh\nSIGNS='{}'\n{script}\n", signs.display());
            run_dir::write_atomically(&bin.join(name), script.as_bytes()).unwrap();
            fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        place.folders().ensure().unwrap();
        let item = |name: &str| {
            format!(
                "[[preinstall.item]]\nid = \"{name}\"\ncheck = {{ command = [\"{name}\"], version = \"{name} {{version}}\" }}\n\
                 linux = {{ apt = \"{name}\" }}\n"
            )
        };
        let text = ["hallo", "figlette"].map(item).concat();
        run_dir::write_atomically(&place.folders().settings_file(), text.as_bytes()).unwrap();
        let ids = format!("{}:{}", user.id, user.group);
        let owned = Command::new("chown").args(["--recursive", &ids]).arg(place.root()).status();
        assert!(owned.unwrap().success());
        place.set_user(user.id, user.group);
        for name in ["USER", "LOGNAME"] {
            place.set_env(name, user.name.as_str());
        }
        place.set_env("RUNNER_TRAY_ALLOW_ROOT", "0");
        let path = std::env::var("PATH").unwrap_or_default();
        place.set_env("PATH", format!("{}:{path}", bin.display()));
        let api = Api::of(&place);
        let supervisor = Supervisor::start(&place, &api, &Options::default());
        Some(Self { supervisor, api, place, _user: user })
    }

    /// The next question is answered so: `yes`, or pkexec's exit code.
    fn answer(&self, answer: &str) {
        let file = self.place.path("signs").join("answer");
        run_dir::write_atomically(&file, answer.as_bytes()).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
    }

    fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.place.path("signs").join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// As the app does; the plan's id.
    fn begin(&self) -> String {
        let names = ["hallo", "figlette"].map(str::to_owned);
        let asked = AskPreinstall { items: names.into(), ..AskPreinstall::default() };
        let plan = self.api.call(async |client| client.plan_preinstall(&asked).await).unwrap();
        assert!(plan.admin && plan.steps.len() == 2, "{plan:?}");
        let begin = StartPreinstall { plan: plan.id.clone(), asked_by: PreinstallAskedBy::App };
        self.api.call(async |client| client.start_preinstall(&begin).await).unwrap();
        plan.id
    }

    fn receipt(&self, id: &str) -> PreinstallReceipt {
        until_some(DEADLINE, "the installation is over", || {
            match self.api.snapshot().ok()?.preinstall {
                Some(PreinstallNow::Done(receipt)) if receipt.id == id => Some(receipt),
                _ => None,
            }
        })
    }
}

#[test]
fn the_app_asks_once_a_no_is_understood_and_the_next_time_it_may_be_a_yes() {
    let Some(world) = World::start() else { return };
    for (times, code) in [(1, "126"), (2, "127")] {
        world.answer(code);
        let receipt = world.receipt(&world.begin());
        assert_eq!(world.lines("asked").len(), times, "one question for both packages");
        assert_eq!(world.lines("calls"), Vec::<String>::new());
        for item in &receipt.items {
            assert_eq!(item.outcome, PreinstallEnd::NotBegun, "{receipt:?}");
            assert_eq!(item.item.state, ItemState::Missing);
            assert!(item.said.as_deref().unwrap().starts_with("You did not allow it."), "{item:?}");
            assert!(item.command.as_deref().unwrap().starts_with("sudo apt-get"), "{item:?}");
        }
    }
    world.answer("yes");
    let receipt = world.receipt(&world.begin());
    assert!(receipt.items.iter().all(|it| it.outcome == PreinstallEnd::Installed), "{receipt:?}");
    assert_eq!(world.lines("asked").len(), 3, "the lists and the packages by one question");
    let calls = world.lines("calls");
    assert!(calls.len() == 2 && calls[0].ends_with(" update"), "{calls:?}");
    assert!(calls[1].ends_with("-- hallo figlette"), "{calls:?}");
    world.supervisor.stop();
}

#[test]
fn one_that_is_interrupted_while_it_asks_asks_nobody_after_a_restart_and_says_so() {
    let Some(world) = World::start() else { return };
    world.answer("126");
    fs::File::create(world.place.path("signs").join("hold")).unwrap();
    let id = world.begin();
    until(DEADLINE, "somebody is asked", || world.lines("asked").len() == 1);
    let World { supervisor, api, place, _user: user } = world;
    supervisor.kill();
    let supervisor = Supervisor::start(&place, &api, &Options::default());
    let world = World { supervisor, api, place, _user: user };
    fs::remove_file(world.place.path("signs").join("hold")).unwrap();
    let receipt = world.receipt(&id);
    assert!(receipt.taken_up, "{receipt:?}");
    let why = receipt.cut_short.as_deref().unwrap();
    assert!(why.starts_with("It was interrupted"), "{why}");
    assert_eq!(world.lines("asked").len(), 1, "nobody may be there");
    assert_eq!(world.lines("calls"), Vec::<String>::new());
    world.supervisor.stop();
}
