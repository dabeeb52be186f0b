"""What the set-up promises in front of everything real, driven with mouse and keyboard; each function is one promise."""

import json
import os
import pathlib
import re
import sys

from browser import Browser
from circle import CLASS, Circle
from desktop import Desktop
from until import until


class SetUp:
    """The wizard as somebody goes through it who knows a resource class and its token."""

    def __init__(self, desk, circle):
        self.circle = circle
        self.window = Browser(desk)
        self.window.press("Set up a runner")
        self.window.has("Can this machine be a runner?")

    def up_to_the_last_step(self, token=None, store=None, before=lambda step: None):
        """`before` is called before each step is left, with its name."""
        self.up_to_the_token(before)
        self.window.fill("Resource class", CLASS)
        self.window.fill("Resource class token", token or self.circle.token)
        self.from_the_token_to_the_last_step(store, before)

    def up_to_the_token(self, before=lambda step: None):
        window = self.window
        window.press("Go on")
        window.has("What nearly every job and orb expects")
        before("2-tools")
        window.press("Go on")

    def from_the_token_to_the_last_step(self, store=None, before=lambda step: None, user="Jobs run as you"):
        window = self.window
        before("3-token")
        window.press("Go on")
        window.fill("Runner’s name", "mini")
        if store:
            window.press(store)
        # It is open where there is something in it.
        if not window.run("return document.querySelector('main details').open"):
            window.press("CircleCI server and mirrors")
        window.fill("CircleCI’s address", self.circle.url)
        window.fill("Folder of the agent’s releases", self.circle.url + "/releases")
        before("4-naming")
        window.press("Go on")
        window.press(user)
        before("5-job-user")
        window.press("Go on")
        window.has("This is what will be.")

    def the_last_step_to_the_pipeline(self):
        """Installs, waits for the first claim, and leaves the set-up by its last page."""
        window = self.window
        window.press("Install and start")
        window.has("mini works")
        window.press("Go on")
        window.has("machine: true")
        window.press("Done")

    def in_a_file(self):
        self.up_to_the_last_step(store="a file that only you can read")


def from_an_empty_home_to_the_first_finished_task():
    with Desktop(real=True) as desk:
        desk.begin_keychain()
        circle = Circle(desk)
        set_up = SetUp(desk, circle)
        window = set_up.window
        set_up.up_to_the_last_step()
        desk.first_line_is("No runner yet")
        set_up.the_last_step_to_the_pipeline()
        job = circle.job()
        job.until_begun()
        window.has("web-app")
        job.let_go()
        job.ended_well()
        desk.first_line_is("Idle: mini")
        assert circle.token not in window.run("return document.documentElement.outerHTML + JSON.stringify(localStorage)")
        is_in_the_keychain_alone(desk, circle.token)
        autostart = desk.home / ".config/autostart/dev.runner-tray.app.desktop"
        assert "--in-tray" in autostart.read_text(), "it starts at login"


def with_a_personal_token_a_class_and_its_token_are_made_and_the_first_task_is_claimed():
    with Desktop(real=True) as desk:
        desk.begin_keychain()
        circle = Circle(desk)
        set_up = SetUp(desk, circle)
        window = set_up.window
        set_up.up_to_the_token()
        window.press("Choose or create the class with a personal API token")
        window.fill("Personal API token", circle.personal_token)
        window.fill("Namespace of your organisation", "acme")
        window.press("A CircleCI server of your own")
        window.fill("CircleCI’s address", circle.url)
        window.press("Show its resource classes")
        window.choose("Which one?", "A new one")
        window.fill("Name of the new class", "desk")
        window.fill("ID of your organisation", "b9291e0d-a11e-41fb-8517-c545388b5953")
        window.has("The last step creates acme/desk and a token for it")
        set_up.from_the_token_to_the_last_step()
        set_up.the_last_step_to_the_pipeline()
        job = circle.job(resource_class="acme/desk")
        job.until_begun()
        job.let_go()
        job.ended_well()
        is_in_the_keychain_alone(desk, circle.personal_token)


def is_in_the_keychain_alone(desk, secret):
    """In no file of this home but CircleCI's own, and in nothing that is told."""
    told = desk.runnerctl("status", "--json")
    assert secret not in told
    assert [it["token_store"] for it in json.loads(told)["runners"]] == ["keychain"], told
    # What the app says stands in such a file too.
    app = os.environ["RUNNER_TRAY_APP"] + " "
    [app] = [pid for (pid, _), command in desk.processes() if command.startswith(app)]
    for output in (1, 2):
        assert pathlib.Path(f"/proc/{app}/fd/{output}").samefile(desk.said.name)
    read = 0
    # What goes meanwhile is no error, as it would be for `rglob`.
    for file in (pathlib.Path(at) / name for at, _, names in os.walk(desk.home) for name in names):
        if file.is_relative_to(desk.home / "circle") or not file.is_file():
            continue
        try:
            text = file.read_bytes()
        except FileNotFoundError:
            continue
        read += len(text)
        assert secret.encode() not in text, file
    assert read > 0


def a_set_up_that_was_left_is_taken_up_where_it_was_and_nothing_was_changed():
    with Desktop(real=True) as desk:
        circle = Circle(desk)
        set_up = SetUp(desk, circle)
        set_up.in_a_file()
        desk.first_line_is("No runner yet")
        set_up.window.end()
        window = Browser(desk)
        window.has("This is what will be.")
        # What is secret was not kept.
        window.has("Give it again.")
        desk.first_line_is("No runner yet")


def a_token_that_circleci_refuses_is_told_and_the_way_out_asks_for_another():
    with Desktop(real=True) as desk:
        circle = Circle(desk)
        set_up = SetUp(desk, circle)
        window = set_up.window
        set_up.up_to_the_last_step(token="a-token-of-nobody", store="a file that only you can read")
        window.press("Install and start")
        window.has("CircleCI refuses this runner's token.")
        window.press("Give another token")
        window.fill("Resource class token", circle.token)
        desk.first_line_is(re.compile("Problem: CircleCI .*"))
        assert "a-token-of-nobody" not in window.text()
        for _ in range(3):
            window.press("Go on")
        window.press("Install and start")
        window.has("mini works")


def a_keychain_that_is_locked_is_told_and_a_file_is_a_way_out():
    with Desktop(real=True) as desk:
        desk.begin_keychain()
        desk.lock_keychain()
        set_up = SetUp(desk, Circle(desk))
        window = set_up.window
        set_up.up_to_the_last_step()
        window.press("Install and start")
        window.has("keychain is locked")
        window.press("Keep the token in a file that only you can read")
        window.press("Go on")
        window.has("mini works")


def a_release_server_that_goes_away_in_the_download_is_told_and_waited_for():
    with Desktop(real=True) as desk:
        circle = Circle(desk)
        circle.fault(path="/releases/3.", bytes_per_second=100_000)
        set_up = SetUp(desk, circle)
        window = set_up.window
        set_up.in_a_file()
        window.press("Install and start")
        desk.first_line_is("Updating: installing the agent")
        until(circle.is_downloaded_from, "the download")
        circle.goes_away()
        # Why it stands still, and later why it was given up for now.
        window.has("could not be fetched")
        assert "mini works" not in window.text()
        circle.comes_back()
        window.has("mini works")


def the_window_goes_on_over_a_restart_of_the_supervisor():
    with Desktop(real=True) as desk:
        circle = Circle(desk)
        window = Browser(desk)
        window.has("No runner on this machine yet")
        circle.set_up()
        job = circle.job()
        job.until_begun()
        window.has("web-app")

        # Killed and back at once: pages go on by themselves, with what the next one says.
        window.press("Logs")
        window.has("Live: new lines appear at the end")
        assert "shutdown signal received" not in window.text()
        desk.kill_supervisor()
        desk.runnerctl("supervisor", "start")
        desk.runnerctl("pause")
        window.has("shutdown signal received")
        window.press("Overview")
        window.has("then paused")
        desk.runnerctl("resume")
        window.has("Resumes after this task")

        # Away for longer, it is missed, and found again without a click.
        desk.runnerctl("supervisor", "stop")
        window.has("Supervisor not running")
        until(lambda: not desk.supervisors(), "its end")
        desk.runnerctl("supervisor", "start")
        window.has("web-app")

        desk.runnerctl("supervisor", "stop")
        window.has("Supervisor not running")
        window.press("Start it")
        window.has("web-app")
        job.let_go()
        job.ended_well()
        window.has("Waiting for tasks")


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("kept:", sys.argv[1].replace("_", " "))
