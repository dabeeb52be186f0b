import { fireEvent, screen, within } from "@testing-library/svelte";
import { afterEach, describe, expect, test } from "vitest";
import cli from "../../docs/cli.md?raw";
import menus from "../../src-tauri/src/snapshots/runner_tray__menu__tests__the_menu_of_every_scene.snap?raw";
import type { View } from "../src/bridge";
import { commands as commandsFor } from "../src/palette/commands";
import { NOW, scene } from "../harness/scenes";
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

/** Each command of docs/cli.md: the scene in which the palette has it, and its words there; or why it has none. */
const RUNNERCTL: { [command: string]: [scene: string, title: string] | { not: string } } = {
  setup: ["idle", "Set up a runner"],
  status: ["idle", "Go to Overview"],
  tasks: ["idle", "Go to Overview"],
  history: ["idle", "Go to History"],
  logs: ["idle", "Show the log"],
  doctor: ["idle", "Check this machine"],
  notices: { not: "what nobody has seen is the first thing on every page" },
  pause: ["idle", "Pause until I resume"],
  resume: ["paused", "Resume"],
  "after-task": ["busy", "After this task: pause all runners"],
  "cancel-task": ["busy", "Cancel the task…"],
  remove: ["idle", "Remove the runner…"],
  workdirs: ["idle", "Go to Directories"],
  "workdirs keep": ["idle", "Go to Directories"],
  "workdirs release": ["idle", "Go to Directories"],
  clean: ["idle", "Clean up now…"],
  presets: ["idle", "Change what is cleaned up, and when…"],
  "presets set": ["idle", "Change what is cleaned up, and when…"],
  "preinstall list": ["idle", "Go to Preinstall"],
  "preinstall check": ["idle", "Check what jobs find on this machine"],
  "preinstall plan": ["idle", "Plan what the CircleCI essentials miss…"],
  "preinstall install": ["idle", "Plan what the CircleCI essentials miss…"],
  "preinstall last": ["idle", "Go to Preinstall"],
  "preinstall report": { not: "a report is a file for somebody else" },
  "preinstall import": { not: "a list is a file of somebody else's" },
  "preinstall export": { not: "a list is a file for another machine" },
  "token set": ["idle", "Replace, move or forget the token…"],
  "token move": ["idle", "Replace, move or forget the token…"],
  "token forget": ["idle", "Replace, move or forget the token…"],
  "token create": ["idle", "Replace, move or forget the token…"],
  "token list": ["idle", "Replace, move or forget the token…"],
  "token rotate": ["idle", "Replace, move or forget the token…"],
  "token delete": ["idle", "Replace, move or forget the token…"],
  "class list": ["idle", "Choose or create a resource class…"],
  "class show": { not: "what waits for a class CircleCI's own pages show" },
  "class create": ["idle", "Choose or create a resource class…"],
  "class delete": { not: "it may stop other machines, of which the window knows nothing" },
  "agent list": ["idle", "Go to Settings"],
  "agent install": ["idle", "Install the agent now"],
  "agent stop-install": ["updating", "Stop the agent’s download"],
  "supervisor start": ["absent", "Start the supervisor"],
  "supervisor stop": ["idle", "Stop the supervisor; agents and tasks go on"],
  "supervisor enable": ["idle", "Start the supervisor and the tray at login, or do not…"],
  "supervisor disable": ["idle", "Start the supervisor and the tray at login, or do not…"],
  "supervisor status": ["idle", "Go to Settings"],
  "preferences show": ["idle", "Go to Settings"],
  "preferences set keep-awake": ["idle", "Let this machine sleep while a task runs"],
  "preferences set battery-floor": ["idle", "Set the battery limit of staying awake…"],
  "preferences set notify-problems": ["idle", "Do not notify me: problems"],
  "preferences set notify-pause-ended": ["idle", "Do not notify me: pauses that end"],
  "preferences set notify-tasks": ["idle", "Notify me: every task that has ended"],
  "preferences set stop-below": ["idle", "Change what is cleaned up, and when…"],
  "preferences set go-on-above": ["idle", "Change what is cleaned up, and when…"],
  "preferences set clean-limit": ["idle", "Change what is cleaned up, and when…"],
  "preferences set clean-fails": ["idle", "Change what is cleaned up, and when…"],
  "preferences set end-left-overs": ["idle", "Change what is cleaned up, and when…"],
  "preferences set clean-weekly": ["idle", "Do not clean up every week"],
  "config path": ["idle", "Go to Settings"],
  "config show": ["idle", "Copy the agent’s configuration"],
  "config job-path": ["idle", "Show or set where jobs find programs"],
  "config snippet": ["idle", "Copy lines for .circleci/config.yml"],
  completions: { not: "a shell's" },
};

/** The commands that do something themselves; one that changes many things, once for each. */
function commandsOf(page: string): string[] {
  return page.split(/^## /m).slice(1).flatMap((chapter) => {
    const name = /^`runnerctl ?(.*)`/.exec(chapter)?.[1] ?? "";
    if (/^runnerctl .*<COMMAND>$/m.test(chapter)) return [];
    const what = /^- `<NAME>`: \n  One of (.*)\.$/m.exec(chapter)?.[1]?.match(/[a-z-]+/g) ?? [];
    return what.length > 0 ? what.map((it) => `${name} ${it}`) : [name];
  });
}

describe("everything that runnerctl can do", () => {
  test("is known here, command by command", () => {
    expect(commandsOf(cli).length).toBeGreaterThan(50);
    expect(Object.keys(RUNNERCTL).sort()).toEqual(commandsOf(cli).sort());
  });
  test.each(Object.entries(RUNNERCTL).filter(([, has]) => Array.isArray(has)))("%s is there", async (_, has) => {
    const [name, title] = has as [string, string];
    await commands(scene(name));
    await type(title);
    expect(found()).toContain(title);
  });
  test.each(["Start the supervisor and the tray at login, or do not…", "Set the battery limit of staying awake…"])(
    "%s leads to its page",
    async (title) => {
      const { calls } = await commands(scene("idle"));
      await type(title);
      await press("Enter");
      await settle();
      expect(screen.getByRole("heading", { level: 1, name: "Settings" })).toBeTruthy();
      expect(calls.filter((it) => it.call === "set-login" || it.call === "set-preferences")).toEqual([]);
    },
  );
});

describe("everything the tray can do is there", () => {
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
    ["idle", "Quit Runner Tray; runners keep working"],
    ["absent", "Quit Runner Tray; runners keep working"],
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

  test.each(["idle", "absent"])("Quit is the app's alone, and the only one where no task runs: %s", async (name) => {
    const { asked } = await commands(scene(name));
    await type("quit");
    expect(found()).toEqual(["Quit Runner Tray; runners keep working"]);
    await press("Enter");
    expect(asked).toEqual([{ do: "quit" }]);
  });

  test("of two that quit, the harmless one comes first", async () => {
    await commands(scene("busy"));
    await type("quit");
    expect(found()).toEqual(["Quit Runner Tray; runners keep working", "After this task: quit Runner Tray"]);
  });

  /** Each line of the tray's menu that does something, and the command that does the same; none for what opens the window, which is open. */
  const SAME: [line: RegExp, title?: string][] = [
    [/^(Pause (for )?)?15 minutes$/i, "Pause for 15 minutes"],
    [/^(Pause (for )?)?1 hour$/i, "Pause for 1 hour"],
    [/^(Pause )?until tomorrow 09:00$/i, "Pause until tomorrow 09:00"],
    [/^(Pause )?until I resume$/i, "Pause until I resume"],
    [/^Resume/, "Resume"],
    [/^Pause$/, "After this task: pause all runners"],
    [/^(Quit|Finish (this task|these tasks), then stop)$/, "After this task: quit Runner Tray"],
    [/^Sleep$/, "After this task: put this machine to sleep"],
    [/^Restart this machine/, "After this task: restart this machine"],
    [/^Nothing: go on claiming$/, "After this task: nothing more"],
    [/ {2}[\d.]+ (B|kB|MB|GB)$/, "Open the working directory "],
    [/^Show (all \d+ )?in Runner Tray/, "Go to Directories"],
    [/^Clean up now…$/, "Clean up now…"],
    [/^Stays awake during tasks$/, "Let this machine sleep while a task runs"],
    [/^May sleep during tasks$/, "Keep this machine awake while a task runs"],
    [/^Start it$/, "Start the supervisor"],
    [/^Set up a runner…$/, "Set up a runner"],
    [/^Logs$/, "Go to Logs"],
    [/^Doctor/, "Go to Doctor"],
    [/^(Quit \(runners keep working\)|Keep running in the background)$/, "Quit Runner Tray; runners keep working"],
    [/^Open Runner Tray$/],
  ];

  const drawn = menus.split(/^== /m).slice(1).map((menu): [name: string, lines: string[]] => {
    const [heading = "", , ...lines] = menu.trimEnd().split("\n");
    return [heading.split(",")[0] as string, lines.map((it) => it.trim())];
  });

  test("its menu is known, scene by scene", () => expect(drawn.length).toBeGreaterThan(20));
  test.each(drawn)("what its menu of %s offers is there, and no act after a task where it has none", (name, lines) => {
    const titles = commandsFor(scene(name).supervisor, "", NOW).map((it) => it.title);
    for (const line of lines.filter((it) => it !== "------" && !it.endsWith(" >"))) {
      const same = SAME.find(([words]) => words.test(line));
      expect(same, line).toBeDefined();
      const title = same?.[1];
      if (title !== undefined) expect(titles.some((it) => it.startsWith(title)), `${line}: ${title}`).toBe(true);
    }
    const isOffered = lines.some((it) => /^After (this task|these tasks)/.test(it));
    expect(titles.some((it) => it.startsWith("After this task: "))).toBe(isOffered);
  });

  test("while something waits to be done after the task, no other is offered in its place", () => {
    const titles = commandsFor(scene("after-task").supervisor, "", NOW).map((it) => it.title);
    expect(titles.filter((it) => it.startsWith("After this task: "))).toEqual(["After this task: nothing more"]);
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
