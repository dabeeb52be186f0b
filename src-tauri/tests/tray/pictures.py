"""Photographs the app: every page and scene, each step of the set-up, problems in it, and the tray in a real panel. Every page,
step and problem there is, on fixtures: `./dev screenshots views`.

    RUNNER_TRAY_APP=target/debug/runner-tray python3 src-tauri/tests/tray/pictures.py FOLDER [PART ...]

Parts: scenes, pages, wizard, tray; all without one. With --docs the best of them go to docs/pictures, smaller.
`./dev screenshots` has what it needs.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

from browser import Browser
from circle import Circle
from desktop import Desktop
from fake_supervisor import FIXTURES
from until import until
from wizard import SetUp

THEMES = {"light": "Adwaita", "dark": "Adwaita:dark"}
SIZES = {"": (900, 600), "-small": (640, 480)}
PAGES = ["Overview", "Directories", "Clean-up", "Preinstall", "History", "Logs", "Doctor", "Settings"]


class Camera:
    def __init__(self, folder, theme, desk, browser):
        self.folder, self.theme, self.desk, self.browser = folder, theme, desk, browser

    def shoot(self, name):
        """In every size."""
        for suffix, (width, height) in SIZES.items():
            self.browser.size(width, height)
            (self.folder / f"{name}{suffix}-{self.theme}.png").write_bytes(still(lambda: window(self.desk)))
        self.browser.size(*SIZES[""])


def still(picture):
    """Two pictures in a row that are the same: nothing is being painted. A clock may tick; then the last will do."""
    last = None
    for _ in range(20):
        now = picture()
        if now == last:
            break
        last = now
        time.sleep(0.1)
    return last


def scenes(folder, theme):
    """The overview in every scene."""
    live = [it.stem for it in sorted(FIXTURES.glob("*.json")) if json.loads(it.read_text())["supervisor"]["kind"] == "live"]
    with Desktop(live[0], theme=THEMES[theme]) as desk:
        begin_window_manager(desk)
        browser = Browser(desk)
        camera = Camera(folder, theme, desk, browser)
        for scene in live:
            desk.supervisor.show(scene)
            headline = [it["headline"] for it in desk.supervisor.snapshot["runners"]]
            browser.has(headline[0] if headline else "No runner on this machine yet")
            camera.shoot(f"scene-{scene}")
        desk.supervisor.end()
        browser.has("Supervisor not running")
        camera.shoot("scene-absent")
        browser.end()


def pages(folder, theme):
    """Each page with a runner that has worked."""
    with Desktop(real=True, theme=THEMES[theme]) as desk:
        begin_window_manager(desk)
        circle = Circle(desk)
        browser = Browser(desk)
        camera = Camera(folder, theme, desk, browser)
        browser.has("No runner on this machine yet")
        camera.shoot("page-no-runner")
        circle.set_up("mac-mini-01")
        # There is no logind here, which would be told on every picture.
        desk.runnerctl("preferences", "set", "keep-awake", "off")
        for project in ["acme/web-app", "acme/api", "acme/ios-app", "acme/docs"]:
            job = circle.job(project)
            job.until_begun()
            job.let_go()
            job.ended_well()
        fill(desk)
        running = circle.job("acme/web-app")
        running.until_begun()
        browser.has("web-app")
        for page in PAGES:
            browser.press(page)
            time.sleep(1)
            if page == "Doctor" and "Check this machine" in browser.text():
                browser.press("Check this machine")
                until(lambda: "CircleCI" in browser.text(), "findings", browser.text)
            if page == "Clean-up":
                camera.shoot("page-clean-up-before")
                desk.runnerctl("presets", "set", "kept", "--keep-last", "1")
                browser.press("Show what can go")
                browser.has("can go now")
            if page == "Preinstall":
                browser.has_one_of("Jobs can run here", "essentials is missing", "essentials are missing", "essentials could not be told")
            camera.shoot(f"page-{page.lower()}")
            if page == "Directories":
                browser.press("All that can go")
                camera.shoot("page-directories-chosen")
        browser.press("Commands")
        camera.shoot("page-commands")
        running.let_go()
        running.ended_well()
        browser.end()


def fill(desk):
    """As much as builds leave: blocks that are taken, not written."""
    kept = sorted(it for it in desk.home.rglob("work.kept/*") if it.is_dir() and not it.name.startswith("."))
    for folder, megabytes in zip(kept, [96, 1240, 410]):
        with open(folder / "build.tar", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, megabytes * 1_000_000)


def wizard(folder, theme):
    """Each step, and the problems that have a way out."""
    with Desktop(real=True, theme=THEMES[theme]) as desk:
        begin_window_manager(desk)
        desk.begin_keychain()
        circle = Circle(desk)
        set_up = SetUp(desk, circle)
        browser = set_up.window
        camera = Camera(folder, theme, desk, browser)
        # It has looked by itself.
        browser.has("readings are well")
        camera.shoot("wizard-1-machine")

        def before(step):
            if step == "5-job-user":
                browser.press("Jobs run as a user of their own")
                browser.fill("User for jobs", "nobody-here")
                browser.press("Check this user")
                browser.has("What an admin does once")
                camera.shoot("wizard-problem-job-user")
                browser.press("Jobs run as you")
            camera.shoot(f"wizard-{step}")

        set_up.up_to_the_last_step(token="a-token-of-nobody", before=before)
        camera.shoot("wizard-6-install")
        desk.lock_keychain()
        circle.fault(path="/releases/", status=503)
        browser.press("Install and start")
        browser.has("keychain is locked")
        camera.shoot("wizard-problem-keychain-locked")
        browser.press("Keep the token in a file that only you can read")
        browser.has("answered with HTTP status 503")
        camera.shoot("wizard-problem-download")
        circle.mend()
        browser.has("CircleCI refuses this runner's token.")
        camera.shoot("wizard-problem-token-refused")
        browser.press("Give another token")
        browser.fill("Resource class token", circle.token)
        for _ in range(3):
            browser.press("Go on")
        browser.press("Install and start")
        browser.has("mini works")
        camera.shoot("wizard-7-claim")
        browser.press("Go on")
        browser.has("machine: true")
        camera.shoot("wizard-8-pipeline")
        browser.end()


# Of the desktop, below the panel.
GROUND = {"light": 0xC9D2DC, "dark": 0x20262E}
PANEL = """<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="26"/>
      <property name="icon-size" type="uint" value="16"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/><value type="int" value="2"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="separator">
      <property name="expand" type="bool" value="true"/>
      <property name="style" type="uint" value="0"/>
    </property>
    <property name="plugin-2" type="string" value="systray"/>
  </property>
</channel>
"""


def tray(folder, theme):
    """The icon of every state in a panel, and the menu opened by a click on it."""
    with Desktop("idle", panel=False, theme=THEMES[theme], size="640x480x24") as desk:
        # Who keeps a panel's settings is started by the session, in whose home they lie.
        channel = pathlib.Path.home() / ".config/xfce4/xfconf/xfce-perchannel-xml/xfce4-panel.xml"
        channel.parent.mkdir(parents=True, exist_ok=True)
        channel.write_text(PANEL)
        begin_window_manager(desk)
        desk.screen.paint_ground(GROUND[theme])
        desk.begin("xfce4-panel", "--disable-wm-check")
        desk.begin_app("--in-tray")
        for state in ["idle", "busy", "draining", "paused", "offline", "problem", "updating", "unknown", "several"]:
            desk.supervisor.show(state)
            time.sleep(1.5)
            (folder / f"tray-{state}-{theme}.png").write_bytes(still(lambda: root(desk)))
        for state in ["busy", "several"]:
            desk.supervisor.show(state)
            time.sleep(1.5)
            xdotool(desk, "mousemove", "625", "13", "click", "1")
            time.sleep(1)
            (folder / f"tray-menu-{state}-{theme}.png").write_bytes(still(lambda: root(desk)))
            xdotool(desk, "key", "Escape")
            time.sleep(0.5)


def begin_window_manager(desk):
    """Without one no window changes its size."""
    desk.begin("openbox")
    until(lambda: "_NET_SUPPORTING_WM_CHECK(WINDOW)" in properties(desk), "the window manager")


def properties(desk):
    command = ["xprop", "-root", "_NET_SUPPORTING_WM_CHECK"]
    return subprocess.run(command, env=desk.environment, capture_output=True, text=True, check=True).stdout


def root(desk):
    command = ["import", "-window", "root", "png:-"]
    return subprocess.run(command, env=desk.environment, capture_output=True, check=True).stdout


def window(desk):
    """The app's window without its frame."""
    found = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--name", "^Runner Tray$"],
        env=desk.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    command = ["import", "-window", found.stdout.split()[-1], "png:-"]
    return subprocess.run(command, env=desk.environment, capture_output=True, check=True).stdout


def xdotool(desk, *arguments):
    subprocess.run(["xdotool", *arguments], env=desk.environment, check=True)


# Shown in README and docs: what part of which picture.
BEST = {
    # Weeks of work, which no test lives through.
    "overview": ("views/overview-busy-900-light", None),
    "problem": ("scene-problem-dark", None),
    "set-up": ("wizard-5-job-user-light", None),
    "tray": ("tray-menu-several-light", "480x376+160+0"),
    "directories": ("views/directories-chosen-900-light", None),
    "clean-up": ("page-clean-up-dark", None),
    "preinstall": ("views/preinstall-plan-900-light", None),
    "history": ("views/history-week-900-light", None),
    "doctor": ("page-doctor-light", None),
    "commands": ("page-commands-dark", None),
}


def keep_the_best(folder, docs):
    """In few colours, which nobody sees and which is a tenth of the bytes."""
    docs.mkdir(parents=True, exist_ok=True)
    for name, (picture, part) in BEST.items():
        crop = ["-crop", part, "+repage"] if part else []
        small = ["-strip", "-dither", "None", "-colors", "128", f"png8:{docs / name}.png"]
        subprocess.run(["convert", folder / f"{picture}.png", *crop, *small], check=True)


PARTS = {"scenes": scenes, "pages": pages, "wizard": wizard, "tray": tray}


def main(folder, parts):
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        if part == "tray" and not (shutil.which("xfce4-panel") and shutil.which("openbox")):
            print("skipped: xfce4-panel or openbox is missing")
            continue
        for theme in THEMES:
            # In a session of its own: one has one keychain, and whoever began it first keeps it.
            subprocess.run(["dbus-run-session", "--", sys.executable, __file__, folder, ONE, part, theme], check=True)
            print(part, theme, flush=True)


ONE = "--one"

if __name__ == "__main__":
    shots = pathlib.Path(sys.argv[1])
    if ONE in sys.argv:
        part, theme = sys.argv[3:]
        PARTS[part](shots, theme)
        sys.exit()
    main(shots, [it for it in sys.argv[2:] if it != "--docs"] or list(PARTS))
    if "--docs" in sys.argv:
        keep_the_best(shots, pathlib.Path(__file__).resolve().parents[3] / "docs/pictures")
