"""The tray as a user meets it: reads and clicks the real menu over com.canonical.dbusmenu."""

import os

import dbus

import watcher
from until import NoTray, until


class Tray:
    def __init__(self):
        self.bus = dbus.SessionBus()

    def items(self):
        return [str(item) for item in self._properties(watcher.NAME, watcher.PATH, watcher.NAME)["RegisteredStatusNotifierItems"]]

    def lines(self):
        """Every label in the order of the menu, those of submenus indented, separators as ---."""
        return ["    " * depth + label for _, label, depth in self._rows()]

    def first_line(self):
        return self.lines()[0]

    def click(self, label):
        """The first item with this label, once it is there. A menu that is made anew meanwhile has other numbers,
        and knows nothing of the old ones: then nothing was clicked."""

        def clicked():
            item = next((item for item, found, _ in self._rows() if found == label), None)
            if item is None:
                return False
            _, menu = self._menu()
            try:
                menu.Event(item, "clicked", dbus.Int32(0), dbus.UInt32(0))
            except dbus.DBusException as error:
                raise NoTray(error) from error
            return True

        until(clicked, f"the item {label!r}", self.lines)

    def icon(self):
        """The bytes of the picture, and where it lies."""
        path = str(self._item()["IconName"])
        try:
            with open(path, "rb") as picture:
                return picture.read(), path
        except OSError as error:
            raise NoTray(error) from error

    def _rows(self):
        _, menu = self._menu()
        try:
            menu.AboutToShow(0)
            _, root = menu.GetLayout(0, -1, dbus.Array([], signature="s"))
        except dbus.DBusException as error:
            raise NoTray(error) from error
        rows = []

        def walk(node, depth):
            item, properties, children = node
            kind = str(properties.get("type", ""))
            label = str(properties.get("label", ""))
            # One underscore marks a letter, two are one.
            label = label.replace("__", "\0").replace("_", "").replace("\0", "_")
            rows.append((int(item), "---" if kind == "separator" else label, depth))
            for child in children:
                walk(child, depth + 1)

        for child in root[2]:
            walk(child, 0)
        if not rows:
            raise NoTray("the menu is empty")
        return rows

    def _menu(self):
        service, path = self._address(), str(self._item()["Menu"])
        try:
            return service, dbus.Interface(self.bus.get_object(service, path), "com.canonical.dbusmenu")
        except dbus.DBusException as error:
            raise NoTray(error) from error

    def _item(self):
        service, path = self._last().split("/", 1)
        return self._properties(service, "/" + path, "org.kde.StatusNotifierItem")

    def _address(self):
        return self._last().split("/", 1)[0]

    def _last(self):
        """What came last, as `service/path`."""
        items = self.items()
        if not items:
            raise NoTray("no icon is registered")
        return items[-1]

    def _properties(self, service, path, interface):
        try:
            found = self.bus.get_object(service, path)
            return dbus.Interface(found, watcher.PROPERTIES).GetAll(interface)
        except dbus.DBusException as error:
            raise NoTray(error) from error
