"""What the page of preinstall promises in front of a real supervisor, by mouse: each function is one promise.

The package manager is a script on the PATH, so that nothing of this machine is changed.
"""

import sys

from browser import Browser
from circle import Circle
from desktop import Desktop
from until import until

# Notes its calls, puts a program for each package where npm would, and cannot have `moon`.
NPM = """#!/bin/sh
[ "$1" = --version ] && { echo 10.9.0; exit 0; }
echo "$*" >> '%(signs)s/calls'
echo "npm is at work"
: > '%(signs)s/begun'
while [ -e '%(signs)s/hold' ]; do sleep 0.05; done
seen=
for word do
  [ "$seen$word" = yesmoon ] && { echo "npm error 404 Not Found: moon" >&2; exit 1; }
  [ "$word" = -- ] && seen=yes
done
mkdir -p "$HOME/.local/bin"
seen=
for word do
  [ "$seen" ] && { printf '#!/bin/sh\\necho %%s 1.2.3\\n' "$word" > "$HOME/.local/bin/$word"; chmod +x "$HOME/.local/bin/$word"; }
  [ "$word" = -- ] && seen=yes
done
exit 0
"""
ITEM = """[[preinstall.item]]
id = "%(name)s"
check = { command = ["%(name)s", "--version"], version = "%(name)s {version}" }
linux = { npm = "%(name)s" }

"""
PRESET = """[[preinstall.preset]]
id = "web"
what_for = "Sites."
items = ["hallo", "moon"]
"""


class Npm:
    """The script, first on the PATH of all that is started on this desktop from now on."""

    def __init__(self, desk):
        self.signs = desk.home / "signs"
        bin = self.signs / "bin"
        bin.mkdir(parents=True)
        (bin / "npm").write_text(NPM % {"signs": self.signs})
        (bin / "npm").chmod(0o755)
        desk.environment["PATH"] = f"{bin}:{desk.environment['PATH']}"
        text = "".join(ITEM % {"name": name} for name in ("hallo", "moon")) + PRESET
        (desk.home / "config").mkdir(mode=0o700)
        (desk.home / "config/settings.toml").write_text(text)

    def calls(self):
        file = self.signs / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def hold(self):
        (self.signs / "hold").touch()

    def let_go(self):
        (self.signs / "hold").unlink()

    def has_begun(self):
        return (self.signs / "begun").exists()


def what_is_missing_is_planned_installed_and_told_and_outlives_the_window():
    with Desktop(real=True) as desk:
        npm = Npm(desk)
        circle = Circle(desk)
        window = Browser(desk)
        window.has("No runner on this machine yet")
        circle.set_up()
        window.press("Preinstall")
        # Nothing moves any more.
        window.has("Checked at")
        window.press("Show the items of web")
        window.has("moon is in no folder of the PATH of jobs")
        window.has("0 of 2 there")
        window.press("What would be installed?: web")
        window.has("Install hallo and moon with npm")
        window.has("-- hallo moon")
        assert npm.calls() == [], "a plan installs nothing"
        npm.hold()
        window.press("Install 2 items")
        window.has("Step 1 of 1: Install hallo and moon with npm")
        until(npm.has_begun, "npm at work")
        window.has("npm is at work")
        # It goes on where the window is closed, and another window sees how far it is.
        window.end()
        window = Browser(desk)
        window.press("Preinstall")
        window.has("Step 1 of 1: Install hallo and moon with npm")
        npm.let_go()
        window.has("What came of it")
        window.has("1 of 2 installed")
        window.has("npm error 404 Not Found: moon")
        assert (desk.home / ".local/bin/hallo").exists()
        window.press("Close the receipt")
        window.has("Checked at")
        window.press("Show the items of web")
        window.has("1 of 2 there")
        window.has("1.2.3, ")
        before = npm.calls()
        window.press("What would be installed?: web")
        window.has("Install moon with npm")
        window.press("Install nothing")
        assert npm.calls() == before, "what is there is not installed again"
        window.end()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("kept:", sys.argv[1].replace("_", " "))
