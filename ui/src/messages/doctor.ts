/** The doctor's texts: "What is wrong, and what do I do?" What it finds comes from the supervisor. */
import { texts } from "./say";

export const doctor = texts({
  title: "Doctor",
  wellAll: { one: "Nothing to mend: {n} reading, all well", other: "Nothing to mend: {n} readings, all well" },
  toMend: { one: "{n} finding to mend", other: "{n} findings to mend" },
  unread: { one: "{n} reading could not be taken", other: "{n} readings could not be taken" },
  looking: "Looking at this machine. The network is asked too, so this can take half a minute.",
  again: "Check again",
  checking: "Checking…",
  checkedAt: "checked at {time}",
  list: "Findings",
  well: { one: "{n} reading is well", other: "{n} readings are well" },
  notLooked: "Nothing was looked at yet.",
  mend: "What to do:",
  nothing: "The doctor found nothing to look at on this machine.",
});

export const levels = texts({
  bad: "Bad",
  warn: "Warning",
  unknown: "Unknown",
  note: "Note",
  ok: "Well",
});

export const checks = texts({
  system: "This machine",
  user: "Who you are",
  "network-home": "Where state is kept",
  files: "Files and modes",
  settings: "Settings",
  disk: "Disk",
  tools: "Tools",
  network: "Network",
  proxy: "Proxy",
  clock: "Clock",
  sleep: "Sleep",
  token: "Token",
  "job-user": "Job user",
  "other-agents": "Other agents",
  supervisor: "Supervisor",
  other: "Something newer",
});
