/** Words that stand on more than one page: states, results, spans of time and units. */
import { texts } from "./say";

export const common = texts({
  app: "Runner Tray",
  seconds: "{s} s",
  minutes: "{m} min",
  underAMinute: "under 1 min",
  minutesSeconds: "{m} min {s} s",
  hoursMinutes: "{h} h {m} min",
  days: { one: "{n} day", other: "{n} days" },
  hours: "{h} h",
  tomorrowAt: "tomorrow {time}",
  yesterdayAt: "yesterday {time}",
  dayAt: "{day} {time}",
  bytes: "{size} B",
  kB: "{size} kB",
  MB: "{size} MB",
  GB: "{size} GB",
  TB: "{size} TB",
  of: "{label}: {object}",
  details: "Details",
  dismiss: "Dismiss",
  notices: "Notices",
  copy: "Copy",
  copied: "Copied",
  close: "Close",
  back: "Back",
  tryAgain: "Try again",
  more: "Show more",
  waiting: "Waiting for the answer…",
  aTask: "a task",
  unknown: "unknown",
  runner: "Runner",
  allRunners: "All runners",
  cannotReach: "This window cannot reach the app.",
  reopen: "Close it and open it again ({why}).",
  noAnswer: "The app did not answer.",
  noAnswerHint: "Close this window and open it again.",
});

export const states = texts({
  problem: "Problem",
  offline: "Offline",
  unknown: "Unknown",
  draining: "Draining",
  busy: "Busy",
  updating: "Updating",
  paused: "Paused",
  idle: "Idle",
});

/** "1 busy, 2 idle". */
export const stateCounts = texts({
  problem: "{n} problem",
  offline: "{n} offline",
  unknown: "{n} unknown",
  draining: "{n} draining",
  busy: "{n} busy",
  updating: "{n} updating",
  paused: "{n} paused",
  idle: "{n} idle",
});

export const results = texts({
  succeeded: "Succeeded",
  failed: "Failed",
  failedWith: "Failed with exit code {code}",
  cancelled: "Cancelled by you",
  lost: "Ended because its wrapper died",
  unknown: "Ended, nobody knows how",
});
