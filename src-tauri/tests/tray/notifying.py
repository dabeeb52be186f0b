"""What a notification's buttons do, with a real server of notifications and everything real behind it; each
function is one promise."""

import json
import pathlib
import re
import sys

from circle import Circle
from desktop import Desktop
from dunst import Dunst
from until import PATIENCE, until

TITLE = "Runner Tray"


def paused_after_its_task(desk, circle):
    """What the owner asked for while a task ran, and what is told once it is so."""
    job = circle.job()
    job.until_begun()
    desk.runnerctl("after-task", "pause")
    job.let_go()
    job.ended_well()


def resume_on_a_notification_resumes_the_runner_while_the_app_runs():
    with Desktop(real=True) as desk:
        dunst = Dunst(desk)
        circle = Circle(desk)
        desk.begin_app("--in-tray")
        desk.first_line_is("No runner yet")
        circle.set_up()
        paused_after_its_task(desk, circle)
        desk.first_line_is(re.compile("Paused .*"))
        dunst.shows()
        dunst.press("Resume", lambda: desk.tray.first_line() == "Idle: mini", "the runner, resumed")
        assert not desk.screen.windows(TITLE), "a button opens no window"


def with_the_app_closed_a_notification_resumes_the_runner_and_a_click_on_it_opens_the_app():
    with Desktop(real=True) as desk:
        dunst = Dunst(desk)
        circle = Circle(desk)
        app = desk.begin_app("--in-tray")
        desk.first_line_is("No runner yet")
        circle.set_up()
        desk.tray.click("Quit (runners keep working)")
        app.wait(timeout=PATIENCE)
        until(lambda: not desk.tray.items(), "the icon's end")
        paused_after_its_task(desk, circle)
        dunst.shows()
        next_job = circle.job()
        next_job.let_go()
        # It is claimed only by a runner that was resumed.
        dunst.press("Resume", lambda: next_job.state() == "finished", "the next task, claimed")
        next_job.ended_well()
        assert not desk.tray.items(), "nobody started the app"

        paused_after_its_task(desk, circle)
        dunst.shows()
        dunst.click(lambda: desk.screen.windows(TITLE), "the window")
        desk.first_line_is(re.compile("Paused .*"))


def a_supervisor_that_began_before_the_desktop_opens_the_window_on_its_display():
    with Desktop(real=True) as desk:
        dunst = Dunst(desk)
        circle = Circle(desk)
        user_manager_that_knows(desk, DISPLAY=desk.display, HOME="/nowhere")
        # As a service that starts with the login: the desktop tells the user manager of its display later.
        del desk.environment["DISPLAY"]
        circle.set_up()
        [supervisor] = until(lambda: len(found := desk.supervisors()) == 1 and found, "the supervisor alone")
        assert b"DISPLAY=" not in pathlib.Path(f"/proc/{supervisor}/environ").read_bytes()
        paused_after_its_task(desk, circle)
        dunst.shows()
        dunst.click(lambda: desk.screen.windows(TITLE), "the window")
        desk.first_line_is(re.compile("Paused .*"))


def a_start_that_fails_is_told_on_the_desktop():
    with Desktop(real=True) as desk:
        dunst = Dunst(desk)
        state = desk.home / "state"
        state.write_text("no folder")
        assert desk.begin_app().wait(timeout=PATIENCE) == 1
        [(title, text)] = dunst.told()
        assert title == "Runner Tray cannot start"
        assert text == f"{state} is not a folder. Move it away", text


def user_manager_that_knows(desk, **environment):
    """In the place of `systemctl`, which speaks to no other one then."""
    known = desk.home / "known.json"
    known.write_text(json.dumps(environment))
    program = desk.home / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$*" = "--user show-environment --output=json" ] && exec cat "{known}"\n')
    program.chmod(0o755)
    desk.environment["PATH"] = f"{program.parent}:{desk.environment['PATH']}"


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("kept:", sys.argv[1].replace("_", " "))
