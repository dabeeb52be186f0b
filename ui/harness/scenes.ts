/** The scenes in ui/fixtures, shared with the app, completed by what only the window shows; and some of its own. */
import type { Seen, View } from "../src/bridge";
import type { Runner, Snapshot } from "../src/generated/protocol";

/** The moment at which every scene plays. */
export const NOW = new Date("2026-03-02T16:42:12Z");

const files = import.meta.glob<View>("../fixtures/*.json", { import: "default", eager: true });
const shared = Object.entries(files).map(([path, view]): [string, View] => [
  path.replace(/^.*\/|\.json$/g, ""),
  completed(view),
]);

export const scenes: [name: string, view: View][] = [
  ...shared,
  ["after-task", changed("busy", goesToSleep)],
  ["away", changed("offline", (snapshot) => (snapshot.notices = { newest: 12, seen: 10 }))],
  ["low-disk", changed("idle", fillsTheDisk)],
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

/** As a supervisor of today tells it. */
function completed(view: View): View {
  const whole = structuredClone(view);
  if (whole.supervisor.kind !== "live") return whole;
  const { snapshot } = whole.supervisor;
  for (const runner of snapshot.runners) {
    const isRefused = runner.problems.some((it) => it.code === "token-refused");
    runner.token = isRefused ? "refused" : runner.state === "updating" ? "untried" : "accepted";
  }
  snapshot.preferences ??= {
    keep_awake: { on: true, battery_floor_percent: 30 },
    notifications: { problems: true, pause_ended: true, tasks: false },
    cleanup: { before_task_seconds: 120, when_it_fails: "go-on", end_left_overs: false, weekly: { day: 7, hour: 3 } },
  };
  snapshot.keep_awake ??= { held: snapshot.runners.some((it) => it.task) };
  snapshot.notices ??= { newest: 12, seen: 12 };
  return whole;
}

function changed(name: string, change: (snapshot: Snapshot) => void): View {
  const view = copyOf(shared, name);
  change(snapshotOf(view));
  return view;
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
