"""What the app promises with the real supervisor, keeper and agent behind it; each function is one promise."""

import re
import sys

from browser import Browser
from circle import Circle
from desktop import Desktop, end
from until import PATIENCE, until

BUSY = re.compile(r"Busy: (acme/)?web-app, .*")
TITLE = "Runner Tray"


def a_pause_from_the_menu_drains_the_real_agent_and_its_task_ends_well():
    with Desktop(real=True) as desk:
        circle = Circle(desk)
        desk.begin_app("--in-tray")
        desk.first_line_is("No runner yet")
        circle.set_up()
        desk.first_line_is("Idle: mini")

        job = circle.job()
        desk.first_line_is(BUSY)
        job.until_begun()
        desk.tray.click("Until I resume")
        desk.first_line_is(re.compile(r"Draining: finishes .*web-app, then paused"))
        assert "Resume after this task" in desk.tray.lines(), desk.tray.lines()
        assert job.state() == "running"
        job.let_go()
        job.ended_well()
        desk.first_line_is("Paused by you")

        next_job = circle.job()
        next_job.let_go()
        until(lambda: not agents(desk), "the agent's end", lambda: desk.processes())
        assert next_job.state() == "queued", "a paused runner claims nothing"
        desk.tray.click("Resume")
        next_job.ended_well()
        desk.first_line_is("Idle: mini")


def agents(desk):
    """Whoever could claim a task."""
    return [command for _, command in desk.processes() if "circleci-runner" in command]


def an_app_that_is_killed_in_a_task_harms_nothing():
    with Desktop(real=True) as desk:
        circle = Circle(desk)
        app = desk.begin_app("--in-tray")
        desk.first_line_is("No runner yet")
        circle.set_up()
        job = circle.job()
        job.until_begun()
        desk.first_line_is(BUSY)
        # Helpers come and go by themselves.
        ours = re.compile(r".*runner-tray-supervisor ?|.*runner-tray-keeper (agent|task) .*|.*(circleci-runner|circleci-agent) .*")
        working = lambda: {who for who, command in desk.processes() if ours.fullmatch(command)}
        before = working()
        assert len(before) >= 4, desk.processes()
        end(app)
        until(lambda: not desk.tray.items(), "the icon's end")
        assert before <= working(), desk.processes()
        desk.begin_app()
        desk.first_line_is(BUSY)
        job.let_go()
        job.ended_well()
        desk.first_line_is("Idle: mini")


def a_second_start_opens_the_window_of_the_first_in_the_middle_of_a_task():
    with Desktop(real=True) as desk:
        circle = Circle(desk)
        first = desk.begin_app("--in-tray")
        desk.first_line_is("No runner yet")
        circle.set_up()
        job = circle.job()
        job.until_begun()
        assert desk.begin_app("--in-tray").wait(timeout=PATIENCE) == 0
        assert not desk.screen.windows(TITLE), "no window at start, nor by a second login"
        assert desk.begin_app().wait(timeout=PATIENCE) == 0
        until(lambda: desk.screen.windows(TITLE), "the window of the first")
        assert first.poll() is None and len(desk.tray.items()) == 1
        job.let_go()
        job.ended_well()


def a_supervisor_that_is_stopped_in_a_task_is_missed_and_started_from_the_menu():
    with Desktop(real=True) as desk:
        circle = Circle(desk)
        desk.begin_app("--in-tray")
        desk.first_line_is("No runner yet")
        circle.set_up()
        job = circle.job()
        job.until_begun()
        desk.first_line_is(BUSY)
        desk.runnerctl("supervisor", "stop")
        desk.first_line_is("Supervisor not running")
        assert job.state() == "running"
        desk.tray.click("Start it")
        desk.first_line_is(BUSY)
        job.let_go()
        job.ended_well()
        desk.first_line_is("Idle: mini")


def finish_this_task_then_stop_ends_supervisor_and_app_after_the_task_and_not_before():
    with Desktop(real=True) as desk:
        circle = Circle(desk)
        app = desk.begin_app("--in-tray")
        desk.first_line_is("No runner yet")
        circle.set_up()
        job = circle.job()
        job.until_begun()
        desk.first_line_is(BUSY)
        desk.tray.click("Finish this task, then stop")
        desk.first_line_is(re.compile(r"Draining: finishes .*web-app, then stops"))

        # One that is killed meanwhile was not asked to go: it is missed, and the next knows what was asked.
        desk.kill_supervisor()
        desk.first_line_is("Supervisor not running")
        assert app.poll() is None and job.state() == "running"
        desk.tray.click("Start it")
        desk.first_line_is(re.compile(r"Draining: finishes .*web-app, then stops"))

        job.let_go()
        job.ended_well()
        assert app.wait(timeout=PATIENCE) == 0
        until(lambda: not desk.supervisors() and not agents(desk), "the end of all", lambda: desk.processes())
        assert not desk.tray.items()


def a_task_is_ended_by_the_button_that_names_it_alone_and_the_runner_goes_on():
    with Desktop(real=True) as desk:
        circle = Circle(desk)
        window = Browser(desk)
        window.has("No runner on this machine yet")
        circle.set_up()
        job = circle.job()
        job.until_begun()
        window.has("web-app")
        window.press("Cancel task…")
        window.has("CircleCI shows it as failed")
        assert job.state() == "running", "what is opened first ends nothing"
        window.press("End ")
        until(lambda: job.state() == "finished", "the task's end")
        assert circle.ask(f"tasks/{job.number}")["outcome"] != "success"
        following = circle.job()
        following.until_begun()
        following.let_go()
        following.ended_well()
        window.has("Waiting for tasks")


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("kept:", sys.argv[1].replace("_", " "))
