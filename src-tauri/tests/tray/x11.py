"""The windows of a display, asked of Xlib itself: which are there, and a polite word to close one."""

import ctypes
from ctypes import POINTER, byref, c_char, c_char_p, c_int, c_long, c_uint, c_ulong, c_void_p

X = ctypes.CDLL("libX11.so.6")
X.XOpenDisplay.restype = c_void_p
X.XDefaultRootWindow.restype = c_ulong
X.XInternAtom.restype = c_ulong
for call, arguments in {
    "XOpenDisplay": [c_char_p],
    "XCloseDisplay": [c_void_p],
    "XDefaultRootWindow": [c_void_p],
    "XQueryTree": [c_void_p, c_ulong] + [POINTER(c_ulong)] * 2 + [POINTER(POINTER(c_ulong)), POINTER(c_uint)],
    "XFetchName": [c_void_p, c_ulong, POINTER(c_char_p)],
    "XFree": [c_void_p],
    "XInternAtom": [c_void_p, c_char_p, c_int],
    "XSendEvent": [c_void_p, c_ulong, c_int, c_long, c_void_p],
    "XSync": [c_void_p, c_int],
    "XMoveResizeWindow": [c_void_p, c_ulong, c_int, c_int, c_uint, c_uint],
    "XGetGeometry": [c_void_p, c_ulong, POINTER(c_ulong), POINTER(c_int), POINTER(c_int)] + [POINTER(c_uint)] * 4,
    "XSetWindowBackground": [c_void_p, c_ulong, c_ulong],
    "XClearWindow": [c_void_p, c_ulong],
}.items():
    getattr(X, call).argtypes = arguments

CLIENT_MESSAGE = 33
# A window may go between two questions about it; Xlib would end the whole program then.
NO_MATTER = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)(lambda display, error: 0)
X.XSetErrorHandler(NO_MATTER)


class ClientMessage(ctypes.Structure):
    """XClientMessageEvent, as large as an XEvent."""

    _fields_ = [
        ("type", c_int),
        ("serial", c_ulong),
        ("send_event", c_int),
        ("display", c_void_p),
        ("window", c_ulong),
        ("message_type", c_ulong),
        ("format", c_int),
        ("data", c_long * 5),
        ("rest", c_char * 192),
    ]


class Screen:
    def __init__(self, name):
        self.name = name.encode()

    def windows(self, title):
        """Every window of this title."""
        with_display = X.XOpenDisplay(self.name)
        try:
            return [window for window, found in self._named(with_display) if found == title.encode()]
        finally:
            X.XCloseDisplay(with_display)

    def place(self, window, x, y, width, height):
        """Where no window manager is, a window is moved by whoever wants to."""
        display = X.XOpenDisplay(self.name)
        X.XMoveResizeWindow(display, window, x, y, width, height)
        X.XSync(display, 0)
        X.XCloseDisplay(display)

    def geometry(self, window):
        """(x, y, width, height)"""
        display = X.XOpenDisplay(self.name)
        root, x, y = c_ulong(), c_int(), c_int()
        width, height, border, depth = c_uint(), c_uint(), c_uint(), c_uint()
        X.XGetGeometry(display, window, byref(root), byref(x), byref(y), byref(width), byref(height), byref(border), byref(depth))
        X.XCloseDisplay(display)
        return x.value, y.value, width.value, height.value

    def paint_ground(self, colour):
        """Behind all windows, as 0xRRGGBB."""
        display = X.XOpenDisplay(self.name)
        root = X.XDefaultRootWindow(display)
        X.XSetWindowBackground(display, root, colour)
        X.XClearWindow(display, root)
        X.XSync(display, 0)
        X.XCloseDisplay(display)

    def close(self, window):
        """What a window manager sends when the close button is pressed (ICCCM, WM_DELETE_WINDOW)."""
        display = X.XOpenDisplay(self.name)
        message = ClientMessage(
            type=CLIENT_MESSAGE,
            window=window,
            message_type=X.XInternAtom(display, b"WM_PROTOCOLS", 0),
            format=32,
            data=(X.XInternAtom(display, b"WM_DELETE_WINDOW", 0), 0, 0, 0, 0),
        )
        X.XSendEvent(display, window, 0, 0, byref(message))
        X.XSync(display, 0)
        X.XCloseDisplay(display)

    def _named(self, display):
        root, parent = c_ulong(), c_ulong()
        children, count = POINTER(c_ulong)(), c_uint()
        X.XQueryTree(
            display, X.XDefaultRootWindow(display), byref(root), byref(parent), byref(children), byref(count)
        )
        for at in range(count.value):
            name = c_char_p()
            if X.XFetchName(display, children[at], byref(name)):
                yield children[at], name.value
                X.XFree(name)
        if children:
            X.XFree(children)
