import { fireEvent, screen, within } from "@testing-library/svelte";
import { afterEach, describe, expect, test } from "vitest";
import type { View } from "../src/bridge";
import { scene } from "../harness/scenes";
import { close, open, settle } from "./window";

afterEach(close);

async function commands(view: View, answers = {}) {
  const window = await open(view, { answers });
  await fireEvent.keyDown(document.body, { key: "k", ctrlKey: true });
  return window;
}
const field = () => screen.getByRole("combobox", { name: "What do you want to do?" });
const type = (value: string) => fireEvent.input(field(), { target: { value } });
const press = (key: string) => fireEvent.keyDown(field(), { key });
const found = () => within(screen.getByRole("listbox")).queryAllByRole("option").map((it) => it.textContent?.trim());

test("Ctrl K opens it with the keyboard in it, Esc closes it and gives the keyboard back", async () => {
  await open(scene("idle"));
  const pause = screen.getByRole("button", { name: /^Pause for 1 hour/ });
  pause.focus();
  await fireEvent.keyDown(pause, { key: "k", ctrlKey: true });
  expect(document.activeElement).toBe(field());
  await press("Escape");
  expect(screen.queryByRole("listbox")).toBeNull();
  expect(document.activeElement).toBe(pause);
});

test("words narrow it, arrows mark, Enter runs the marked one and closes", async () => {
  const { asked } = await commands(scene("idle"));
  await type("pause for");
  expect(found()).toEqual(["Pause for 15 minutes", "Pause for 1 hour"]);
  await press("ArrowDown");
  expect(field().getAttribute("aria-activedescendant")).toBe(
    screen.getByRole("option", { name: "Pause for 1 hour", selected: true }).id,
  );
  await press("Enter");
  await settle();
  expect(asked).toEqual([{ do: "pause", runners: ["mac-mini-01"], how_long: "hour" }]);
  expect(screen.queryByRole("listbox")).toBeNull();
});

test("a time pauses until then, tomorrow where it is past", async () => {
  const { made } = await commands(scene("idle"));
  await type("17:00");
  await press("Enter");
  await settle();
  // It is 17:42 in Berlin.
  expect(made("pause")).toEqual([{ call: "pause", runner: "mac-mini-01", until: "2026-03-03T16:00:00.000Z" }]);
});

test("several runners are named, and all can be meant", async () => {
  const { asked } = await commands(scene("several"));
  await type("pause 15 all");
  await press("Enter");
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatchObject({ do: "pause", how_long: "quarter-hour" });
  expect((asked[0] as { runners: string[] }).runners).toHaveLength(3);
});

test("what is refused is said, and the palette stays", async () => {
  await commands(scene("busy"), { "after-task": () => ({ refused: { code: "x", title: "It cannot sleep.", hint: "Wake it." } }) });
  await type("sleep");
  await type("after this task sleep");
  await press("Enter");
  await settle();
  expect(screen.getByRole("alert").textContent).toContain("It cannot sleep.");
  expect(screen.getByRole("listbox")).toBeTruthy();
});

describe("everything the tray and runnerctl can do is there", () => {
  test.each([
    ["idle", "Set up a runner"],
    ["idle", "Check this machine"],
    ["paused", "Resume"],
    ["busy", "Open the task in CircleCI"],
    ["busy", "Cancel the task…"],
    ["busy", "After this task: pause all runners"],
    ["busy", "After this task: restart this machine"],
    ["after-task", "After this task: nothing more"],
    ["idle", "Let this machine sleep while a task runs"],
    ["idle", "Notify me: every task that has ended"],
    ["idle", "Show the log"],
    ["idle", "Search the log"],
    ["idle", "Change the runner…"],
    ["idle", "Replace, move or forget the token…"],
    ["idle", "Remove the runner…"],
    ["idle", "Install the agent now"],
    ["updating", "Stop the agent’s download"],
    ["idle", "Copy lines for .circleci/config.yml"],
    ["idle", "Copy the agent’s configuration"],
    ["idle", "Stop the supervisor; agents and tasks go on"],
    ["absent", "Start the supervisor"],
    ["idle", "Go to History"],
    ["idle", "Go to Directories"],
    ["idle", "Clean up now…"],
    ["cleaning", "Stop the clean-up"],
    ["idle", "Put back what was deleted last"],
    ["idle", "Do not clean up every week"],
    ["idle", "Go to Preinstall"],
    ["idle", "Plan what the CircleCI essentials miss…"],
    ["idle", "Check what jobs find on this machine"],
    ["idle", "Show or set where jobs find programs"],
    ["installing", "Cancel the installation after this step"],
    ["idle", "Open the working directory ios, mac-mini-01/20260302T070000Z-1.79"],
  ])("%s: %s", async (name, title) => {
    await commands(scene(name));
    await type(title);
    expect(found()).toContain(title);
  });

  test("ending a task and restarting the machine lead to the page that says what comes of it", async () => {
    const { made } = await commands(scene("busy"));
    await type("cancel");
    await press("Enter");
    await settle();
    expect(made("cancel-task")).toEqual([]);
    await fireEvent.keyDown(document.body, { key: "k", ctrlKey: true });
    await type("restart this");
    await press("Enter");
    expect(made("after-task")).toEqual([]);
  });

  test("installing leads to the plan, and installs nothing by itself", async () => {
    const { made } = await commands(scene("idle"));
    await type("essentials");
    await press("Enter");
    await settle();
    expect(made("plan-preinstall")).toEqual([{ call: "plan-preinstall", items: [], presets: ["essentials"], upgrade: false }]);
    expect(made("start-preinstall")).toEqual([]);
    expect(screen.getByRole("region", { name: "What would be installed" })).toBeTruthy();
  });

  test("clean up leads to the plan, and deletes nothing by itself", async () => {
    const { made } = await commands(scene("idle"));
    await type("clean up now");
    await press("Enter");
    await settle();
    expect(made("plan-cleanup")).toHaveLength(1);
    expect(made("clean-up")).toEqual([]);
  });

  test("what was deleted last is put back, and where nothing was it says so", async () => {
    const { made } = await commands(scene("idle"), { "cleanup-receipts": "cleanup-receipts-undo" });
    await type("put back");
    await press("Enter");
    await settle();
    expect(made("undo-cleanup")).toEqual([{ call: "undo-cleanup", receipt: 15 }]);
    await close();
    await commands(scene("idle"));
    await type("put back");
    await press("Enter");
    await settle();
    expect(screen.getByRole("alert").textContent).toContain("There is nothing to put back.");
  });

  test("without a supervisor nothing is offered that needs one", async () => {
    await commands(scene("absent"));
    await type("pause");
    expect(found()).toEqual([]);
    expect(screen.getByText(/No command is called that/)).toBeTruthy();
  });
});
