import { fireEvent, screen, within } from "@testing-library/svelte";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { View } from "../src/bridge";
import type { RunnerState } from "../src/generated/protocol";
import protocol from "../src/generated/protocol.ts?raw";
import { ORDER, word as wordOf } from "../src/states";
import { violations } from "./axe";
import { given, type CallOf } from "../harness/replies";
import { runnersOf, scene, scenes } from "../harness/scenes";
import { close, open, settle } from "./window";

afterEach(close);

const button = (name: RegExp | string) => screen.getByRole("button", { name });

describe.each(scenes)("the scene %s", (_, view) => {
  test("has no accessibility violation", async () => {
    await open(view);
    expect(await violations()).toEqual([]);
  });
});

test("the scene every-problem has every code that there is, with a way on from each that one leads on from", async () => {
  const codes = /type ProblemCode = ([^;]+);/.exec(protocol)?.[1]?.match(/[a-z-]+(?=")/g) ?? [];
  const view = scene("every-problem");
  const [runner] = runnersOf(view);
  expect(runner?.problems.map((it) => it.code).sort()).toEqual(codes.filter((it) => it !== "other").sort());
  await open(view);
  expect(within(screen.getByRole("list", { name: "Problems of this machine" })).getAllByRole("listitem")).toHaveLength(codes.length - 1);
  const of = (name: RegExp) => screen.getAllByRole("button", { name }).map((it) => it.textContent);
  expect(of(/^(Check this machine|Show what|I know)[^:]*$/).sort()).toEqual([
    "Check this machine",
    "I know; do not tell me again",
    "Show what can go",
    "Show what the last clean-up left",
  ]);
});

test.each(ORDER.map((state): [RunnerState, string] => [state, wordOf(state)]))(
  "the state %s is a shape, a word and a colour",
  async (state, word) => {
    const view = scene("idle");
    for (const runner of runnersOf(view)) runner.state = state;
    await open(view);
    const card = screen.getByRole("article", { name: "mac-mini-01" });
    expect(card.querySelector(`.shape.state-${state} svg`)).not.toBeNull();
    expect(within(card).getByText(word).classList).toContain(`state-${state}`);
  },
);

test("a pause for an hour is asked of the runner that the button belongs to", async () => {
  const { asked } = await open(scene("several-with-a-problem"));
  await fireEvent.click(button("Pause for 1 hour: mac-mini-03"));
  expect(asked).toEqual([{ do: "pause", runners: ["mac-mini-03"], how_long: "hour" }]);
});

test("a second click while the first waits asks nothing, and the button says what it waits for", async () => {
  const { asked, hold, answer } = await open(scene("idle"));
  hold();
  const pause = button(/Pause for 1 hour/);
  await fireEvent.click(pause);
  await fireEvent.click(pause);
  await vi.advanceTimersByTimeAsync(301);
  expect(asked).toHaveLength(1);
  expect(pause.textContent).toContain("Pausing…");
  await answer();
  expect(pause.textContent).toContain("Pause for 1 hour");
  await fireEvent.click(pause);
  expect(asked).toHaveLength(2);
});

test("resume is offered for your own pause and for no other", async () => {
  const { asked, show } = await open(scene("paused-twice"));
  const reasons = screen.getByRole("list", { name: "What holds mac-mini-01" });
  expect(within(reasons).getAllByRole("listitem")).toHaveLength(2);
  expect(within(reasons).getByText(/free 9.8 GB, needs 15 GB/)).toBeTruthy();
  expect(within(reasons).getAllByRole("button")).toHaveLength(1);
  await fireEvent.click(button(/^Resume/));
  expect(asked).toEqual([{ do: "resume", runners: ["mac-mini-01"] }]);

  await show(scene("paused-by-schedule"));
  expect(screen.queryByRole("button", { name: /^Resume/ })).toBeNull();
});

test("while it drains, resume says when it takes effect", async () => {
  await open(scene("draining"));
  expect(button(/^Resume after this task/)).toBeTruthy();
});

test("what is left of a pause is kept true without asking anybody", async () => {
  const { asked } = await open(scene("paused"));
  expect(screen.getByText("48 min left")).toBeTruthy();
  await vi.advanceTimersByTimeAsync(61_000);
  expect(screen.getByText("47 min left")).toBeTruthy();
  expect(asked).toEqual([]);
});

describe("a problem leads on to where it is mended", () => {
  async function troubled(code: string) {
    const view = scene("idle");
    for (const runner of runnersOf(view)) {
      runner.problems = [{ code: code as never, summary: "It is so.", hint: "Say `runnerctl doctor` or `not.", since: "2026-03-02T16:41:00Z" }];
    }
    return open(view);
  }

  test("a token is replaced in the settings, opened at that runner", async () => {
    await troubled("token-refused");
    await fireEvent.click(button("Give another token: mac-mini-01"));
    await settle();
    expect(screen.getByLabelText("New resource class token")).toBeTruthy();
    expect(document.activeElement).toBe(button("Token…: mac-mini-01"));
  });

  test("a download is asked for again, an agent's log is shown, a job user is looked at", async () => {
    const { made } = await troubled("agent-not-installed");
    await fireEvent.click(button("Try the download again: mac-mini-01"));
    await settle();
    expect(made("install")).toEqual([{ call: "install", runner: "mac-mini-01" }]);
    await close();
    await troubled("agent-exits-at-start");
    await fireEvent.click(button("Show its log: mac-mini-01"));
    await settle();
    expect(screen.getByRole("log", { name: "Log of mac-mini-01" })).toBeTruthy();
    await close();
    await troubled("job-user-unusable");
    await fireEvent.click(button("Go to the job user: mac-mini-01"));
    await settle();
    expect(screen.getByText("Change mac-mini-01")).toBeTruthy();
    expect(screen.getByRole("heading", { level: 2, name: "Job user" })).toBeTruthy();
    await close();
    await troubled("release-not-offered");
    await fireEvent.click(button("Choose another place of releases: mac-mini-01"));
    await settle();
    expect(screen.getByLabelText("Folder of the agent’s releases").closest("details")?.open).toBe(true);
  });

  async function machineTroubled(code: string, answers = {}) {
    const view = scene("idle");
    if (view.supervisor.kind === "live") {
      view.supervisor.snapshot.problems = [
        { code: code as never, summary: "It is so.", hint: "Do this.", since: "2026-03-02T16:41:00Z" },
      ];
    }
    return open(view, { answers });
  }

  test("one of the machine leads to the doctor", async () => {
    await machineTroubled("disk-nearly-full");
    expect(screen.getByText("This machine has a problem; 1 idle")).toBeTruthy();
    await fireEvent.click(button("Check this machine"));
    await settle();
    expect(button(/^Doctor/).getAttribute("aria-current")).toBe("page");
  });

  test("a disk without room leads to the plan of a clean-up, whoever lacks it", async () => {
    const { made } = await machineTroubled("disk-nearly-full");
    await fireEvent.click(button("Show what can go"));
    await settle();
    expect(button(/^Clean-up/).getAttribute("aria-current")).toBe("page");
    expect(made("plan-cleanup")).toHaveLength(1);
    await close();
    const other = await troubled("no-room");
    await fireEvent.click(button("Show what can go: mac-mini-01"));
    await settle();
    expect(other.made("plan-cleanup")).toHaveLength(1);
  });

  test("a clean-up that failed leads to the receipt of what stayed, opened", async () => {
    await machineTroubled("cleanup-failed");
    await fireEvent.click(button("Show what the last clean-up left"));
    await settle();
    const opened = document.querySelectorAll("main details[open]");
    expect([...opened].map((it) => it.querySelector("summary .stayed")?.textContent)).toEqual(["2 stayed"]);
    expect(document.activeElement).toBe(opened[0]?.querySelector("summary"));
  });

  test("what the machine refused to do after a task is told no more once somebody knows", async () => {
    const { made } = await machineTroubled("after-task-refused");
    await fireEvent.click(button("I know; do not tell me again"));
    await settle();
    expect(made("forget-after-task")).toEqual([{ call: "forget-after-task" }]);
    await close();
    const refused = { code: "supervisor-absent", title: "The supervisor is not running.", hint: "Start it." };
    await machineTroubled("after-task-refused", { "forget-after-task": () => ({ refused }) });
    await fireEvent.click(button("I know; do not tell me again"));
    await settle();
    expect(screen.getByRole("alert").textContent).toContain("The supervisor is not running.");
  });

  test("a command in it is shown as one; a backtick that is alone stays a letter", async () => {
    await troubled("server-troubled");
    expect([...document.querySelectorAll("article li code")]).toEqual([]);
    expect(screen.getByText("Say `runnerctl doctor` or `not.")).toBeTruthy();
    await close();
    const view = scene("idle");
    for (const runner of runnersOf(view)) {
      runner.problems = [{ code: "offline", summary: "No.", hint: "Say `runnerctl doctor`.", since: "2026-03-02T16:41:00Z" }];
    }
    await open(view);
    expect(document.querySelector("article li code")?.textContent).toBe("runnerctl doctor");
  });
});

test("the time of a task is told with what it uses, and kept true without asking anybody", async () => {
  const { asked, made, show } = await open(scene("busy"));
  expect(screen.getByText("4 min 12 s")).toBeTruthy();
  await vi.advanceTimersByTimeAsync(4000);
  expect(screen.getByText("4 min 16 s")).toBeTruthy();
  await vi.advanceTimersByTimeAsync(2000);
  expect(screen.getByText("4 min 16 s")).toBeTruthy();
  await show(scene("busy"));
  expect(screen.getByText("4 min 18 s")).toBeTruthy();
  expect(asked).toEqual([]);
  expect(made("history")).toHaveLength(1);
});

test("a task of which nothing is known is still shown as one", async () => {
  await open(scene("busy-nothing-known"));
  const task = screen.getByRole("region", { name: "Task of mac-mini-01" });
  expect(within(task).getByText("A task")).toBeTruthy();
  expect(within(task).queryByRole("button", { name: /Open in CircleCI/ })).toBeNull();
});

test("the task's page is opened by the app, which knows the address", async () => {
  const { asked } = await open(scene("busy"));
  await fireEvent.click(button(/Open in CircleCI/));
  expect(asked).toEqual([{ do: "open-task", runner: "mac-mini-01" }]);
  expect(document.querySelector("a")).toBeNull();
});

test("a problem says what happened, the reading and what to do, and keeps its code under details", async () => {
  await open(scene("problem"));
  const problem = within(screen.getByRole("list", { name: "Problems of mac-mini-01" })).getByRole("listitem");
  const text = problem.textContent ?? "";
  const order = ["does not accept the token", "status 401", "Create a new resource class token", "Details"];
  expect(order.map((it) => text.indexOf(it))).toEqual(order.map((it) => text.indexOf(it)).sort((a, b) => a - b));
  expect(order.every((it) => text.includes(it))).toBe(true);
  expect(problem.querySelector("details")?.open).toBe(false);
  expect(problem.querySelector("details")?.textContent).toContain("token-refused");
});

test("what the card says word for word is not said a second time above it", async () => {
  const view = scene("problem");
  for (const runner of runnersOf(view)) runner.headline = "CircleCI does not accept the token of mac-mini-01";
  await open(view);
  expect(screen.getAllByText(/does not accept the token/)).toHaveLength(1);
  await close();
  await open(scene("problem"));
  expect(screen.getByText("The token was refused")).toBeTruthy();
});

describe("what a task uses", () => {
  const usage = (cpu: number, memory: number) => ({ processes: 3, cpu_percent: cpu, cpu_seconds: cpu, memory });
  const lines = () => [...document.querySelectorAll("article polyline")].map((it) => it.getAttribute("points")?.split(" ").length);

  function uses(cpu: number, memory: number, id = "1"): View {
    const view = scene("busy");
    for (const { task } of runnersOf(view)) if (task) Object.assign(task, { id, usage: usage(cpu, memory) });
    return view;
  }

  test("is drawn of what is told anyway, a reading each", async () => {
    const { show, calls } = await open(uses(100, 1e9));
    expect(lines()).toEqual([]);
    const before = calls.length;
    await show(uses(250, 2e9));
    await show(uses(250, 2e9));
    await show(uses(50, 3e9));
    expect(lines()).toEqual([3, 3]);
    expect(screen.getByText("50 %")).toBeTruthy();
    expect(screen.getByText("3.0 GB")).toBeTruthy();
    expect(calls).toHaveLength(before);
  });

  test("is forgotten with its task", async () => {
    const { show } = await open(uses(100, 1e9));
    await show(uses(200, 1e9));
    expect(lines()).toEqual([2, 2]);
    await show(uses(100, 1e9, "2"));
    expect(lines()).toEqual([]);
  });
});

test("where the task works is said with its size, or measured when somebody asks", async () => {
  await open(scene("busy"));
  const task = screen.getByRole("region", { name: "Task of mac-mini-01" });
  expect(within(task).getByTitle("/Users/ada/runner/mac-mini-01/work/web-app")).toBeTruthy();
  expect(within(task).getByText("2.1 GB")).toBeTruthy();
  await close();
  const view = scene("busy");
  if (view.supervisor.kind === "live") delete view.supervisor.snapshot.work_dirs;
  const { made } = await open(view);
  await fireEvent.click(button("Measure: The working directory of mac-mini-01"));
  expect(made("work-dirs")).toEqual([{ call: "work-dirs", measure: true }]);
});

test("what a job can reach is said for each runner", async () => {
  const view = scene("several");
  await open(view);
  const runners = view.supervisor.kind === "live" ? view.supervisor.snapshot.runners : [];
  const meanings = runners.map(({ boundary }) => (boundary.kind === "unknown" ? "" : boundary.meaning));
  expect(meanings).toHaveLength(3);
  const shown = screen.getAllByText("Boundary").map((term) => term.nextElementSibling?.textContent);
  expect(shown).toEqual(meanings);
});

test("several runners are summed up in one line that hides none", async () => {
  await open(scene("several-with-a-problem"));
  expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("1 problem, 1 busy, 1 idle");
});

test("without a supervisor nothing is said of any runner, and it can be started", async () => {
  const { asked, show } = await open(scene("busy"));
  await show(scene("absent"));
  expect(screen.queryByRole("article")).toBeNull();
  await fireEvent.click(button("Start it"));
  expect(asked).toEqual([{ do: "start-supervisor" }]);
});

test("a supervisor that cannot be understood is not started again", async () => {
  await open(scene("unclear"));
  expect(within(screen.getByRole("main")).queryByRole("button")).toBeNull();
});

test("an empty page says what will appear and how", async () => {
  await open(scene("no-runner"));
  expect(document.querySelector("main code")?.textContent).toMatch(/^runnerctl setup --resource-class .* --token-stdin$/);
});

test("a task is ended only by a button that names it and what comes of it", async () => {
  const { made } = await open(scene("busy"));
  const end = () => screen.queryByRole("button", { name: "End web-app / build now, CircleCI shows it as failed" });
  expect(end()).toBeNull();
  await fireEvent.click(button("Cancel task…"));
  expect(screen.getByText(/Afterwards mac-mini-01 claims the next task/)).toBeTruthy();
  await fireEvent.click(end() as HTMLElement);
  expect(made("cancel-task")).toEqual([{ call: "cancel-task", runner: "mac-mini-01", task: "20260302T164000Z-1.3" }]);
});

test("a cancel that is refused says so where it was asked for", async () => {
  await open(scene("busy"), { answers: { "cancel-task": "cancel-task-refused" } });
  await fireEvent.click(button("Cancel task…"));
  await fireEvent.click(button(/^End web-app/));
  await settle();
  expect(screen.getByRole("alert").textContent).toContain("nothing was cancelled");
});

test("a task that is being cancelled cannot be cancelled again", async () => {
  await open(scene("cancelling"));
  expect(screen.queryByRole("button", { name: "Cancel task…" })).toBeNull();
});

describe("after this task", () => {
  test("what is chosen is asked for", async () => {
    const { made } = await open(scene("busy"));
    await fireEvent.change(screen.getByRole("combobox", { name: "After this task" }), { target: { value: "sleep" } });
    expect(made("after-task")).toEqual([{ call: "after-task", act: "sleep" }]);
  });

  test("a restart is asked for once more, with what it means", async () => {
    const { made } = await open(scene("busy"));
    await fireEvent.change(screen.getByRole("combobox", { name: "After this task" }), { target: { value: "restart" } });
    expect(made("after-task")).toEqual([]);
    await fireEvent.click(button("Restart this machine when the task has ended"));
    expect(made("after-task")).toEqual([{ call: "after-task", act: "restart" }]);
  });

  test("of two runners that are waited for both are named", async () => {
    const view = scene("after-task");
    if (view.supervisor.kind === "live" && view.supervisor.snapshot.after_task) {
      view.supervisor.snapshot.after_task.waits_for = ["mac-mini-01", "mac-mini-02"];
    }
    await open(view);
    expect(screen.getByText("This machine goes to sleep once mac-mini-01 and mac-mini-02 have ended their tasks")).toBeTruthy();
  });

  test("what is going to happen is shown until it does, and can be taken back", async () => {
    const { made } = await open(scene("after-task"));
    expect(screen.getByText("This machine goes to sleep once mac-mini-01 has ended its task")).toBeTruthy();
    await fireEvent.click(button(/^Do not/));
    expect(made("forget-after-task")).toHaveLength(1);
  });
});

test("nothing is offered that an older supervisor does not know", async () => {
  const view = scene("busy");
  if (view.supervisor.kind === "live") delete view.supervisor.snapshot.preferences;
  await open(view);
  expect(screen.queryByRole("combobox")).toBeNull();
});

test("why the machine may sleep in mid-task is said", async () => {
  await open(scene("not-awake"));
  expect(screen.getByText(/This machine may go to sleep in mid-task: The battery is at 22 %/)).toBeTruthy();
});

test("what happened while nobody looked is told until it is read", async () => {
  const { made } = await open(scene("away"));
  const news = screen.getByRole("region", { name: "Since you last looked" });
  expect(within(news).getAllByRole("listitem")).toHaveLength(2);
  expect(made("notices")).toEqual([{ call: "notices", since: 10, limit: 20 }]);
  await fireEvent.click(button("I have read it"));
  expect(made("saw-notices")).toEqual([{ call: "saw-notices", up_to: 12 }]);
});

/** A supervisor that has told so many, none of which was seen, and gives at most 200 at once. */
function told(newest: number) {
  const view = scene("away");
  if (view.supervisor.kind === "live") view.supervisor.snapshot.notices = { newest, seen: 0 };
  const [one] = given("notices").notices;
  const notices = ({ limit = 50 }: CallOf<"notices">) => {
    const ids = Array.from({ length: Math.min(limit, 200, newest) }, (_, i) => newest - i);
    return { ok: { notices: ids.map((id) => ({ ...one, id, title: `notice ${id}` })), newest, seen: 0 } };
  };
  return open(view, { answers: { notices } });
}

test("what was not shown is not read: the earlier ones come first", async () => {
  const { made } = await told(35);
  const news = screen.getByRole("region", { name: "Since you last looked" });
  expect(within(news).getAllByRole("listitem")).toHaveLength(20);
  expect(screen.queryByRole("button", { name: "I have read it" })).toBeNull();
  await fireEvent.click(button("Show 15 earlier notices"));
  await settle();
  expect(within(news).getAllByRole("listitem")).toHaveLength(35);
  await fireEvent.click(button("I have read it"));
  expect(made("saw-notices")).toEqual([{ call: "saw-notices", up_to: 35 }]);
});

test("of more than a page can show it is said how many it leaves out", async () => {
  await told(230);
  await fireEvent.click(button("Show 180 earlier notices"));
  await settle();
  expect(screen.getByText("30 earlier notices are not shown.")).toBeTruthy();
  expect(button("I have read it")).toBeTruthy();
});

test("today's tasks and the last few are there at a glance", async () => {
  await open(scene("idle"));
  expect(screen.getByRole("img", { name: /^14 tasks, 2 failed/ })).toBeTruthy();
  expect(within(screen.getByRole("list", { name: "Recent" })).getAllByRole("listitem")).toHaveLength(5);
});

test("a download can be stopped", async () => {
  const { made } = await open(scene("updating"));
  await fireEvent.click(button(/^Stop the download/));
  expect(made("stop-install")).toHaveLength(1);
});

test("a refusal is read out and stays until it is dismissed", async () => {
  const { asked } = await open(scene("refused"));
  expect(screen.getByRole("alert").textContent).toContain("cannot be paused");
  await fireEvent.click(button("Dismiss"));
  expect(asked).toEqual([{ do: "dismiss" }]);
});

describe("whatever a job is called", () => {
  test("its texts are text: no element, no link, no script comes of them", async () => {
    await open(scene("hostile"));
    await settle();
    expect(document.querySelectorAll("img, script, a, b, iframe, svg[onload]")).toHaveLength(0);
    expect(document.body.textContent).toContain("<script>alert(1)</script>");
    expect(document.body.textContent).toContain("x".repeat(10_000));
  });

  test("a text that turns the direction turns only its own", async () => {
    await open(scene("hostile"));
    const turned = [...document.querySelectorAll("*")].filter((element) =>
      [...element.childNodes].some((it) => it.nodeType === Node.TEXT_NODE && /[\u202e\u2067]/.test(it.textContent ?? "")),
    );
    expect(turned.length).toBeGreaterThan(2);
    for (const element of turned) {
      const isolated = element.tagName === "BDI" || getComputedStyle(element).unicodeBidi === "isolate";
      expect(isolated, element.outerHTML.slice(0, 80)).toBe(true);
    }
  });
});
