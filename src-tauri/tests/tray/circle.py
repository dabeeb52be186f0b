"""CircleCI as local-circleci plays it, on a desktop of a test's own, with jobs that end when they are told to."""

import json
import subprocess
import urllib.request

from programs import program
from until import PATIENCE, until

CLASS = "acme/linux"
# Shows by files how far it is, works until it is let go, and leaves something in its directory, as builds do.
WORK = """
head -c 200000 /dev/zero | tr "\\0" x > built
: > "$SIGNS-begun"
until [ -e "$SIGNS-go" ]; do echo working; sleep 0.05; done
: > "$SIGNS-done"
echo "the whole job ran"
"""


class Circle:
    def __init__(self, desk, *more, address="127.0.0.1:0"):
        self.desk, self.more = desk, more
        self.folder = desk.home / "circle"
        self.jobs = 0
        self.begin(address)

    def begin(self, address):
        url = self.desk.home / "circle.url"
        url.unlink(missing_ok=True)
        self.process = self.desk.begin(
            program("local-circleci"), "serve", "--addr", address, "--url-file", url, "--state", self.folder,
            "--resource-class", f"{CLASS}=@{self.folder / 'token'}", *self.more,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        until(lambda: url.exists() and url.read_text().endswith("\n"), "local-circleci")
        self.url = url.read_text().strip()

    def goes_away(self):
        """Nobody is at its address any more."""
        self.process.kill()
        self.process.wait()

    def comes_back(self):
        self.begin(self.url.removeprefix("http://"))

    @property
    def token(self):
        return (self.folder / "token").read_text().strip()

    @property
    def personal_token(self):
        return (self.folder / "personal-token").read_text().strip()

    def set_up(self, name="mini"):
        """A runner as `runnerctl setup` makes it, its token in a file."""
        command = [
            program("runnerctl"), "setup", "--resource-class", CLASS, "--name", name, "--token-stdin",
            "--token-store", "file", "--api-url", self.url, "--releases-url", self.url + "/releases",
        ]  # fmt: skip
        done = subprocess.run(
            command, env=self.desk.environment, input=self.token, capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def job(self, project="acme/web-app", resource_class=CLASS):
        self.jobs += 1
        return Job(self, f"job-{self.jobs}", project, resource_class)

    def is_downloaded_from(self):
        """Whether an archive of the agent was asked for."""
        return any(it["path"].endswith(".tar.gz") for it in self.ask("downloads"))

    def fault(self, **what):
        """Trouble for the calls whose path starts with `path`; the fields of `Fault`."""
        self.ask("faults", what)

    def mend(self):
        self.ask("faults", method="DELETE")

    def ask(self, path, body=None, method=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/control/{path}", data, {"Content-Type": "application/json"})
        request.method = method or ("POST" if data else "GET")
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            text = answer.read()
        return json.loads(text) if text else None


class Job:
    """Queued by being made."""

    def __init__(self, circle, name, project, resource_class):
        self.circle = circle
        self.signs = circle.desk.home / name
        self.number = circle.ask(
            "tasks",
            {
                "resource_class": resource_class,
                "project": project,
                "branch": "main",
                "job": name,
                "environment": {"SIGNS": str(self.signs)},
                "steps": [{"name": "work", "script": WORK}],
            },
        )

    def until_begun(self):
        until(self._sign("begun").exists, "the job's beginning")

    def let_go(self):
        self._sign("go").touch()

    def state(self):
        return self.circle.ask(f"tasks/{self.number}")["state"]

    def ended_well(self):
        """Waits for its end, which must be its own."""
        until(lambda: self.state() == "finished", "the job's end")
        task = self.circle.ask(f"tasks/{self.number}")
        assert task["outcome"] == "success", task
        assert self._sign("done").exists(), "a success that did not run to its end"

    def _sign(self, name):
        return self.signs.with_name(f"{self.signs.name}-{name}")
