/** Starts the window; everything it shows comes through the bridge. */
import { mount } from "svelte";
import App from "./App.svelte";
import "./theme.css";

const target = document.getElementById("app");
if (target) {
  // The one difference between platforms: 13 px is the body size of macOS, 14 px of Linux desktops.
  document.documentElement.classList.toggle("mac", navigator.platform.startsWith("Mac"));
  mount(App, { target });
}
