"""What the installed package promises a user of a clean system; each function is one promise.

`installers/linux/in-clean-debian` runs them, offline, as a user that is not root.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys

from browser import Browser
from circle import Circle
from desktop import Desktop
from until import PATIENCE, until
from wizard import SetUp

UNIT = "runner-tray-supervisor.service"
PACKAGED = pathlib.Path("/usr/lib/systemd/user") / UNIT


class Service:
    """The supervisor as systemd's user manager sees it."""

    def __init__(self, desk):
        self.desk = desk

    def property(self, name):
        return self.desk.systemctl("show", UNIT, "--value", f"--property={name}")

    def pid(self):
        return int(self.property("MainPID"))

    def is_the_package_s(self):
        assert self.desk.systemctl("is-enabled", UNIT) == "enabled"
        assert self.property("FragmentPath") == str(PACKAGED)
        own = self.desk.home / ".config/systemd/user" / UNIT
        assert not own.exists(), f"{own} stands before the package's"
        program = os.readlink(f"/proc/{self.pid()}/exe")
        assert program == "/usr/bin/runner-tray-supervisor", program


def runner(desk):
    """None while no supervisor answers, as between the end of one and the start of the next."""
    code, told = desk.asked("status", "--json")
    return json.loads(told)["runners"][0] if code == 0 else None


def until_is(desk, state, what):
    until(lambda: (runner(desk) or {}).get("state") == state, what, lambda: desk.asked("status"))


def until_idle(desk):
    until_is(desk, "idle", "an idle runner")


def working(desk):
    """The processes that a task hangs by."""
    names = ("runner-tray-keeper", "circleci-runner", "circleci-agent")
    found = {who for who, command in desk.processes() if any(name in command for name in names)}
    assert len(found) >= len(names), desk.processes()
    return found


def a_runner_that_is_set_up_in_a_terminal_finishes_its_first_task():
    with Desktop(installed=True) as desk:
        circle = Circle(desk)
        circle.set_up()
        job = circle.job()
        job.until_begun()
        job.let_go()
        job.ended_well()
        until_idle(desk)
        # Without a service manager runnerctl has started the supervisor, as ever.
        assert "at_login" not in desk.runnerctl("supervisor", "status", "--json")


def from_an_empty_home_the_set_up_leads_to_a_service_and_a_finished_task():
    with Desktop(installed=True) as desk:
        desk.begin_user_manager()
        desk.begin_keychain()
        circle = Circle(desk)
        set_up = SetUp(desk, circle)
        window = set_up.window
        set_up.up_to_the_last_step()
        desk.first_line_is("No runner yet")
        set_up.the_last_step_to_the_pipeline()
        until(lambda: desk.systemctl("is-enabled", UNIT) == "enabled", "the service")
        service = Service(desk)
        until(service.pid, "a supervisor of systemd's")
        service.is_the_package_s()
        job = circle.job()
        job.until_begun()
        window.has("web-app")
        job.let_go()
        job.ended_well()
        desk.first_line_is("Idle: mini")
        until_idle(desk)


def the_package_s_unit_brings_the_supervisor_back_and_ends_no_task():
    with Desktop(installed=True) as desk:
        desk.begin_user_manager()
        desk.runnerctl("supervisor", "enable")
        service = Service(desk)
        service.is_the_package_s()
        circle = Circle(desk)
        circle.set_up()
        job = circle.job()
        job.until_begun()
        before = working(desk)

        first = service.pid()
        os.kill(first, signal.SIGKILL)
        until(lambda: service.pid() not in (0, first), "another supervisor of systemd's")
        until_is(desk, "busy", "the task, found again")

        desk.systemctl("stop", UNIT)
        assert service.pid() == 0 and before <= working(desk), desk.processes()
        assert job.state() == "running"
        desk.runnerctl("supervisor", "start")
        assert service.pid() != 0, "systemd starts it"
        job.let_go()
        job.ended_well()
        until_idle(desk)

        desk.runnerctl("supervisor", "disable")
        assert desk.systemctl("is-enabled", UNIT) == "disabled"
        assert service.pid() == 0 and PACKAGED.is_file()
        until_idle(desk)


def an_upgrade_and_a_removal_in_a_task_end_neither_task_nor_supervisor():
    with Desktop(installed=True) as desk:
        desk.begin_user_manager()
        desk.runnerctl("supervisor", "enable")
        circle = Circle(desk)
        circle.set_up()
        service = Service(desk)
        window = Browser(desk)
        window.has("mini")
        job = circle.job()
        job.until_begun()
        before, supervisor = working(desk), service.pid()

        app = next(pid for (pid, _), command in desk.processes() if command.startswith(os.environ["RUNNER_TRAY_APP"] + " "))
        root("dpkg", "--install", os.environ["RUNNER_TRAY_DEB"])
        taken_over = lambda: os.readlink(f"/proc/{supervisor}/exe") == "/usr/bin/runner-tray-supervisor"
        until(taken_over, "the program that was installed, in the same process")
        assert before <= working(desk) and service.pid() == supervisor
        until_is(desk, "busy", "the task, found again")

        # The app still is the old program, whose file is gone; what it writes names the new one.
        assert os.readlink(f"/proc/{app}/exe").endswith(" (deleted)")
        starts_at_login_by_what_is_installed(desk, window)
        window.end()
        until_is(desk, "busy", "the task, found again")
        supervisor = service.pid()
        assert before <= working(desk)

        root("dpkg", "--remove", "runner-tray")
        assert before <= working(desk) and service.pid() == supervisor
        assert job.state() == "running"
        job.let_go()
        job.ended_well()

        root("dpkg", "--install", os.environ["RUNNER_TRAY_DEB"])
        until(taken_over, "the program that was installed, in the same process")
        until_idle(desk)
        # One keeper and its agent, from the first moment to the last.
        assert runner(desk)["agent_pid"] in {pid for (pid, _), _ in desk.processes()}


def starts_at_login_by_what_is_installed(desk, window):
    """Both switches of the settings: the app's on, the supervisor's off and on again."""
    entry, service = desk.home / ".config/autostart/dev.runner-tray.app.desktop", Service(desk)
    window.press("Settings")
    window.press("The tray icon")
    until(entry.exists, "the entry of the desktop's")
    assert 'Exec="/usr/bin/runner-tray" --in-tray\n' in entry.read_text(), entry.read_text()

    runners = "Runners, also with this app closed"
    window.press(runners)
    until(lambda: desk.systemctl("is-enabled", UNIT) == "disabled", "no service")
    until(lambda: desk.asked("status")[0] == 0, "a supervisor that the app started")
    # Opened anew, the page asks what is so now.
    window.press("Overview")
    window.has("mini")
    window.press("Settings")
    window.press(runners)
    until(lambda: desk.systemctl("is-enabled", UNIT) == "enabled", "the service")
    until(service.pid, "a supervisor of systemd's")
    service.is_the_package_s()


def root(*command):
    done = subprocess.run(["sudo", "-n", *command], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("kept:", sys.argv[1].replace("_", " "))
