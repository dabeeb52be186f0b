import { fireEvent, screen, within } from "@testing-library/svelte";
import { afterEach, describe, expect, test } from "vitest";
import type { View } from "../src/bridge";
import type { CleanupReceipts, Limits } from "../src/generated/protocol";
import { Pace } from "../src/cleanup/pace.svelte";
import { given } from "../harness/replies";
import { scene } from "../harness/scenes";
import { violations } from "./axe";
import { close, open, settle } from "./window";

afterEach(close);

const page = (view: View, answers = {}) => open(view, { page: "clean-up", answers });
const button = (name: RegExp | string) => screen.getByRole("button", { name });
const press = async (name: RegExp | string) => {
  await fireEvent.click(button(name));
  await settle();
};
const toggle = (name: RegExp | string) => screen.getByRole<HTMLInputElement>("switch", { name });
const heading = () => screen.getByRole("heading", { level: 1 }).textContent;
const plan = () => screen.getByRole("region", { name: "What can go" });

/** The npm cache once its limits were changed. */
function became(limits: { [Key in keyof Limits]: Limits[Key] | undefined }) {
  const preset = given("change-preset");
  return () => ({ ok: { ...preset, limits: { ...preset.limits, ...limits } } });
}

function weekly(day: number | undefined): View {
  const view = scene("idle");
  const cleanup = view.supervisor.kind === "live" ? view.supervisor.snapshot.preferences?.cleanup : undefined;
  if (cleanup && day === undefined) delete cleanup.weekly;
  return view;
}

describe("the page says first what will go, and when", () => {
  test("by itself, before a plan is made; and nothing is measured for it", async () => {
    const { made } = await page(scene("idle"));
    expect(heading()).toBe("Cleaned up before each task");
    expect(screen.getByText(/^And on Sunday at 03:00, when no task runs./)).toBeTruthy();
    expect(made("plan-cleanup")).toEqual([]);
    await close();
    await page(weekly(undefined));
    expect(heading()).toBe("Cleaned up before each task");
    await close();
    await page(weekly(undefined), { presets: () => ({ ok: { presets: [] } }) });
    expect(heading()).toBe("Nothing is cleaned up by itself");
  });

  test("now, once there is a plan", async () => {
    await page(scene("idle"));
    await press("Show what can go");
    expect(heading()).toBe("17 GB can go now, 5 entries");
    expect(screen.getByText("Cleaned up before each task, and on Sunday at 03:00")).toBeTruthy();
  });

  test("nothing, where nothing has to", async () => {
    await page(scene("idle"), { "plan-cleanup": "plan-cleanup-empty" });
    await press("Show what can go");
    expect(heading()).toBe("Nothing has to go now");
    expect(within(plan()).queryByRole("button", { name: /^Clean up/ })).toBeNull();
  });
});

test("the tray's word makes the plan at once, and only once", async () => {
  const { made, show } = await open(scene("idle"));
  const sent = { ...scene("idle"), go: { to: "clean-up" as const, plan: true, times: 1 } };
  await show(sent);
  await settle();
  expect(made("plan-cleanup")).toEqual([{ call: "plan-cleanup", directories: [] }]);
  await show(sent);
  await settle();
  expect(made("plan-cleanup")).toHaveLength(1);
});

test("what could not be looked at is told beside the plan, with the way out", async () => {
  const failure = { path: "all of ci", why: "As ci: clean-up broke off: exit status: 1.", way_out: "See what `runnerctl doctor` says." };
  await page(scene("idle"), { "plan-cleanup": () => ({ ok: { ...given("plan-cleanup"), failures: [failure] } }) });
  await press("Show what can go");
  expect(plan().textContent).toContain("What could not be looked at");
  expect(plan().textContent).toContain("all of ci");
  expect(button(/^Clean up 5/)).toBeTruthy();
});

test("a plan can be made for one runner, and of one preset alone", async () => {
  const { made } = await page(scene("several"));
  await fireEvent.change(screen.getByRole("combobox", { name: "Runner" }), { target: { value: "mac-mini-01-web" } });
  await press("Show what can go");
  await press("What would go?: npm: cache");
  expect(made("plan-cleanup")).toEqual([
    { call: "plan-cleanup", directories: [], runner: "mac-mini-01-web" },
    { call: "plan-cleanup", directories: [], presets: ["npm-cache"], runner: "mac-mini-01-web" },
  ]);
});

describe("the plan", () => {
  test("is a table by rule, the largest first, and says why where a rule does nothing", async () => {
    await page(scene("idle"));
    await press("Show what can go");
    const rows = within(within(plan()).getByRole("table")).getAllByRole("row").slice(1);
    expect(rows.map((it) => it.querySelector("bdi")?.textContent)).toEqual([
      "Docker: images that no container uses",
      "Directories of earlier tasks",
      "CircleCI's temporary files",
    ]);
    expect(rows[1]?.textContent).toContain("7.2 GB");
    expect(plan().textContent).toMatch(/Sockets that nobody listens on\s*None is there\./);
  });

  test("shows each entry with its reason when a rule is opened", async () => {
    await page(scene("idle"));
    await press("Show what can go");
    const opener = button("Show the entries of Directories of earlier tasks");
    expect(opener.getAttribute("aria-expanded")).toBe("false");
    await fireEvent.click(opener);
    expect(opener.getAttribute("aria-expanded")).toBe("true");
    const path = "/Users/ada/runner/mac-mini-01/work.kept/20260302T070000Z-1.80";
    expect(screen.getByTitle(path).closest("tr")?.textContent).toContain("not among the last 3, used 16:58");
  });

  test("has a switch for each rule, and its total on the button", async () => {
    const { made } = await page(scene("idle"));
    await press("Show what can go");
    expect(button("Clean up 5 entries, 17 GB")).toBeTruthy();
    await fireEvent.click(toggle("Include Docker: images that no container uses"));
    await press("Clean up 4 entries, 7.3 GB");
    expect(made("clean-up")).toEqual([{ call: "clean-up", plan: "1772469720-4", presets: ["kept", "circleci-temp"] }]);
  });

  test("of which nothing is chosen is not carried out", async () => {
    const { made } = await page(scene("idle"));
    await press("Show what can go");
    for (const it of within(plan()).getAllByRole("switch")) await fireEvent.click(it);
    await press("Choose a rule");
    expect(made("clean-up")).toEqual([]);
  });

  test("can be left, and then nothing was done", async () => {
    const { made } = await page(scene("idle"));
    await press("Show what can go");
    await press("Leave everything");
    expect(screen.queryByRole("region", { name: "What can go" })).toBeNull();
    expect(made("clean-up")).toEqual([]);
  });

  test("that is void says so, with the way out", async () => {
    await page(scene("idle"), { "clean-up": "clean-up-refused" });
    await press("Show what can go");
    await press(/^Clean up 5/);
    expect(screen.getByRole("alert").textContent).toContain("Make a new plan and look at it.");
  });

  test("where the disk is nearly full says that nothing of it comes back", async () => {
    await page(scene("low-disk"));
    await press("Show what can go");
    expect(plan().textContent).toContain("it goes at once and cannot be put back");
  });
});

describe("while it works", () => {
  test("bytes and their pace are told, and it can be ended", async () => {
    const { made, show } = await page(scene("cleaning"));
    const progress = screen.getByRole("group", { name: "Deleting" });
    expect(progress.textContent).toContain("2.1 GB of 6.2 GB, 61,200 entries");
    expect(within(progress).getByRole("progressbar").getAttribute("value")).toBe("2100000000");
    await fireEvent.click(within(progress).getByRole("button", { name: /^Cancel/ }));
    expect(made("stop-cleanup")).toHaveLength(1);
    // When it has ended its receipt is read.
    const read = made("cleanup-receipts").length;
    await show(scene("idle"));
    await settle();
    expect(made("cleanup-receipts")).toHaveLength(read + 1);
  });

  test("who began it is said where it was not you", async () => {
    const view = scene("cleaning");
    if (view.supervisor.kind === "live" && view.supervisor.snapshot.cleanup) view.supervisor.snapshot.cleanup.why = "low-disk";
    await page(view);
    expect(screen.getByRole("group", { name: "Deleting, because the disk is nearly full" })).toBeTruthy();
  });

  test("the pace is of the last seconds, and of one stage", () => {
    const pace = new Pace();
    const runs = (bytes: number, stage: "measuring" | "removing" = "removing") =>
      ({ why: "you", stage, since: "2026-03-02T16:42:00Z", entries: 1, bytes }) as const;
    pace.saw(runs(0), 0);
    expect(pace.rate).toBeUndefined();
    pace.saw(runs(3000), 2000);
    expect(pace.rate).toBe(1500);
    pace.saw(runs(3000), 60_000);
    expect(pace.rate).toBeUndefined();
    pace.saw(runs(4000, "measuring"), 61_000);
    expect(pace.rate).toBeUndefined();
  });
});

describe("a receipt", () => {
  test("takes the plan's place: freed and failed, and what stayed with its way out", async () => {
    await page(scene("idle"));
    await press("Show what can go");
    await press(/^Clean up 5/);
    expect(heading()).toBe("9.8 GB freed, 7.3 GB set aside, for good at 17:51");
    const row = screen.getAllByRole("row", { name: /Directories of earlier tasks/ })[0] as HTMLElement;
    expect([...row.querySelectorAll("td")].map((it) => it.textContent)).toEqual(["7.2 GB", "from 17:51", "2", "1"]);
    expect(document.querySelector("main code.copy")?.textContent).toMatch(/^sudo rm -r /);
    expect(screen.getByText("/Users/ada: 61 GB free before, 71 GB after")).toBeTruthy();
    await press("Close the receipt");
    expect(heading()).toBe("Cleaned up before each task");
  });

  test("calls set aside only what is in the trash: no program's work, though it names no bytes", async () => {
    const told = given("clean-up");
    told.freed = 0;
    for (const it of told.groups) it.freed = 0;
    await page(scene("idle"), { "clean-up": () => ({ ok: told }) });
    await press("Show what can go");
    await press(/^Clean up 5/);
    expect(heading()).toBe("7.3 GB set aside, for good at 17:51");
    const row = screen.getAllByRole("row", { name: /Docker: images/ })[0] as HTMLElement;
    expect(row.querySelectorAll("td")[1]?.textContent).toBe("0 B");
  });

  test("is there of every clean-up, whoever began it", async () => {
    await page(scene("idle"));
    const receipts = screen.getByRole("region", { name: "What went" });
    const told = [...receipts.querySelectorAll("summary")].map((it) => it.textContent?.replace(/\s+/g, " ").trim());
    expect(told).toEqual([
      "17:38, before a task of mac-mini-01 1.2 GB freed",
      "yesterday 03:00, the weekly clean-up 0 B freed 2 stayed",
      "27 Feb 10:00, by you put back",
    ]);
    expect(receipts.textContent).toContain("It ended early: It was stopped.");
  });

  test("of long ago is there when it is asked for", async () => {
    const all = given("cleanup-receipts");
    const [first] = all.receipts;
    const earlier = { receipts: [{ ...first, id: 3, why: "rest" }] };
    const { made } = await page(scene("idle"), {
      "cleanup-receipts": ({ before }: { before?: number }) => ({ ok: before === undefined ? all : earlier }),
    });
    const receipts = screen.getByRole("region", { name: "What went" });
    await fireEvent.click(within(receipts).getByRole("button", { name: "Show more" }));
    await settle();
    expect(made("cleanup-receipts").at(-1)).toEqual({ call: "cleanup-receipts", limit: 20, before: 11 });
    expect(receipts.querySelectorAll("summary")).toHaveLength(4);
    expect(receipts.textContent).toContain("the rest of earlier ones");
    expect(within(receipts).queryByRole("button", { name: "Show more" })).toBeNull();
  });

  test("that can be undone is, and what is not back is said", async () => {
    const { made } = await page(scene("idle"), {
      "cleanup-receipts": "cleanup-receipts-undo",
      "undo-cleanup": "undo-cleanup-partly",
    });
    await press("Put it back: Working directories");
    expect(made("undo-cleanup")).toEqual([{ call: "undo-cleanup", receipt: 15 }]);
    expect(screen.getByText("Not all of it is back:")).toBeTruthy();
    expect(screen.getByText(/something else has its name now/)).toBeTruthy();
  });

  test("an empty list says what will be there", async () => {
    await page(scene("idle"), { "cleanup-receipts": "cleanup-receipts-empty" });
    expect(screen.getByText(/Each clean-up leaves its receipt here/)).toBeTruthy();
  });
});

describe("a preset", () => {
  test("is switched, and shows what became of it", async () => {
    const { made } = await page(scene("idle"));
    expect(toggle("npm: cache").checked).toBe(false);
    await fireEvent.click(toggle("npm: cache"));
    await settle();
    expect(made("change-preset")).toEqual([{ call: "change-preset", id: "npm-cache", change: { on: true } }]);
    expect(toggle("npm: cache").checked).toBe(true);
  });

  test("whose switch is refused is as it was", async () => {
    await page(scene("idle"), { "change-preset": "change-preset-refused" });
    await fireEvent.click(toggle("npm: cache"));
    await settle();
    expect(toggle("npm: cache").checked).toBe(false);
    expect(screen.getByRole("alert").textContent).toContain("The settings could not be saved.");
  });

  test("has the limits that it takes, and no others", async () => {
    const { made } = await page(scene("idle"), { "change-preset": became({ at_most: 8_000_000_000 }) });
    const most = screen.getByLabelText<HTMLInputElement>("at most, npm: cache");
    expect(most.value).toBe("5");
    await fireEvent.change(most, { target: { value: "8" } });
    await settle();
    const last = screen.getByLabelText<HTMLInputElement>("keep the last, Directories of earlier tasks");
    await fireEvent.change(last, { target: { value: "-1" } });
    await settle();
    expect(made("change-preset")).toEqual([{ call: "change-preset", id: "npm-cache", change: { limits: { unused_days: 30, at_most: 8_000_000_000 } } }]);
    expect(most.value).toBe("8");
    expect(last.value).toBe("3");
    expect(screen.queryByLabelText("keep the last, npm: cache")).toBeNull();
  });

  test("whose limit is emptied has it lifted, and it may be set again", async () => {
    const { made } = await page(scene("idle"), { "change-preset": became({ unused_days: undefined }) });
    const days = screen.getByLabelText<HTMLInputElement>("keep what was used within, npm: cache");
    await fireEvent.change(days, { target: { value: "" } });
    await settle();
    expect(made("change-preset")).toEqual([{ call: "change-preset", id: "npm-cache", change: { limits: { at_most: 5_000_000_000 } } }]);
    const lifted = screen.getByLabelText<HTMLInputElement>("keep what was used within, npm: cache");
    expect([lifted.value, lifted.placeholder]).toEqual(["", "no limit"]);
  });

  test("whose limit was written last is in the plan that is asked for with the same click", async () => {
    const order: string[] = [];
    let saved: (reply: unknown) => void = () => {};
    const { calls } = await page(scene("idle"), { "change-preset": () => new Promise((done) => (saved = done)) });
    await fireEvent.change(screen.getByLabelText("at most, npm: cache"), { target: { value: "8" } });
    await press("Show what can go");
    expect(calls.map((it) => it.call)).not.toContain("plan-cleanup");
    saved({ ok: given("change-preset") });
    await settle();
    order.push(...calls.map((it) => it.call));
    expect(order.indexOf("change-preset")).toBeLessThan(order.indexOf("plan-cleanup"));
  });

  test("that does nothing here says why, and is no switch", async () => {
    await page(scene("idle"));
    expect(screen.getByText("1 preset does nothing on this machine")).toBeTruthy();
    expect(screen.getByText("podman is not installed here.")).toBeTruthy();
    expect(screen.queryByRole("switch", { name: /^Podman/ })).toBeNull();
  });

  test("says its risk in words, and which is the owner's own", async () => {
    await page(scene("idle"));
    expect(screen.getAllByText("cannot be made again").length).toBeGreaterThan(0);
    expect(toggle(/^Old renders your own/)).toBeTruthy();
  });
});

describe("the settings of it", () => {
  test("the weekly time is switched, and chosen", async () => {
    const { made } = await page(scene("idle"));
    await fireEvent.change(screen.getByRole("combobox", { name: "Day" }), { target: { value: "6" } });
    await fireEvent.change(screen.getByRole("combobox", { name: "Hour" }), { target: { value: "22" } });
    await fireEvent.click(toggle("Once a week, when no task runs"));
    expect(made("set-preferences").map((it) => it.change.cleanup)).toEqual([
      { weekly: { day: 6, hour: 3 } },
      { weekly: { day: 7, hour: 22 } },
      { weekly: null },
    ]);
  });

  test("a mark is set, and emptied it is found by itself again", async () => {
    const { made } = await page(scene("idle"));
    const stop = screen.getByLabelText<HTMLInputElement>("Claim no task below");
    expect(stop.placeholder).toBe("10");
    await fireEvent.change(stop, { target: { value: "20" } });
    await fireEvent.change(stop, { target: { value: "" } });
    await settle();
    expect(made("set-preferences").map((it) => it.change.cleanup)).toEqual([{ stop_below_gb: 20 }, { stop_below_gb: null }]);
  });

  test("what makes no sense is not asked for, and what is refused is said", async () => {
    const refused = { code: "bad-request", title: "Going on above 5 GB is less than stopping below 15 GB.", hint: "Give a number that is not lower." };
    const { made } = await page(scene("idle"), { "set-preferences": () => ({ refused }) });
    const wait = screen.getByLabelText<HTMLInputElement>("A task waits for its clean-up at most");
    await fireEvent.change(wait, { target: { value: "0" } });
    expect([made("set-preferences"), wait.value]).toEqual([[], "120"]);
    const goOn = screen.getByLabelText<HTMLInputElement>("Claim again above");
    await fireEvent.change(goOn, { target: { value: "5" } });
    await settle();
    expect(screen.getByRole("alert").textContent).toContain("Going on above 5 GB");
    expect(goOn.value).toBe("");
  });

  test("what becomes of a task whose clean-up fails, and of what it leaves running", async () => {
    const { made } = await page(scene("idle"));
    await fireEvent.change(screen.getByRole("combobox", { name: "When it fails or takes longer" }), { target: { value: "fail-task" } });
    await fireEvent.click(toggle("End processes that a task leaves behind"));
    expect(made("set-preferences").map((it) => it.change.cleanup)).toEqual([{ when_it_fails: "fail-task" }, { end_left_overs: true }]);
  });
});

test.each(["plan", "opened", "receipt", "undo"])("no accessibility violation: %s", async (what) => {
  const answers = what === "undo" ? { "cleanup-receipts": "cleanup-receipts-undo" } : {};
  await page(scene("several"), answers);
  if (what !== "undo") await press("Show what can go");
  if (what === "opened") for (const it of screen.getAllByRole("button", { name: /^Show the entries/ })) await fireEvent.click(it);
  if (what === "receipt") await press(/^Clean up 5/);
  for (const it of document.querySelectorAll("summary")) it.click();
  await settle();
  expect(await violations()).toEqual([]);
});

test("what cannot be told is not told", async () => {
  const none: CleanupReceipts = { receipts: given("cleanup-receipts").receipts.map((it) => ({ ...it, why: "other" as const })) };
  await page(scene("idle"), { "cleanup-receipts": () => ({ ok: none }), presets: () => ({ refused: { code: "x", title: "No.", hint: "Try." } }) });
  expect(screen.getAllByText(/begun by a newer version/).length).toBe(3);
  expect(screen.getByRole("alert").textContent).toContain("No.");
});
