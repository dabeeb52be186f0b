"""A real notification server, https://dunst-project.org, and a hand that presses buttons of what it shows."""

import subprocess

import dbus

from until import soon, until

NAME, PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
# Nothing goes away by itself; buttons are offered to a program that chooses one of them.
SETTINGS = """
[global]
    dmenu = {chooser}
    notification_limit = 20
[urgency_low]
    timeout = 0
[urgency_normal]
    timeout = 0
[urgency_critical]
    timeout = 0
"""


class Dunst:
    def __init__(self, desk):
        # Its settings know no spaces, and a desk's home has some.
        folder = desk.home.parent
        self.wanted = folder / "wanted"
        chooser = folder / "chooser"
        chooser.write_text(f'#!/bin/sh\nexec grep --fixed-strings --max-count=1 --file="{self.wanted}"\n')
        chooser.chmod(0o755)
        settings = folder / "dunstrc"
        settings.write_text(SETTINGS.format(chooser=chooser))
        desk.begin("dunst", "-config", settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.bus = dbus.SessionBus()
        until(lambda: self.bus.name_has_owner(NAME), "dunst")
        self.control = dbus.Interface(self.bus.get_object(NAME, PATH), "org.dunstproject.cmd0")

    def shows(self):
        """Waits for a notification."""
        until(self._shown, "a notification")

    def told(self):
        """The title and the text of each that is shown. Only closed ones can be read, so it closes them."""
        self.shows()
        self.control.NotificationCloseAll()
        until(lambda: not self._shown(), "their end")
        return [(str(it["summary"]), str(it["body"])) for it in self.control.NotificationListHistory()]

    def press(self, words, done, what):
        """A button, by its words, until `done`: whoever showed it may not listen yet when it is pressed first."""
        self.wanted.write_text(words + "\n")
        self._do(self.control.ContextMenuCall, done, what)

    def click(self, done, what):
        """On the notification itself."""
        self._do(lambda: self.control.NotificationAction(dbus.UInt32(0)), done, what)

    def _do(self, act, done, what):
        def tried():
            # One that was answered is gone, and comes back from the past.
            if not self._shown():
                self.control.NotificationShow()
                until(self._shown, "the notification, again")
            act()
            return soon(done)

        until(tried, what)

    def _shown(self):
        properties = dbus.Interface(self.bus.get_object(NAME, PATH), "org.freedesktop.DBus.Properties")
        return properties.Get("org.dunstproject.cmd0", "displayedLength") > 0
