"""The part of a desktop panel that tray icons register with (StatusNotifierWatcher), and nothing that draws.

https://www.freedesktop.org/wiki/Specifications/StatusNotifierItem/
"""

import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

NAME = "org.kde.StatusNotifierWatcher"
PATH = "/StatusNotifierWatcher"
PROPERTIES = "org.freedesktop.DBus.Properties"


class Watcher(dbus.service.Object):
    def __init__(self, bus, hosts):
        self.items = []
        # Whoever draws them, by their names on the bus.
        self.hosts = hosts
        self.name = dbus.service.BusName(NAME, bus)
        bus.add_signal_receiver(self.forget, "NameOwnerChanged", "org.freedesktop.DBus")
        super().__init__(bus, PATH)

    @dbus.service.method(NAME, in_signature="s", sender_keyword="sender")
    def RegisterStatusNotifierItem(self, service, sender=None):
        item = sender + service if service.startswith("/") else service + "/StatusNotifierItem"
        # Some libraries register twice; it is one icon.
        if item not in self.items:
            self.items.append(item)
            self.StatusNotifierItemRegistered(item)

    @dbus.service.method(NAME, in_signature="s", sender_keyword="sender")
    def RegisterStatusNotifierHost(self, service, sender=None):
        self.hosts.add(sender)
        self.StatusNotifierHostRegistered()

    @dbus.service.signal(NAME, signature="s")
    def StatusNotifierItemRegistered(self, item):
        pass

    @dbus.service.signal(NAME, signature="s")
    def StatusNotifierItemUnregistered(self, item):
        pass

    @dbus.service.signal(NAME)
    def StatusNotifierHostRegistered(self):
        pass

    @dbus.service.signal(NAME)
    def StatusNotifierHostUnregistered(self):
        pass

    @dbus.service.method(PROPERTIES, in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        return self.GetAll(interface)[name]

    @dbus.service.method(PROPERTIES, in_signature="s", out_signature="a{sv}")
    def GetAll(self, interface):
        return {
            "RegisteredStatusNotifierItems": dbus.Array(self.items, signature="s"),
            "IsStatusNotifierHostRegistered": dbus.Boolean(bool(self.hosts)),
            "ProtocolVersion": dbus.Int32(0),
        }

    def forget(self, name, old, new):
        """An app that left the bus took its icons along, and a host itself."""
        if new:
            return
        self.items = [item for item in self.items if item.split("/")[0] != name]
        if name in self.hosts:
            self.hosts.remove(name)
            self.StatusNotifierHostUnregistered()


if __name__ == "__main__":
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    Watcher(dbus.SessionBus(), hosts=set() if "--without-host" in sys.argv else {"this one"})
    print("ready", flush=True)
    GLib.MainLoop().run()
