/** Every page and step, on every kind of reply: no accessibility violation, and none without a supervisor. */
import { fireEvent, screen } from "@testing-library/svelte";
import { afterEach, describe, expect, test } from "vitest";
import type { Page } from "../src/bridge";
import { keep } from "../src/kept";
import { PAGES } from "../src/pages";
import { STEPS, type Step } from "../src/setup/steps";
import { violations } from "./axe";
import { missed, reached } from "./keyboard";
import { scene } from "../harness/scenes";
import { close, open, settle } from "./window";

afterEach(close);

const CHOSEN = { way: "personal", name: "mac-mini-01", resourceClass: "acme/macos", ownUser: true, jobUser: "ci" };
const pages = PAGES.map(({ page }) => page);

describe.each(pages)("the page %s", (page) => {
  test.each(["busy", "several-with-a-problem", "no-runner", "absent", "hostile"])("has no violation: %s", async (name) => {
    await open(scene(name), { page });
    expect(await violations()).toEqual([]);
  });

  test("has one first heading, and is reached by its key", async () => {
    await open(scene("idle"));
    await fireEvent.keyDown(document.body, { key: String(pages.indexOf(page) + 1), ctrlKey: true });
    await settle();
    expect(screen.getAllByRole("heading", { level: 1 })).toHaveLength(1);
    const current = screen.getByRole("navigation", { name: "Pages" }).querySelector("[aria-current=page]");
    expect(current?.getAttribute("aria-keyshortcuts")).toBe(`Control+${pages.indexOf(page) + 1}`);
  });

  test("is there in front of an older supervisor, which tells less", async () => {
    await open(scene("older-supervisor"), { page });
    expect(screen.getAllByRole("heading", { level: 1 })).toHaveLength(1);
  });

  test("is where the window opens again", async () => {
    await open(scene("idle"));
    await fireEvent.keyDown(document.body, { key: String(pages.indexOf(page) + 1), ctrlKey: true });
    expect(JSON.parse(localStorage.getItem("place") ?? "{}").page).toBe(page);
  });
});

describe.each(STEPS.map(({ step }) => step))("the step %s", (step) => {
  test.each(["idle", "problem", "updating", "no-runner"])("has no violation: %s", async (name) => {
    keep("set-up", { ...CHOSEN, step });
    await open(scene(name), { page: "set-up" });
    expect(await violations()).toEqual([]);
  });
});

describe("by keyboard alone", () => {
  /** What is read first on each page is reached first; the rest follows in the page's own order. */
  const PAGE_ORDER: Record<(typeof pages)[number], string[]> = {
    overview: ["Pause for 1 hour: mac-mini-01", "Open in CircleCI: mac-mini-01", "Cancel task…", "After this task", "All of the history"],
    directories: ["Measure again", "All that can go", "Choose web-app / build", "Open: web-app / build", "Never delete: web-app / build"],
    "clean-up": ["Show what can go", "Fresh working directory", "What would go?: Fresh working directory"],
    preinstall: ["Check again", "Choose presets to plan", "Include CircleCI essentials", "Show the items of CircleCI essentials"],
    history: ["Time", "Earlier", "Later", "As a table", "Result", "Project, by its whole name"],
    logs: ["Lines", "Search this run", "Search", "Log of mac-mini-01", "Start of this run", "Go to the end"],
    doctor: ["Check again", "4 readings are well"],
    settings: ["Add a runner", "Change…: mac-mini-01", "Token…: mac-mini-01", "Remove…: mac-mini-01", "Keep this machine awake"],
  };
  test.each(pages)("what can be done on the page %s is reached in the order in which it is read", async (page) => {
    await open(scene("several-with-a-problem"), { page });
    expect(missed()).toEqual([]);
    await close();
    await open(scene("busy"), { page });
    expect(missed()).toEqual([]);
    expect(reached(screen.getByRole("main")).slice(0, PAGE_ORDER[page].length)).toEqual(PAGE_ORDER[page]);
  });

  const STEP_ORDER: Record<Step, string[]> = {
    machine: ["Check again", "4 readings are well", "Go on"],
    tools: ["What would be installed?", "Check again", "Plan this one: Git LFS"],
    token: ["I have a resource class token", "Choose or create the class with a personal API token", "Personal API token"],
    naming: ["Runner’s name", "Working directory", "the keychain", "a file that only you can read", "CircleCI server and mirrors", "Back", "Go on"],
    "job-user": ["Jobs run as a user of their own (recommended)", "User for jobs", "Check this user", "Jobs run as you", "Back", "Go on"],
    install: ["Start Runner Tray and its supervisor at login", "Give another token", "Back", "Install and start"],
    claim: ["Details", "Give another token", "Back", "Go on"],
    pipeline: ["Lines for .circleci/config.yml", "Copy these lines: Lines for .circleci/config.yml", "CircleCI’s own words", "Back", "Done"],
  };
  test.each(STEPS.map(({ step }) => step))("what can be done in the step %s is reached in the order in which it is read", async (step) => {
    keep("set-up", { ...CHOSEN, step });
    await open(scene("problem"), { page: "set-up" });
    expect(missed()).toEqual([]);
    expect(reached(screen.getByRole("main")).slice(0, STEP_ORDER[step].length)).toEqual(STEP_ORDER[step]);
  });

  test("what nothing reaches, or reaches too early, is found out", () => {
    document.body.innerHTML = `<main><button>One</button><div role="button">Two</div><button tabindex="1">Three</button><h2 tabindex="-1">A title</h2></main>`;
    expect(missed()).toEqual(["Two", "Three"]);
    document.body.innerHTML = "";
  });
});

test.each([
  ["directories", "work-dirs"],
  ["clean-up", "presets"],
] as const)("a supervisor that comes only now is asked by the page %s", async (page, what) => {
  const { made, show } = await open(scene("absent"), { page });
  expect(made(what)).toEqual([]);
  await show(scene("idle"));
  await settle();
  expect(made(what)).not.toEqual([]);
});

describe("the frame", () => {
  test("the tray sends the window to a page, and only once for each word", async () => {
    const { show } = await open(scene("idle"));
    const sent = (to: Page, times: number) => ({ ...scene("idle"), go: { to, times } });
    await show(sent("logs", 1));
    expect(screen.getByRole("button", { name: "Logs" }).getAttribute("aria-current")).toBe("page");
    await fireEvent.click(screen.getByRole("button", { name: "History" }));
    await show(sent("logs", 1));
    expect(screen.getByRole("button", { name: "History" }).getAttribute("aria-current")).toBe("page");
    await show(sent("logs", 2));
    expect(screen.getByRole("button", { name: "Logs" }).getAttribute("aria-current")).toBe("page");
  });

  test("what happened while nobody looked is the first thing shown, whatever page was left", async () => {
    const { show } = await open(scene("away"), { page: "settings" });
    await settle();
    expect(screen.getByRole("region", { name: "Since you last looked" })).toBeTruthy();
    // Only once: whoever goes on is not called back.
    await fireEvent.click(screen.getByRole("button", { name: "History" }));
    await show(scene("away"));
    expect(screen.getByRole("button", { name: "History" }).getAttribute("aria-current")).toBe("page");
    await close();
    await open(scene("away"), { page: "set-up" });
    expect(screen.queryByRole("region", { name: "Since you last looked" })).toBeNull();
  });

  test("the machine's state is told on every page", async () => {
    await open(scene("several-with-a-problem"), { page: "settings" });
    expect(screen.getByText("1 problem, 1 busy, 1 idle")).toBeTruthy();
  });

  test("the disk is told on every page, and in a word and a shape that it is nearly full", async () => {
    const { show } = await open(scene("idle"), { page: "settings" });
    expect(screen.getByText("Disk 61 GB").parentElement?.textContent).toMatch(/^Disk 61\sGB\s*free of 256 GB$/);
    await show(scene("low-disk"));
    expect(screen.getByText("Disk nearly full: 9.8 GB").closest("p")?.querySelector("svg.warn")).toBeTruthy();
    const view = scene("idle");
    if (view.supervisor.kind === "live") view.supervisor.snapshot.volumes = [];
    await show(view);
    expect(screen.queryByText(/Disk/)).toBeNull();
  });

  test("a slash goes to the page's search field, and stays a slash in a field", async () => {
    await open(scene("busy"), { page: "logs" });
    await fireEvent.keyDown(document.body, { key: "/" });
    const field = screen.getByRole("searchbox");
    expect(document.activeElement).toBe(field);
    const typed = new KeyboardEvent("keydown", { key: "/", bubbles: true, cancelable: true });
    field.dispatchEvent(typed);
    expect(typed.defaultPrevented).toBe(false);
  });

  test("what is kept of a spoilt place is not believed", async () => {
    localStorage.setItem("place", '{"page": "elsewhere"}');
    await open(scene("idle"));
    expect(screen.getByRole("article", { name: "mac-mini-01" })).toBeTruthy();
  });
});
