"""The window as a person with mouse and keyboard meets it, over WebDriver: https://www.w3.org/TR/webdriver2/.

WebKitWebDriver starts the app itself and speaks to its web view.
"""

import base64
import json
import os
import socket
import urllib.error
import urllib.request

from until import PATIENCE, until

# How WebDriver names an element in JSON.
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
# All that is shown and has this role's tags; the name is what a screen reader says.
FIND = """
const [selector, name] = arguments;
const words = (text) => (text ?? "").replace(/\\s+/g, " ").trim();
const named = (it) => {
  const by = it.getAttribute("aria-labelledby");
  if (by) return words(by.split(" ").map((id) => document.getElementById(id)?.textContent).join(" "));
  return words(it.getAttribute("aria-label") || [...(it.labels ?? [])].map((l) => l.textContent).join(" ") || it.textContent);
};
const shown = [...document.querySelectorAll(selector)].filter((it) => it.checkVisibility());
return shown.find((it) => named(it) === name) ?? shown.find((it) => named(it).startsWith(name)) ?? null;
"""
# A button that is busy with the last press takes none, and says so.
PRESSED = ", ".join(
    f"{it}:not([aria-disabled=true])"
    for it in ["button", "a", "summary", "[role=button]", "[role=tab]", "[role=menuitem]", "[role=option]", "label"]
)
# The element was drawn anew since it was found, or something lies over it still: nothing was done.
COMES_TOO_EARLY = ("stale element reference", "element click intercepted", "element not interactable")
FILLED = "input, textarea, select"


class Browser:
    def __init__(self, desk, *arguments):
        # An app that hands over to another one would leave the driver without a window.
        more = {"TAURI_WEBVIEW_AUTOMATION": "true", "RUNNER_TRAY_MANY": "1"}
        desk.environment |= more
        until(lambda: self._is_begun(desk), "WebKitWebDriver")
        for name in more:
            del desk.environment[name]
        options = {"binary": os.environ["RUNNER_TRAY_APP"], "args": ["--window", *arguments]}
        wanted = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
        session = self._ask("POST", "/session", wanted)["sessionId"]
        self.url += f"/session/{session}"

    def has(self, text):
        until(lambda: text in self.text(), f"the text {text!r}", lambda: self.text())

    def has_one_of(self, *texts):
        until(lambda: any(text in self.text() for text in texts), f"one of {texts!r}", lambda: self.text())

    def has_not(self, text):
        until(lambda: text not in self.text(), f"the end of {text!r}", lambda: self.text())

    def text(self):
        """All that is to be read on the page."""
        return self.run("return document.body.innerText.replace(/\\s+/g, ' ')")

    def press(self, name):
        """What can be pressed and is called so, by a real click, once it can be."""

        def pressed():
            element = self._enabled(PRESSED, name)
            return element and self._done("POST", f"/element/{element}/click", {})

        until(pressed, f"{name!r} to press", lambda: self.text())

    def fill(self, name, text):
        """Types into the field of that name, in place of what is there."""

        def filled():
            element = self._enabled(FILLED, name)
            return (
                element
                and self._done("POST", f"/element/{element}/clear", {})
                and self._done("POST", f"/element/{element}/value", {"text": text})
                # What the page itself writes there, a default, may have come in between.
                and self.value(name) == text
            )

        until(filled, f"the field {name!r}", lambda: self.text())

    def choose(self, name, option):
        """What a list of that name offers so; its own menu is out of reach here."""
        script = """
        const [list, words] = arguments;
        const option = [...list.options].find((it) => it.textContent === words);
        list.value = option.value;
        list.dispatchEvent(new Event("change", { bubbles: true }));
        """
        element = until(lambda: self._enabled(FILLED, name), f"the list {name!r}", lambda: self.text())
        self.run(script, {ELEMENT: element}, option)

    def value(self, name):
        element = until(lambda: self._find(FILLED, name), f"the field {name!r}", lambda: self.text())
        return self._ask("GET", f"/element/{element}/property/value")

    def run(self, script, *arguments):
        return self._ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def size(self, width, height):
        self._ask("POST", "/window/rect", {"width": width, "height": height})
        until(lambda: self.run("return [innerWidth, innerHeight]") == [width, height], f"{width} x {height}")

    def picture(self):
        """What the page shows, as PNG."""
        return base64.b64decode(self._ask("GET", "/screenshot"))

    def end(self):
        """Closes the app with its session."""
        self._ask("DELETE", "")

    def _find(self, selector, name):
        found = self.run(FIND, selector, name)
        return found and found[ELEMENT]

    def _enabled(self, selector, name):
        element = self._find(selector, name)
        return element if element and self._ask("GET", f"/element/{element}/enabled") else None

    def _done(self, *call):
        """Whether it was done; false where it came too early, and nothing was."""
        try:
            self._ask(*call)
        except AssertionError as error:
            if any(word in str(error) for word in COMES_TOO_EARLY):
                return False
            raise
        return True

    def _is_begun(self, desk):
        """Whether it answers; false where somebody else has taken its port meanwhile."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        # The app speaks where its driver does.
        driver = desk.begin("WebKitWebDriver", f"--port={port}", "--host=127.0.0.1", stdout=desk.said, stderr=desk.said)
        until(lambda: driver.poll() is not None or self._is_ready(), "WebKitWebDriver's answer")
        return driver.poll() is None

    def _is_ready(self):
        try:
            return self._ask("GET", "/status")["ready"]
        except (OSError, urllib.error.URLError):
            return False

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.loads(answer.read())["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.read().decode()}") from None
