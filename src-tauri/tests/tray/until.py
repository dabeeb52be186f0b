"""Waiting for what must come, with an end."""

import time

from tray import NoTray

PATIENCE = 30


def until(question, what, otherwise=None):
    """Asks until the answer is true, and gives it back; bounded, so that a failure says what was waited for, and
    what there is `otherwise`."""
    end = time.monotonic() + PATIENCE
    last = None
    while time.monotonic() < end:
        try:
            last = question()
            if last:
                return last
        except NoTray as error:
            last = error
        time.sleep(0.02)
    there_is = otherwise() if otherwise else last
    raise AssertionError(f"waited {PATIENCE} s for {what}; there is: {there_is!r}")
