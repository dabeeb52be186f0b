"""The window as a screen reader meets it: reads what is there and presses buttons, over AT-SPI."""

import dbus
import dbus.bus

from until import until


def wake():
    """Starts the session's accessibility services and returns when they answer."""
    launcher = dbus.SessionBus().get_object("org.a11y.Bus", "/org/a11y/bus")
    address = dbus.Interface(launcher, "org.a11y.Bus").GetAddress()
    registry = dbus.bus.BusConnection(address)
    registry.start_service_by_name("org.a11y.atspi.Registry")
    registry.close()


class Page:
    def __init__(self, app):
        import gi

        gi.require_version("Atspi", "2.0")
        from gi.repository import Atspi, GLib

        self.app, self.atspi, self.error = app, Atspi, GLib.Error
        Atspi.init()
        # On a busy machine it answers late; one that is given up would be taken for gone.
        Atspi.set_timeout(30_000, 30_000)

    def has(self, text):
        until(lambda: any(text in name for _, name, _ in self._all()), f"the text {text!r}")

    def has_not(self, text):
        until(lambda: not any(text in name for _, name, _ in self._all()), f"the end of {text!r}")

    def read(self):
        """The whole tree, as (role, name) in reading order."""
        return [(role, name) for role, name, _ in self._all()]

    def press(self, name):
        sensitive = self.atspi.StateType.SENSITIVE

        def pressed():
            for role, label, it in self._all():
                # One that was drawn anew meanwhile has nothing to press; one that is busy is waited for.
                if "button" in role and label == name and it.get_state_set().contains(sensitive):
                    action = it.get_action_iface()
                    return action is not None and action.do_action(0)
            return False

        until(pressed, f"the button {name!r}")

    def _all(self):
        """Everything below the app as (role, name or text, object); what goes away meanwhile is left out."""
        rows = []

        def walk(node, depth):
            if node is None or depth > 40:
                return
            try:
                text = node.get_text_iface()
                said = text.get_text(0, -1) if text else ""
                rows.append((node.get_role_name(), node.get_name() or said, node))
                for at in range(node.get_child_count()):
                    walk(node.get_child_at_index(at), depth + 1)
            except self.error:
                pass

        desktop = self.atspi.get_desktop(0)
        for at in range(desktop.get_child_count()):
            child = desktop.get_child_at_index(at)
            if child and child.get_name() == self.app:
                walk(child, 0)
        return rows
