"""Waiting for what must come, with an end."""

import time


class NoTray(Exception):
    """No icon is there, or it went away in the middle of a question."""


# In seconds, on a machine that is busy with other things; whoever waits goes on at once when it is so.
PATIENCE = 90


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


def soon(question):
    """The answer once it is true, or none after two seconds."""
    end = time.monotonic() + 2
    while time.monotonic() < end:
        try:
            if answer := question():
                return answer
        except NoTray:
            pass
        time.sleep(0.02)
    return None
