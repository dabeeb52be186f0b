/** The frame's texts: the rail, and what is the same on every page. */
import { texts } from "./say";

export const shell = texts({
  pages: "Pages",
  overview: "Overview",
  directories: "Directories",
  cleanUp: "Clean-up",
  preinstall: "Preinstall",
  history: "History",
  logs: "Logs",
  doctor: "Doctor",
  settings: "Settings",
  findings: { one: "{n} finding", other: "{n} findings" },
  commands: "Commands",
  commandKey: "Ctrl K",
  commandKeyMac: "⌘ K",
  noRunner: "No runner yet",
  machineProblem: "This machine has a problem; {runners}",
  notConnected: "Not connected",
  after: "After this task",
  disk: "Disk {free}",
  diskOf: "free of {total}",
  diskLow: "Disk nearly full: {free}",
});
