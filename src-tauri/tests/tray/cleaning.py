"""What the pages of the disk promise in front of everything real, by mouse and keyboard; each function is one promise."""

import os
import pathlib
import sys

from browser import Browser
from circle import Circle
from desktop import Desktop
from until import until


def kept(desk):
    """The directories of earlier tasks, the trash of what was deleted apart."""
    # What goes meanwhile is no error, as it would be for `rglob`.
    folders = (pathlib.Path(at) for at, _, _ in os.walk(desk.home))
    return {it for it in folders if it.parent.name == "work.kept" and not it.name.startswith(".")}


def have_run(circle, *projects):
    for project in projects:
        job = circle.job(project)
        job.until_begun()
        job.let_go()
        job.ended_well()


def what_tasks_left_is_measured_deleted_and_put_back():
    with Desktop(real=True) as desk:
        circle = Circle(desk)
        window = Browser(desk)
        window.has("No runner on this machine yet")
        circle.set_up()
        have_run(circle, "acme/web-app", "acme/api", "acme/docs")
        until(lambda: len(kept(desk)) == 2, "two that are kept")
        window.press("Directories")
        window.has("on this disk, in 3 working directories")
        window.has("acme/web-app")
        window.press("Never delete: acme/web-app")
        window.has("Never deleted")
        before = kept(desk)
        window.press("All that can go")
        window.press("Delete 2 directories")
        window.has("Gone for good, and its space free, in 10 min")
        assert len(kept(desk)) == 1, "the one that is marked"
        window.press("Put it back")
        window.has("are back.")
        assert kept(desk) == before
        window.end()


def nothing_goes_before_it_was_in_the_plan_and_its_receipt_says_what_went():
    with Desktop(real=True) as desk:
        circle = Circle(desk)
        window = Browser(desk)
        window.has("No runner on this machine yet")
        circle.set_up()
        have_run(circle, "acme/web-app", "acme/api", "acme/docs")
        until(lambda: len(kept(desk)) == 2, "two that are kept")
        desk.runnerctl("presets", "set", "kept", "--keep-last", "1")
        window.press("Clean-up")
        window.has("Cleaned up before each task")
        window.press("Show what can go")
        window.has("can go now, 1 entry")
        window.press("Show the entries of Directories of earlier tasks")
        window.has("work.kept/")
        assert len(kept(desk)) == 2, "a plan deletes nothing"
        window.press("Clean up 1 entry")
        window.has("set aside, for good at")
        assert len(kept(desk)) == 1
        window.press("Put it back")
        window.has("1 entry is back.")
        assert len(kept(desk)) == 2
        window.end()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("kept:", sys.argv[1].replace("_", " "))
