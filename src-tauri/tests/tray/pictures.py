"""Photographs the window in every scene, light and dark.

    RUNNER_TRAY_APP=target/debug/runner-tray dbus-run-session -- python3 src-tauri/tests/tray/pictures.py FOLDER [SCENE ...]
"""

import json
import pathlib
import subprocess
import sys

import accessibility
from desktop import Desktop
from fake_supervisor import FIXTURES
from until import until

THEMES = {"light": "Adwaita", "dark": "Adwaita:dark"}


def live_scenes():
    for path in sorted(FIXTURES.glob("*.json")):
        if json.loads(path.read_text())["supervisor"]["kind"] == "live":
            yield path.stem


def still(desk):
    """Two pictures in a row that are the same: nothing is being painted."""
    last = None

    def question():
        nonlocal last
        picture = subprocess.run(
            ["import", "-window", "root", "png:-"], env=desk.environment, capture_output=True, check=True
        ).stdout
        same, last = picture == last, picture
        return same

    until(question, "a picture that stays")
    return last


def main(folder, scenes):
    folder.mkdir(parents=True, exist_ok=True)
    for name, theme in THEMES.items():
        with Desktop(scenes[0], reader=True, theme=theme, size="900x600x24") as desk:
            app = desk.begin_app("--window")
            desk.window_looks()
            page = accessibility.Page("runner-tray")
            for scene in scenes:
                desk.supervisor.show(scene)
                headline = [it["headline"] for it in desk.supervisor.snapshot["runners"]]
                page.has(headline[0] if headline else "No runner on this machine yet")
                (folder / f"{scene}-{name}.png").write_bytes(still(desk))
            desk.supervisor.end()
            page.has("Supervisor not running")
            (folder / f"absent-{name}.png").write_bytes(still(desk))
            app.kill()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2:] or list(live_scenes()))
