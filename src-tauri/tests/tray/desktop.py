"""A desktop of a test's own: a display, a session bus (the caller's), a panel, a home, and the app in it.

Everything that was started is ended by its own process, and nothing else is touched.
"""

import ctypes
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import dbus

import accessibility
from fake_supervisor import FakeSupervisor
from programs import program
from tray import Tray
from until import PATIENCE, until
from x11 import Screen

HERE = pathlib.Path(__file__).resolve().parent


class Desktop:
    """With a scene, a fake supervisor shows it from the beginning; with `real`, the app starts the real one;
    with a reader, a screen reader can ask; with `installed`, nothing says where things lie, as for a user's own."""

    def __init__(
        self, scene=None, panel=True, reader=False, theme="Adwaita", size="1000x700x24", real=False, installed=False
    ):
        self.panel, self.reader, self.theme, self.size = panel, reader, theme, size
        self.real, self.installed = real or installed, installed
        self.started = []
        self.scene = scene
        self.supervisor = None

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="runner-tray-desktop-")
        self.home = pathlib.Path(self.folder.name) / "home of ä"
        self.home.mkdir()
        # All that the app says, below its home as everything else of it.
        self.said = open(self.home / "said", "ab")
        self.display = self._display()
        self.screen = Screen(self.display)
        self.environment = {
            key: value
            for key, value in os.environ.items()
            if key in ("PATH", "LANG", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR")
        } | {
            "DISPLAY": self.display,
            "HOME": str(self.home),
            "RUNNER_TRAY_HOME": str(self.home),
            "RUNNER_TRAY_SUPERVISOR": str(self.home / "there-is-none"),
            "GTK_THEME": self.theme,
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            # No video memory here.
            "WEBKIT_DISABLE_DMABUF_RENDERER": "1",
            "LIBGL_ALWAYS_SOFTWARE": "1",
        }
        if self.real:
            del self.environment["RUNNER_TRAY_SUPERVISOR"]
            self.environment |= {"RUNNER_TRAY_ALLOW_ROOT": "1", "LOCAL_CIRCLECI_MAX_BACKOFF_MS": "100"}
        if self.installed:
            del self.environment["RUNNER_TRAY_HOME"], self.environment["RUNNER_TRAY_ALLOW_ROOT"]
        if self.reader:
            accessibility.wake()
        else:
            self.environment["NO_AT_BRIDGE"] = "1"
        if self.panel:
            self.begin_panel()
        if self.scene:
            self.supervisor = self.begin_supervisor(self.scene)
        return self

    def __exit__(self, failure, *_):
        for process in reversed(self.started):
            if process.poll() is None:
                process.kill()
            process.wait()
        if self.supervisor and not self.supervisor.ended:
            self.supervisor.end()
        # Whatever the app has started; of a web view it is gone a moment later, and writes until then.
        until(self._end_what_is_left, "the end of all that the app started")
        self.said.close()
        if failure:
            print(pathlib.Path(self.said.name).read_text(errors="replace"), file=sys.stderr)
        self.folder.cleanup()

    def processes(self):
        """What has this home in its environment: (pid and start time, command line)."""
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if str(self.home).encode() in (process / "environ").read_bytes():
                    command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    started = (process / "stat").read_text().rpartition(")")[2].split()[19]
                    found.append(((int(process.name), started), command))
            except OSError:
                pass
        return found

    def supervisors(self):
        """The pids of real ones, without the helpers that they start."""
        return [pid for (pid, _), command in self.processes() if command.strip().endswith("runner-tray-supervisor")]

    def kill_supervisor(self):
        [supervisor] = until(lambda: len(found := self.supervisors()) == 1 and found, "the supervisor alone")
        os.kill(supervisor, signal.SIGKILL)
        until(lambda: supervisor not in self.supervisors(), "its end")

    def runnerctl(self, *arguments):
        code, said = self.asked(*arguments)
        assert code == 0, said
        return said

    def asked(self, *arguments):
        """The exit code of `runnerctl`, and what it said; where it failed, also why."""
        done = subprocess.run(
            [program("runnerctl"), *arguments], env=self.environment, capture_output=True, text=True, timeout=PATIENCE
        )
        return done.returncode, done.stdout if done.returncode == 0 else done.stdout + done.stderr

    def _end_what_is_left(self):
        """Supervisors, keepers and agents outlive the app; they are ended with their home."""
        left = self.processes()
        for (pid, _), _ in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return not left

    def begin(self, *command, **more):
        more.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(command, env=self.environment, preexec_fn=end_with_the_test, **more)
        self.started.append(process)
        return process

    def begin_panel(self, *arguments):
        panel = self.begin(sys.executable, HERE / "watcher.py", *arguments, stdout=subprocess.PIPE)
        assert panel.stdout.readline() == b"ready\n", "the panel did not start"
        self.tray = Tray()

    def begin_keychain(self):
        """A real one, and open."""
        command = ["gnome-keyring-daemon", "--unlock", "--components=secrets", "--foreground"]
        keychain = self.begin(*command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        keychain.stdin.write(b"pass")
        keychain.stdin.close()
        bus = dbus.SessionBus()
        until(lambda: bus.name_has_owner("org.freedesktop.secrets"), "the keychain")

    def begin_user_manager(self):
        """systemd's, as a login starts it; it needs a control group of this user's own and XDG_RUNTIME_DIR."""
        with open(self.home / "systemd.log", "wb") as log:
            self.begin("/usr/lib/systemd/systemd", "--user", stdout=log, stderr=log)
        until(lambda: self.systemctl("is-system-running") in ("running", "degraded"), "systemd's user manager")
        # At a login there is one bus. Where systemd has begun one too, its services still come to this one.
        self.systemctl("set-environment", f"DBUS_SESSION_BUS_ADDRESS={self.environment['DBUS_SESSION_BUS_ADDRESS']}")

    def systemctl(self, *arguments):
        """What it said, whether or not that is good news."""
        command = ["systemctl", "--user", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE)
        return (done.stdout or done.stderr).strip()

    def lock_keychain(self):
        """Nobody is there to answer its prompt."""
        secrets = dbus.SessionBus().get_object("org.freedesktop.secrets", "/org/freedesktop/secrets")
        login = dbus.ObjectPath("/org/freedesktop/secrets/collection/login")
        dbus.Interface(secrets, "org.freedesktop.Secret.Service").Lock([login])

    def begin_supervisor(self, scene):
        self.supervisor = FakeSupervisor(self.home, scene)
        return self.supervisor

    def begin_app(self, *arguments, **more):
        return self.begin(os.environ["RUNNER_TRAY_APP"], *arguments, stdout=self.said, stderr=self.said, **more)

    def first_line_is(self, wanted):
        """Waits for it. `wanted` is the line, or a compiled pattern for all of it."""
        matches = wanted.fullmatch if hasattr(wanted, "fullmatch") else lambda line: line == wanted
        shown = []

        def question():
            shown[:] = [self.tray.first_line()]
            return matches(shown[0])

        try:
            until(question, f"the first line {wanted!r}")
        except AssertionError as error:
            raise AssertionError(f"{error}; the first line is {shown}") from None

    def window_looks(self):
        """Waits until a window's page runs and has asked the app, which asks for usage then."""
        until(lambda: self.supervisor.looks[-1:] == ["usage=1"], "the window's page")

    def window_is_gone(self):
        until(lambda: self.supervisor.looks[-1:] == [""], "the window's end")

    def _display(self):
        """The server chooses a free number itself."""
        reading, writing = os.pipe()
        server = subprocess.Popen(
            # It stays as it is when its last window goes.
            ["Xvfb", "-displayfd", str(writing), "-noreset", "-screen", "0", self.size, "-nolisten", "tcp"],
            pass_fds=[writing],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=end_with_the_test,
        )
        self.started.append(server)
        os.close(writing)
        with os.fdopen(reading) as number:
            return ":" + number.readline().strip()


def end_with_the_test(libc=ctypes.CDLL(None), set_death_signal=1):
    """In the child: whatever becomes of the test, nothing of it stays behind (prctl, PR_SET_PDEATHSIG)."""
    libc.prctl(set_death_signal, signal.SIGKILL)


def end(process, how=signal.SIGKILL):
    process.send_signal(how)
    return process.wait(timeout=PATIENCE)
