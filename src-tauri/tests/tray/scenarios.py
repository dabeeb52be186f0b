"""What the app promises on a real desktop session; each function is one promise, named on the command line."""

import json
import os
import pathlib
import re
import stat
import sys
from datetime import datetime, timedelta, timezone

import dbus

import accessibility
import watcher
from desktop import Desktop, end
from dunst import Dunst
from fake_supervisor import FIXTURES, snapshot
from until import PATIENCE, until

TITLE = "Runner Tray"
RUNNER = "/v1/runners/mac-mini-01"
PAUSED = re.compile(r"Paused by you until (tomorrow )?\d\d:\d\d, (\d+ h )?(under )?\d+ min left")
BUSY = re.compile(r"Busy: web-app, \d+ min")


def a_pause_and_a_resume_from_the_menu_reach_the_supervisor():
    with Desktop("idle") as desk:
        desk.begin_app()
        desk.first_line_is("Idle: mac-mini-01")
        assert desk.tray.lines() == [
            "Idle: mac-mini-01",
            "---",
            "Pause claiming",
            "    15 minutes",
            "    1 hour",
            "    Until tomorrow 09:00",
            "    Until I resume",
            "Working directories: 12 GB",
            "    web-app  6.4 GB",
            "    ios  3.1 GB",
            "    mac-mini-01  2.1 GB",
            "    api  812 MB",
            "    20260302T070000Z-1.75  4.0 kB",
            "    ---",
            "    Show in Runner Tray",
            "    Clean up now…",
            "Stays awake during tasks",
            "---",
            "Open Runner Tray",
            "Logs",
            "Doctor",
            "---",
            "Quit (runners keep working)",
        ], desk.tray.lines()

        before = datetime.now(timezone.utc)
        desk.tray.click("1 hour")
        until(lambda: desk.supervisor.wishes, "the wish to pause")
        method, path, body = desk.supervisor.wishes[-1]
        assert (method, path) == ("PUT", RUNNER + "/pause"), desk.supervisor.wishes
        wanted = datetime.fromisoformat(body["until"].replace("Z", "+00:00")[:19] + "+00:00")
        hour = timedelta(hours=1)
        assert before + hour - timedelta(seconds=1) <= wanted <= datetime.now(timezone.utc) + hour, body
        assert desk.tray.first_line() == "Idle: mac-mini-01", "nothing is shown before it is so"

        desk.supervisor.show("draining")
        desk.first_line_is("Draining: finishes web-app, then paused")
        assert "Resume after this task" in desk.tray.lines()
        desk.supervisor.show("paused")
        desk.first_line_is(PAUSED)
        desk.tray.click("Resume")
        until(lambda: len(desk.supervisor.wishes) == 2, "the wish to resume")
        assert desk.supervisor.wishes[-1] == ("DELETE", RUNNER + "/pause", None)
        desk.supervisor.show("idle")
        desk.first_line_is("Idle: mac-mini-01")
        assert "Resume" not in desk.tray.lines()


def until_i_resume_has_no_end():
    with Desktop("idle") as desk:
        desk.begin_app()
        desk.first_line_is("Idle: mac-mini-01")
        desk.tray.click("Until I resume")
        until(lambda: desk.supervisor.wishes, "the wish to pause")
        assert desk.supervisor.wishes == [("PUT", RUNNER + "/pause", {})]


def every_scene_has_its_line_and_its_icon():
    with Desktop("idle") as desk:
        desk.begin_app()
        desk.first_line_is("Idle: mac-mini-01")
        icons = {}
        for state, line in {
            "busy": BUSY,
            "draining": "Draining: finishes web-app, then paused",
            "paused": PAUSED,
            "offline": "Offline: CircleCI is not reached",
            "problem": "Problem: CircleCI does not accept the token of mac-mini-01",
            "updating": "Updating: installing the agent",
            "unknown": "Unknown: treated as busy",
            "idle": "Idle: mac-mini-01",
        }.items():
            desk.supervisor.show(state)
            desk.first_line_is(line)
            until(lambda: desk.tray.icon()[0] not in icons.values(), f"an icon of its own for {state}")
            icons[state], path = desk.tray.icon()

        # The picture is a file on Linux: nobody else's, and only one at a time.
        folder = pathlib.Path(path).parent
        state = desk.home / "state"
        assert folder == state / "tray", folder
        assert stat.S_IMODE(state.stat().st_mode) == 0o700, oct(state.stat().st_mode)
        assert len(list(folder.iterdir())) == 1, list(folder.iterdir())

        # The last one is shown once only, so that its line says that the others are past.
        last = "several-with-a-problem"
        for scene in sorted(FIXTURES.glob("*.json")):
            if '"live"' in scene.read_text() and scene.stem != last:
                desk.supervisor.show(scene.stem)
        desk.supervisor.show(last)
        desk.first_line_is("Problem: mac-mini-01; 1 busy, 1 idle")
        desk.tray.click("Pause for 15 minutes")
        until(lambda: desk.supervisor.wishes, "the wish to pause")
        assert desk.supervisor.wishes[0][1] == RUNNER + "/pause"


def texts_of_a_job_stay_one_line_of_the_menu():
    with Desktop("hostile") as desk:
        desk.begin_app()
        desk.first_line_is(re.compile(r"Busy: <img src=x onerror=alert\(1\)><b>bold</b> .*…, \d+ min"))
        lines = desk.tray.lines()
        assert all("\u202e" not in line and "\n" not in line and len(line) < 100 for line in lines), lines


def a_second_start_opens_the_first_one_s_window():
    with Desktop("busy") as desk:
        first = desk.begin_app()
        desk.first_line_is(BUSY)
        assert desk.supervisor.looks == [""] and not desk.screen.windows(TITLE), "no window at start"
        second = desk.begin_app()
        assert second.wait(timeout=PATIENCE) == 0
        desk.window_looks()
        assert first.poll() is None
        assert len(desk.tray.items()) == 1, desk.tray.items()


def a_closed_window_is_destroyed_and_the_tray_goes_on():
    with Desktop("busy") as desk:
        app = desk.begin_app("--window")
        desk.window_looks()
        pages = lambda: [line for line in children(app.pid) if "WebKitWebProcess" in line]
        until(pages, "the page's process")
        desk.screen.close(until(lambda: desk.screen.windows(TITLE), "the window")[0])
        desk.window_is_gone()
        until(lambda: not desk.screen.windows(TITLE), "the window's end")
        until(lambda: not pages(), "the end of the page's process")
        desk.supervisor.show("idle")
        desk.first_line_is("Idle: mac-mini-01")
        desk.tray.click("Open Runner Tray")
        desk.window_looks()


def killed_and_started_again_it_shows_what_is():
    with Desktop("busy") as desk:
        app = desk.begin_app()
        desk.first_line_is(BUSY)
        end(app)
        until(lambda: not desk.tray.items(), "the icon's end")
        desk.supervisor.show("paused")
        desk.begin_app()
        desk.first_line_is(PAUSED)
        assert desk.supervisor.wishes == [], "an app that dies asks nothing of anybody"


def a_supervisor_that_goes_is_missed_and_found_again():
    with Desktop("busy") as desk:
        desk.begin_app()
        desk.first_line_is(BUSY)
        desk.supervisor.end()
        desk.first_line_is("Supervisor not running")
        assert "Start it" in desk.tray.lines()
        assert not any("Pause" in line for line in desk.tray.lines())
        desk.begin_supervisor("idle")
        desk.first_line_is("Idle: mac-mini-01")


def start_it_starts_a_supervisor_that_outlives_the_app():
    with Desktop("busy") as desk:
        with_program(desk)
        app = desk.begin_app()
        desk.first_line_is(BUSY)
        desk.supervisor.end()
        desk.first_line_is("Supervisor not running")
        desk.tray.click("Start it")
        desk.first_line_is(BUSY)
        end(app)
        desk.begin_app()
        desk.first_line_is(BUSY)
        end_program(desk)


def the_app_starts_a_supervisor_where_none_is():
    with Desktop() as desk:
        with_program(desk)
        desk.begin_app()
        desk.first_line_is(BUSY)
        end_program(desk)


# As AT-SPI calls what can be pressed, chosen or written in.
CONTROLS = {"push button", "button", "toggle button", "link", "check box", "combo box", "entry", "radio button"}


def a_supervisor_that_cannot_be_started_is_said_in_the_window():
    with Desktop(reader=True) as desk:
        desk.begin_app()
        desk.first_line_is("Supervisor not running")
        page = accessibility.Page("runner-tray")
        page.has("The supervisor could not be started.")
        page.has("Supervisor not running")
        desk.begin_supervisor("idle")
        page.has("mac-mini-01")
        page.press("Dismiss")
        page.has_not("The supervisor could not be started.")


def the_window_s_buttons_reach_the_supervisor():
    with Desktop("idle", reader=True) as desk:
        desk.begin_app("--window")
        desk.window_looks()
        page = accessibility.Page("runner-tray")
        page.has("Waiting for a task")
        page.press("Pause for 1 hour: mac-mini-01")
        until(lambda: desk.supervisor.wishes, "the wish to pause")
        assert desk.supervisor.wishes[0][:2] == ("PUT", RUNNER + "/pause")
        desk.supervisor.show("paused")
        page.press("Resume: mac-mini-01")
        until(lambda: len(desk.supervisor.wishes) == 2, "the wish to resume")
        desk.supervisor.refuse("The disk is full.", "Free some space, then try again.")
        page.press("Resume: mac-mini-01")
        page.has("The disk is full.")


def a_screen_reader_reads_the_whole_window_and_every_control_has_a_name():
    with Desktop("busy", reader=True) as desk:
        desk.begin_app("--window")
        desk.window_looks()
        page = accessibility.Page("runner-tray")
        page.has("Running a task")
        wanted = ["Overview", "Settings", "Pause for 1 hour: mac-mini-01", "Open in CircleCI: mac-mini-01"]
        named = lambda tree: [name for role, name in tree if role in CONTROLS]

        def whole():
            """What is drawn anew while it is read is not in it."""
            tree = page.read()
            is_whole = all(any(it.startswith(name) for it in named(tree)) for name in wanted)
            return is_whole and ("heading", "mac-mini-01") in tree and tree

        tree = until(whole, "the whole tree", page.read)
        assert len(named(tree)) > 8, tree
        assert all(name.strip() for name in named(tree)), tree
        assert any("landmark" in role or role == "navigation" for role, _ in tree), tree
        told = [name for _, name in tree]
        # In reading order: the pages, the runner, its state, its task.
        at = [next(i for i, name in enumerate(told) if word in name) for word in ["Overview", "mac-mini-01", "Busy", "web-app"]]
        assert at == sorted(at), (at, told)


def a_task_s_page_is_opened_in_the_browser():
    with Desktop("busy", reader=True) as desk:
        opened = file_manager(desk)
        desk.begin_app("--window")
        desk.window_looks()
        accessibility.Page("runner-tray").press("Open in CircleCI: mac-mini-01")
        until(opened.exists, "the browser")
        assert opened.read_text() == snapshot("busy")["runners"][0]["task"]["link"]


def a_directory_of_the_menu_is_opened_in_the_file_manager_and_nothing_that_is_none():
    with Desktop("idle", reader=True) as desk:
        opened = file_manager(desk)
        desk.begin_app()
        desk.first_line_is("Idle: mac-mini-01")
        # The scene's folders are not here; one of them is made, as a task would leave it.
        folder = desk.home / "work of web-app"
        folder.mkdir()
        with desk.supervisor.news:
            directories = desk.supervisor.snapshot["work_dirs"]
            directories[0] |= {"title": "rocket", "path": str(folder)}
            directories[1]["path"] = str(desk.home / "state" / "supervisor.sock")
            desk.supervisor.revision += 1
            desk.supervisor.snapshot["revision"] = desk.supervisor.revision
            desk.supervisor.news.notify_all()
        desk.tray.click("rocket  6.4 GB")
        until(opened.exists, "the file manager")
        assert opened.read_text() == str(folder)
        opened.unlink()
        desk.tray.click("ios  3.1 GB")
        page = accessibility.Page("runner-tray")
        page.has("The working directory could not be opened.")
        assert not opened.exists()


def clean_up_now_opens_its_page_with_the_plan():
    with Desktop("idle", reader=True) as desk:
        desk.begin_app()
        desk.first_line_is("Idle: mac-mini-01")
        desk.supervisor.refuse("The presets cannot be read.", "Look at presets.toml.")
        desk.tray.click("Clean up now…")
        until(lambda: ("POST", "/v1/cleanup/plan", {"directories": []}) in desk.supervisor.wishes, "the plan that is asked for")
        # By then it would have gone on by itself, if ever.
        accessibility.Page("runner-tray").has("The presets cannot be read.")
        assert not any(path == "/v1/cleanup" for _, path, _ in desk.supervisor.wishes)


def a_window_opens_where_and_as_large_as_it_was_closed():
    with Desktop("busy") as desk:
        app = desk.begin_app("--window")
        desk.window_looks()
        window = until(lambda: desk.screen.windows(TITLE), "the window")[0]
        desk.screen.place(window, 40, 60, 760, 520)
        until(lambda: desk.screen.geometry(window) == (40, 60, 760, 520), "its place", lambda: desk.screen.geometry(window))
        desk.screen.close(window)
        until(lambda: not desk.screen.windows(TITLE), "the window's end")
        kept = desk.home / "state" / "window.json"
        assert json.loads(kept.read_text()) == {"x": 40, "y": 60, "width": 760.0, "height": 520.0, "maximized": False}
        for _ in range(2):
            desk.tray.click("Open Runner Tray")
            window = until(lambda: desk.screen.windows(TITLE), "the window")[0]
            until(lambda: desk.screen.geometry(window) == (40, 60, 760, 520), "its place", lambda: desk.screen.geometry(window))
            desk.screen.close(window)
            until(lambda: not desk.screen.windows(TITLE), "the window's end")
        # A new process, and a place on a screen that is gone.
        end(app)
        until(lambda: not desk.tray.items(), "the icon's end")
        kept.write_text('{"x": 9000, "y": 60, "width": 760.0, "height": 520.0}')
        desk.begin_app("--window")
        window = until(lambda: desk.screen.windows(TITLE), "the window")[0]
        until(lambda: desk.screen.geometry(window)[2:] == (760, 520), "its size", lambda: desk.screen.geometry(window))
        assert desk.screen.geometry(window)[0] < 1000


def a_desktop_without_a_tray_gets_the_window_and_the_reason():
    with Desktop("busy", panel=False, reader=True) as desk:
        desk.begin_app()
        desk.window_looks()
        page = accessibility.Page("runner-tray")
        page.has("This desktop shows no tray icons.")


def a_login_on_a_desktop_without_a_tray_opens_no_window_and_tells_it_by_a_notification():
    with Desktop("busy", panel=False, reader=True) as desk:
        dunst = Dunst(desk)
        desk.begin_app("--in-tray")
        dunst.shows()
        assert not desk.screen.windows(TITLE) and desk.supervisor.looks == [""], "no window at login"
        dunst.click(lambda: desk.screen.windows(TITLE), "the window")
        accessibility.Page("runner-tray").has("This desktop shows no tray icons.")


def a_panel_that_draws_no_icons_is_told_and_so_is_one_that_goes_later():
    with Desktop("busy", panel=False, reader=True) as desk:
        dunst = Dunst(desk)
        desk.begin_panel("--without-host")
        desk.begin_app()
        desk.window_looks()
        page = accessibility.Page("runner-tray")
        page.has("This desktop shows no tray icons.")
        host = dbus.SessionBus(private=True)
        host.get_object(watcher.NAME, watcher.PATH).RegisterStatusNotifierHost("host", dbus_interface=watcher.NAME)
        page.has_not("This desktop shows no tray icons.")
        host.close()
        assert [title for title, _ in dunst.told()] == ["This desktop shows no tray icons."]
        page.has("This desktop shows no tray icons.")


def quit_ends_the_app_and_nothing_else():
    with Desktop("busy") as desk:
        app = desk.begin_app()
        desk.first_line_is(BUSY)
        desk.tray.click("Keep running in the background")
        assert app.wait(timeout=PATIENCE) == 0
        assert desk.supervisor.wishes == []
        assert not desk.supervisor.ended


def file_manager(desk):
    """What opens pages and folders on this desktop: it writes down what it was given."""
    opened = desk.home / "opened"
    opener = desk.home / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\nprintf "%s" "$1" > "{opened}.new" && mv "{opened}.new" "{opened}"\n')
    opener.chmod(0o755)
    desk.environment["PATH"] = f"{opener.parent}:{desk.environment['PATH']}"
    return opened


def with_program(desk):
    """A supervisor's program that can be started, and that says its pid."""
    program = desk.home / "supervisor"
    pid = desk.home / "supervisor.pid"
    fake = pathlib.Path(__file__).with_name("fake_supervisor.py")
    program.write_text(f'#!/bin/sh\necho $$ > "{pid}"\nexec "{sys.executable}" "{fake}" busy\n')
    program.chmod(0o755)
    desk.environment["RUNNER_TRAY_SUPERVISOR"] = str(program)


def end_program(desk):
    os.kill(int((desk.home / "supervisor.pid").read_text()), 9)


def children(pid):
    """The command lines of a process's children, at any depth."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in task.read_text().split():
                found.append(pathlib.Path(f"/proc/{child}/cmdline").read_text())
                found += children(int(child))
        except OSError:
            pass
    return found


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("kept:", sys.argv[1].replace("_", " "))
