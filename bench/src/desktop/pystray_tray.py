"""A tray with a menu of two items."""

import os

os.environ["PYSTRAY_BACKEND"] = "appindicator"

from PIL import Image
import pystray

menu = pystray.Menu(pystray.MenuItem("Open", lambda: None), pystray.MenuItem("Quit", lambda icon: icon.stop()))
pystray.Icon("pystray", Image.new("RGBA", (32, 32), "black"), "pystray", menu).run()
