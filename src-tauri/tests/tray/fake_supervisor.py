"""A supervisor that shows the scenes of ui/fixtures and writes down what it is asked. It runs nothing.

Started as a program it serves one scene below $RUNNER_TRAY_HOME until it is killed.
"""

import json
import os
import pathlib
import re
import socketserver
import sys
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler

FIXTURES = pathlib.Path(__file__).resolve().parents[3] / "ui" / "fixtures"
SCENES_PLAY_AT = datetime(2026, 3, 2, 16, 42, 12, tzinfo=timezone.utc)
MOMENT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def snapshot(scene):
    """The scene's snapshot, moved so that it plays now."""
    text = (FIXTURES / f"{scene}.json").read_text()
    later = datetime.now(timezone.utc) - SCENES_PLAY_AT

    def moved(found):
        moment = datetime.fromisoformat(found.group().replace("Z", "+00:00")) + later
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    return json.loads(MOMENT.sub(moved, text))["supervisor"]["snapshot"]


class FakeSupervisor:
    """Listens at once; `show` changes what every client sees."""

    def __init__(self, home, scene):
        self.news = threading.Condition()
        self.revision = 0
        self.wishes = []
        """(method, path, body) of every changing call, in order."""
        self.looks = []
        """The query of every event stream that was opened, in order."""
        self.refusal = None
        self.ended = False
        self.show(scene)
        state = pathlib.Path(home) / "state"
        state.mkdir(parents=True, exist_ok=True)
        self.socket = state / "supervisor.sock"
        self.socket.unlink(missing_ok=True)
        self.streams = set()
        self.server = Server(str(self.socket), Call)
        self.server.supervisor = self
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def show(self, scene):
        with self.news:
            self.revision += 1
            self.snapshot = snapshot(scene) | {"revision": self.revision}
            self.news.notify_all()

    def refuse(self, title, hint):
        """Every wish from now on."""
        self.refusal = {"status": 507, "code": "cannot-save", "title": title, "hint": hint}

    def end(self):
        """As a process that dies: the socket file stays, every connection is cut."""
        with self.news:
            self.ended = True
            self.news.notify_all()
        self.server.shutdown()
        self.server.server_close()


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False


class Call(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def supervisor(self):
        return self.server.supervisor

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path == "/v1/health":
            self.answer(200, {"version": "0.1.0", "pid": os.getpid(), "protocol": 1})
        elif path == "/v1/snapshot":
            self.answer(200, self.supervisor.snapshot)
        elif path == "/v1/events":
            self.stream(query)
        else:
            self.answer(404, {"status": 404, "code": "not-found", "title": f"There is no {path}.", "hint": "None."})

    def do_PUT(self):
        self.wish()

    def do_DELETE(self):
        self.wish()

    def do_POST(self):
        self.wish()

    def wish(self):
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        with self.supervisor.news:
            self.supervisor.wishes.append((self.command, self.path, body))
        if self.supervisor.refusal:
            self.answer(507, self.supervisor.refusal, "application/problem+json")
        else:
            self.answer(204, None)

    def stream(self, query):
        supervisor = self.supervisor
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        with supervisor.news:
            supervisor.looks.append(query)
        told = 0
        while True:
            with supervisor.news:
                supervisor.news.wait_for(lambda: supervisor.ended or supervisor.revision > told)
                if supervisor.ended:
                    return
                told, text = supervisor.revision, json.dumps(supervisor.snapshot)
            try:
                self.wfile.write(f"data: {text}\n\n".encode())
                self.wfile.flush()
            except OSError:
                return

    def answer(self, status, body, kind="application/json"):
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def address_string(self):
        return "a local client"

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    FakeSupervisor(os.environ["RUNNER_TRAY_HOME"], sys.argv[1] if len(sys.argv) > 1 else "idle")
    threading.Event().wait()
