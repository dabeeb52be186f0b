/** The scenes in ui/fixtures, shared with the app, and some of the window's own. */
import table from "../../docs/problems.md?raw";
import type { Seen, View } from "../src/bridge";
import type { PreinstallRuns, Problem, ProblemCode, Runner, Snapshot } from "../src/generated/protocol";

/** The moment at which every scene plays. */
export const NOW = new Date("2026-03-02T16:42:12Z");

const files = import.meta.glob<View>("../fixtures/*.json", { import: "default", eager: true });
const shared = Object.entries(files).map(([path, view]): [string, View] => [
  path.replace(/^.*\/|\.json$/g, ""),
  view,
]);

/** What came of the plan in ui/replies: one that failed, one whose turn never came. */
const INSTALLED: Snapshot["preinstall"] = {
  kind: "done",
  id: "1772469730000-1",
  at: "2026-03-02T16:42:00Z",
  seconds: 74,
  items: [
    { outcome: "installed", item: { id: "git-lfs", title: "Git LFS", state: "present", reading: "3.5.1, /opt/homebrew/bin/git-lfs", version: "3.5.1" } },
    { outcome: "installed", item: { id: "jq", title: "jq", state: "present", reading: "1.7.1, /opt/homebrew/bin/jq", version: "1.7.1" } },
    {
      outcome: "failed",
      item: { id: "yarn", title: "Yarn", state: "missing", reading: "yarn is in no folder of the PATH of jobs" },
      command: "sudo npm install --global -- yarn",
      said: "npm error code E404\n\u001b[31mnpm error 404 Not Found - GET https://registry.npmjs.org/yarn",
    },
    { outcome: "not-begun", item: { id: "circleci", title: "circleci command", state: "missing", reading: "circleci is in no folder of the PATH of jobs" } },
  ],
  human: [
    { item: "xcode", title: "Xcode", words: "Download Xcode with your Apple ID, from the App Store or from developer.apple.com, and move it to /Applications.", link: "https://developer.apple.com/xcode/" },
  ],
  left: [],
  cut_short: "It was cancelled.",
  taken_up: false,
};

/** Somebody said no to the system's question for an admin's password. */
const NOT_ALLOWED: Snapshot["preinstall"] = {
  kind: "done",
  id: "1772469730000-2",
  at: "2026-03-02T16:42:00Z",
  seconds: 9,
  items: [
    {
      outcome: "not-begun",
      item: { id: "jq", title: "jq", state: "missing", reading: "jq is in no folder of the PATH of jobs" },
      command: "sudo apt-get install -y -- jq",
      said: "You did not allow it. Install again and you are asked again, or run the command in a terminal and check again.",
    },
  ],
  human: [],
  left: [
    { item: { id: "node", title: "Node.js", state: "too-old", reading: "16.20.0; wanted is 18 or newer" }, why: "It is there and too old. It is upgraded only where you say so." },
  ],
  taken_up: false,
};

/** One of each code, in the words of the table that is made of them; a reading and details as long as any. */
const PROBLEMS: Problem[] = [...table.matchAll(/^## `(.+)`\n\n\*\*(.+?)\*\* (.+)$/gm)].map(([, code, summary = "", hint = ""]) => ({
  code: code as ProblemCode,
  summary: named(summary),
  reading: "/Users/ada/Library/Application Support/runner-tray/runs/mac-mini-01: status 401, 0.4 s after start",
  hint: named(hint),
  details: "level=fatal msg=unauthorized url=https://runner.circleci.com/api/v3/runner/claim attempt=1 elapsed=0.4s",
  since: "2026-03-02T16:40:00Z",
}));

export const scenes: [name: string, view: View][] = [
  ...shared,
  ["after-task", changed("busy", goesToSleep)],
  ["away", changed("offline", (snapshot) => (snapshot.notices = { newest: 12, seen: 10 }))],
  ["low-disk", changed("idle", fillsTheDisk)],
  ["installed", changed("idle", (snapshot) => (snapshot.preinstall = INSTALLED))],
  ["installing", changed("busy", (snapshot) => installs(snapshot, {}))],
  ["installing-waits", changed("several", (snapshot) => installs(snapshot, { step: 2, title: "Install Yarn with npm", waits: "apt is used by apt-get (process 813)", cancelling: true, taken_up: true }))],
  ["not-allowed", changed("idle", (snapshot) => (snapshot.preinstall = NOT_ALLOWED))],
  ["looking", changed("idle", (snapshot) => (snapshot.preinstall = { kind: "checking", done: 14, of: 62 }))],
  ["every-problem", changed("problem", hasEveryProblem)],
  [
    "measuring",
    changed("several", (snapshot) => {
      snapshot.cleanup = { why: "you", stage: "measuring", since: "2026-03-02T16:42:08Z", entries: 81_204, bytes: 3_900_000_000 };
    }),
  ],
  [
    "not-awake",
    changed("busy", (snapshot) => {
      snapshot.keep_awake = { held: false, why_not: "The battery is at 22 %, below your limit of 30 %." };
    }),
  ],
];

/** A copy of a scene, so that a test may change it. */
export function scene(name: string): View {
  return copyOf(scenes, name);
}

export function runnersOf(view: View): Runner[] {
  return snapshotOf(view).runners;
}

function copyOf(all: [string, View][], name: string): View {
  const found = all.find(([it]) => it === name);
  if (!found) throw new Error(`there is no scene ${name}`);
  return structuredClone(found[1]);
}

function snapshotOf(view: View): Snapshot {
  return (view.supervisor as Extract<Seen, { kind: "live" }>).snapshot;
}

function changed(name: string, change: (snapshot: Snapshot) => void): View {
  const view = copyOf(shared, name);
  change(snapshotOf(view));
  return view;
}

/** Its runners are held; a task that runs goes on. */
function installs(snapshot: Snapshot, more: Partial<PreinstallRuns>): void {
  const since = "2026-03-02T16:41:00Z";
  snapshot.preinstall = {
    kind: "installing",
    id: "1772469730000-1",
    since,
    step: 1,
    steps: 3,
    title: "Install Git LFS and jq with Homebrew",
    items: ["git-lfs", "jq"],
    last_line: "==> Pouring git-lfs--3.5.1.bottle.tar.gz",
    cancelling: false,
    taken_up: false,
    ...more,
  };
  for (const runner of snapshot.runners) {
    runner.pause_reasons = [{ by: "preinstall", since }];
    runner.state = runner.task ? "draining" : "paused";
    runner.headline = runner.task ? "Finishing a task; what jobs need is installed" : "Installing what jobs need";
  }
}

/** Of the machine and of its runner: each has ways on of its own. */
function hasEveryProblem(snapshot: Snapshot): void {
  snapshot.problems = PROBLEMS;
  for (const runner of snapshot.runners) runner.problems = PROBLEMS;
}

function named(words: string): string {
  return words.replaceAll("NAME", "mac-mini-01").replaceAll("WHAT", "put to sleep");
}

function fillsTheDisk(snapshot: Snapshot): void {
  const since = "2026-03-02T16:40:00Z";
  const reading = "free 9.8 GB, needs 15 GB";
  for (const volume of snapshot.volumes ?? []) volume.free = 9_800_000_000;
  snapshot.problems = [
    {
      code: "disk-nearly-full",
      summary: "The disk is nearly full.",
      reading: `/Users/ada (tasks, temporary files): ${reading}`,
      hint: "Make room: `runnerctl clean --dry-run` shows what can go.",
      since,
    },
  ];
  for (const runner of snapshot.runners) {
    runner.state = "paused";
    runner.headline = "Paused for lack of disk space";
    runner.pause_reasons = [{ by: "disk", since, reading }];
  }
}

function goesToSleep(snapshot: Snapshot): void {
  const since = "2026-03-02T16:40:00Z";
  snapshot.after_task = { do: "sleep", since, waits_for: snapshot.runners.map((it) => it.name) };
  for (const runner of snapshot.runners) {
    runner.state = "draining";
    runner.headline = "Finishing a task, then this machine sleeps";
    runner.pause_reasons = [{ by: "after-task", since }];
  }
}
