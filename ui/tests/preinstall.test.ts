import { fireEvent, screen, within } from "@testing-library/svelte";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { View } from "../src/bridge";
import { given } from "../harness/replies";
import { scene } from "../harness/scenes";
import type { PreinstallItem } from "../src/generated/protocol";
import { keep } from "../src/kept";
import { tools } from "../src/preinstall/tools.svelte";
import { counts } from "../src/preinstall/words";
import { violations } from "./axe";
import { close, open, settle } from "./window";

afterEach(close);

const page = (view: View, answers = {}) => open(view, { page: "preinstall", answers });
const button = (name: RegExp | string) => screen.getByRole("button", { name });
const press = async (name: RegExp | string) => {
  await fireEvent.click(button(name));
  await settle();
};
const heading = () => screen.getByRole("heading", { level: 1 }).textContent;
const plan = () => screen.getByRole("region", { name: "What would be installed" });
const card = (title: string) => button(`Show the items of ${title}`).closest("li") as HTMLElement;
const text = (of: HTMLElement) => (of.textContent ?? "").replace(/\s+/g, " ");

describe("the page says first whether jobs can run here", () => {
  test("and what they lack, for the user that they run as", async () => {
    const { made } = await page(scene("idle"));
    expect(heading()).toBe("3 of the CircleCI essentials are missing");
    expect(screen.getByText(/^2 of 5 are there, for jobs that run as ada\./)).toBeTruthy();
    expect(made("check-preinstall")).toEqual([{ call: "check-preinstall", items: [], presets: [], upgrade: false }]);
  });

  test("or that nothing is missing", async () => {
    await page(scene("idle"), { "check-preinstall": "check-preinstall-ready" });
    expect(heading()).toBe("Jobs can run here");
  });

  test("a look is taken once, and again when somebody asks", async () => {
    const { made } = await page(scene("idle"));
    await fireEvent.click(button("History"));
    await settle();
    await fireEvent.click(button("Preinstall"));
    await settle();
    expect(made("check-preinstall")).toHaveLength(1);
    await press("Check again");
    expect(made("check-preinstall")).toHaveLength(2);
  });

  test("while tools are looked at it is told how many were", async () => {
    await page(scene("looking"));
    expect(screen.getByText("Looked at 14 of 62 tools")).toBeTruthy();
    expect(screen.getByRole("progressbar").getAttribute("max")).toBe("62");
  });

  test("what the set-up looked at is not all: the rest is looked at here", async () => {
    keep("set-up", { step: "tools" });
    const { made } = await open(scene("no-runner"), {
      page: "set-up",
      answers: {
        "check-preinstall": ({ presets }: { presets: string[] }) => {
          const all = given("check-preinstall");
          return { ok: presets.length === 0 ? all : { ...all, items: all.items.slice(0, 5) } };
        },
      },
    });
    await press("Leave; go on later");
    await press("Preinstall");
    expect(made("check-preinstall").map((it) => it.presets)).toEqual([["essentials"], []]);
    expect(screen.queryByText(/not looked at yet/)).toBeNull();
  });

  test("a supervisor that comes later is asked then", async () => {
    const { made, show } = await page(scene("absent"));
    expect(made("preinstall")).toEqual([]);
    await show(scene("idle"));
    await settle();
    expect(heading()).toBe("3 of the CircleCI essentials are missing");
    expect(made("check-preinstall")).toHaveLength(1);
  });

  test("a look that is refused says so, with the way out", async () => {
    await page(scene("idle"), { "check-preinstall": "check-preinstall-refused" });
    expect(heading()).toBe("Preinstall");
    expect(screen.getByRole("alert").textContent).toContain("Say which runner is meant");
  });

  test("of several runners one is meant, and another finds other tools", async () => {
    const { made } = await page(scene("several"));
    expect(made("check-preinstall").at(-1)?.runner).toBe("mac-mini-01");
    await fireEvent.change(screen.getByRole("combobox", { name: "Runner" }), { target: { value: "mac-mini-01-web" } });
    await settle();
    expect(made("check-preinstall").at(-1)?.runner).toBe("mac-mini-01-web");
    expect(made("job-path").at(-1)?.runner).toBe("mac-mini-01-web");
  });
});

describe("a preset", () => {
  test("has the size of a package once that several of its items name", () => {
    const item = (id: string, names: string[]): PreinstallItem => {
      const how = { kind: "packages" as const, by: "Homebrew", names, admin: false };
      return { id, title: id, what_for: "For tests.", links: [], size: 20_000_000, how, own: false };
    };
    const known = { items: [item("rust", ["rust"]), item("clippy", ["rust"]), item("jq", ["jq"])], presets: [], refused: [] };
    const missing = (id: string) => [id, { id, title: id, state: "missing" as const, reading: "none" }] as const;
    const come = counts(["rust", "clippy", "jq"], new Map(["rust", "clippy", "jq"].map(missing)), known);
    expect([come.missing, come.bytes]).toEqual([3, 40_000_000]);
  });

  test("says what is there, what is missing and how large that is, each with a shape and a word", async () => {
    await page(scene("idle"));
    expect(text(card("CircleCI essentials"))).toContain("2 of 5 there 3 missing, 14 MB");
    expect(text(card("Node.js"))).toContain("1 of 3 there 1 missing, 6.0 MB 1 needs a look");
    expect(text(card("iOS and macOS"))).toContain("0 of 2 there 1 missing 1 not told");
    expect(text(card("Acme's tools"))).toContain("your own");
    expect(card("Node.js").querySelectorAll(".counts svg")).toHaveLength(3);
  });

  test("that is opened shows each item with its reading, its way and what is wanted", async () => {
    await page(scene("idle"));
    const opener = button("Show the items of Node.js");
    expect(opener.getAttribute("aria-expanded")).toBe("false");
    await fireEvent.click(opener);
    expect(opener.getAttribute("aria-expanded")).toBe("true");
    const rows = within(screen.getByRole("list", { name: "Node.js" })).getAllByRole("listitem").map(text);
    expect(rows[0]).toContain("too old 16.20.0, /opt/homebrew/bin/node; wanted is 18 or newer");
    expect(rows[2]).toContain("yarn is in no folder of the PATH of jobs");
    expect(rows[2]).toContain("by npm, 6.0 MB");
  });

  test("what only a person can do says how, and is looked at again alone", async () => {
    const { made } = await page(scene("idle"), {
      "check-preinstall": (call: { items: string[] }) => ({
        ok: given("check-preinstall"),
        ...(call.items.length > 0 ? { ok: { ...given("check-preinstall"), items: [{ id: "xcode", title: "Xcode", state: "present", reading: "16.2" }] } } : {}),
      }),
    });
    await press("Show the items of iOS and macOS");
    expect(text(card("iOS and macOS"))).toContain("Download Xcode with your Apple ID");
    await press("Check again: Xcode");
    expect(made("check-preinstall").at(-1)).toEqual({ call: "check-preinstall", items: ["xcode"], presets: [], upgrade: false });
    expect(text(card("iOS and macOS"))).toContain("1 of 2 there");
    // What was read of the others stays.
    expect(text(card("CircleCI essentials"))).toContain("2 of 5 there");
  });

  test("an item's page is opened by its name, and what cannot be opened is said", async () => {
    const { made } = await page(scene("idle"), { "open-item-link": "open-item-link-refused" });
    await press("Show the items of iOS and macOS");
    await press("Its page: Xcode");
    expect(made("open-item-link")).toEqual([{ call: "open-item-link", item: "xcode" }]);
    expect(screen.getByRole("alert").textContent).toContain("No page that can be opened");
  });

  test("what cannot be followed in the settings is said", async () => {
    await page(scene("idle"));
    expect(screen.getByText(/which no item is called/)).toBeTruthy();
  });
});

describe("the plan", () => {
  test("is made of one preset, of several, or of one item; and installs nothing", async () => {
    const { made } = await page(scene("idle"));
    await press("What would be installed?: Node.js");
    await fireEvent.click(screen.getByRole("checkbox", { name: "Include CircleCI essentials" }));
    await fireEvent.click(screen.getByRole("checkbox", { name: "Include Node.js" }));
    await press("Plan 2 presets");
    await press("Show the items of Acme's tools");
    await press("Plan this one: jq");
    expect(made("plan-preinstall").map(({ items, presets }) => ({ items, presets }))).toEqual([
      { items: [], presets: ["node"] },
      { items: [], presets: ["essentials", "node"] },
      { items: ["jq"], presets: [] },
    ]);
    expect(made("start-preinstall")).toEqual([]);
  });

  test("shows each command, its size and rights, what is left and why, and what only a person can do", async () => {
    await page(scene("idle"));
    await press("What would be installed?: CircleCI essentials");
    expect(heading()).toBe("4 items can be installed, 20 MB");
    const commands = [...plan().querySelectorAll("pre")].map((it) => it.textContent);
    expect(commands).toEqual([
      "brew install --formula git-lfs jq",
      "write the command circleci, which hands on to circleci-agent",
      "sudo npm install --global -- yarn",
    ]);
    expect(text(plan())).toContain("as an admin");
    expect(text(plan())).toContain("asks for an admin’s password. Runner Tray never sees or keeps it.");
    expect(within(plan()).getByRole("list", { name: "Left as it is" }).textContent).toContain("It is there and too old");
    expect(within(plan()).getByRole("list", { name: "What only you can do" }).textContent).toContain("Xcode");
    expect(within(plan()).getByText("3 items are there already")).toBeTruthy();
  });

  test("is carried out by the button that has its count and its size", async () => {
    const { made } = await page(scene("idle"));
    await press("What would be installed?: CircleCI essentials");
    await press("Install 4 items, 20 MB");
    expect(made("start-preinstall")).toEqual([{ call: "start-preinstall", plan: "1772469730000-1" }]);
    expect(screen.queryByRole("region", { name: "What would be installed" })).toBeNull();
  });

  test("that needs an admin where nobody can be asked says so, and stays", async () => {
    await page(scene("idle"), { "start-preinstall": "start-preinstall-refused" });
    await press("What would be installed?: CircleCI essentials");
    await press(/^Install 4 items/);
    expect(screen.getByRole("alert").textContent).toContain("Install polkit");
    expect(plan()).toBeTruthy();
  });

  test("takes what is too old only when somebody says so", async () => {
    const { made } = await page(scene("idle"));
    await press("What would be installed?: Node.js");
    await press("Plan it with what is too old, too");
    expect(made("plan-preinstall").at(-1)).toEqual({ call: "plan-preinstall", items: [], presets: ["node"], upgrade: true });
  });

  test("can be left, and then nothing was done", async () => {
    const { made } = await page(scene("idle"));
    await press("What would be installed?: Node.js");
    await press("Install nothing");
    expect(heading()).toBe("3 of the CircleCI essentials are missing");
    expect(made("start-preinstall")).toEqual([]);
  });

  test("with nothing in it has no button to install", async () => {
    await page(scene("idle"), { "plan-preinstall": "plan-preinstall-nothing" });
    await press("What would be installed?: Node.js");
    expect(heading()).toBe("Nothing has to be installed");
    expect(within(plan()).queryByRole("button", { name: /^Install \d/ })).toBeNull();
  });

  test("of what only a person can do says that", async () => {
    await page(scene("idle"), { "plan-preinstall": "plan-preinstall-by-hand" });
    await press("What would be installed?: Node.js");
    expect(heading()).toBe("The rest is done by hand");
    await press("Its page: Xcode");
    await press("Check again: Xcode");
    expect(plan().textContent).toContain("There is no /Applications/Xcode.app");
  });

  test("whatever an item is called is text", async () => {
    await page(scene("idle"), { "plan-preinstall": "plan-preinstall-hostile" });
    await press("What would be installed?: Node.js");
    expect(document.querySelector("main img, main b")).toBeNull();
    expect(plan().textContent).toContain("<img src=x onerror=alert(1)>");
  });
});

describe("while it installs", () => {
  test("the step, the last line and a way to end it are there, and that no task is claimed", async () => {
    const { made } = await page(scene("installing"));
    expect(heading()).toBe("Installing what jobs need…");
    expect(screen.getByText(/^No task is claimed meanwhile/)).toBeTruthy();
    const runs = screen.getByRole("group", { name: "Installing" });
    expect(text(runs)).toContain("Step 1 of 3: Install Git LFS and jq with Homebrew");
    expect(runs.querySelector("summary")?.textContent).toContain("==> Pouring git-lfs--3.5.1.bottle.tar.gz");
    expect(made("preinstall-output")).toEqual([]);
    await press("Cancel after this step");
    expect(made("cancel-preinstall")).toHaveLength(1);
  });

  test("what it waits for is named, and a cancelled one says when it ends", async () => {
    await page(scene("installing-waits"));
    const runs = screen.getByRole("group", { name: "Installing" });
    expect(text(runs)).toContain("It waits: apt is used by apt-get (process 813).");
    expect(text(runs)).toContain("It ends after this step");
    expect(text(runs)).toContain("it was taken up again");
    expect(button("Cancel after this step").getAttribute("aria-disabled")).toBe("true");
  });

  test("what tools write is read while it is open, from where it was left, and is inert", async () => {
    const { made } = await page(scene("installing"));
    const details = document.querySelector("main details") as HTMLDetailsElement;
    details.open = true;
    await fireEvent(details, new Event("toggle"));
    await settle();
    const lines = screen.getByRole("group", { name: "What the tools write" });
    expect(lines.textContent).toBe("==> Fetching git-lfs\n==> Pouring git-lfs--3.5.1.bottle.tar.gz\n==> Installing jq\nDownloading 100 %\n");
    await vi.advanceTimersByTimeAsync(1000);
    expect(made("preinstall-output").map((it) => it.from)).toEqual([0, given("preinstall-output").next]);
    details.open = false;
    await fireEvent(details, new Event("toggle"));
    await vi.advanceTimersByTimeAsync(5000);
    expect(made("preinstall-output")).toHaveLength(2);
  });

  test("nothing else is planned", async () => {
    const { made } = await page(scene("installing"));
    expect(button("What would be installed?: Node.js").getAttribute("aria-disabled")).toBe("true");
    expect(screen.getByText(/Another plan can be made once it is over\.$/)).toBeTruthy();
    await press("What would be installed?: Node.js");
    expect(made("plan-preinstall")).toEqual([]);
  });

  test("the runner's card says why it is held", async () => {
    await open(scene("installing"), { page: "overview" });
    expect(screen.getByText("Held while what jobs need is installed")).toBeTruthy();
  });
});

describe("the receipt", () => {
  test("says what failed first, with what its tool said, and what is left for a person", async () => {
    await page(scene("installed"));
    const receipt = screen.getByRole("region", { name: "What came of it" });
    const rows = within(within(receipt).getByRole("list", { name: "What came of it" })).getAllByRole("listitem");
    expect(rows.map((it) => it.querySelector(".head")?.textContent)).toEqual([
      "Yarnfailed",
      "circleci commandnot begun",
      "Git LFSinstalled",
      "jqinstalled",
    ]);
    expect(rows[0]?.querySelector("pre")?.textContent).toBe(
      "npm error code E404\nnpm error 404 Not Found - GET https://registry.npmjs.org/yarn",
    );
    expect(text(rows[0] as HTMLElement)).toContain("It ran: sudo npm install --global -- yarn");
    expect(text(receipt)).toContain("It ended early: It was cancelled.");
    expect(within(receipt).getByRole("list", { name: "What only you can do" })).toBeTruthy();
    await press("Close the receipt");
    expect(screen.queryByRole("region", { name: "What came of it" })).toBeNull();
  });

  test("that was closed stays closed in the next window", async () => {
    await page(scene("installed"));
    await press("Close the receipt");
    tools.forget();
    expect(tools.closed).toBe("1772469730000-1");
  });

  test("says what was not allowed, with the command to run it by hand, and what was left", async () => {
    await page(scene("not-allowed"));
    const receipt = screen.getByRole("region", { name: "What came of it" });
    expect(text(receipt)).toContain("jqnot begun");
    expect(text(receipt)).toContain("To run it yourself: sudo apt-get install -y -- jq");
    expect(receipt.querySelector("pre")?.textContent).toMatch(/^You did not allow it\./);
    expect(text(receipt)).not.toContain("Its tool said:");
    const left = within(receipt).getByRole("list", { name: "Left as it is" });
    expect(text(left)).toContain("Node.js too old");
    expect(await violations()).toEqual([]);
  });

  test("stays while tools are looked at, so that the keyboard keeps its place", async () => {
    const { show } = await page(scene("installed"));
    const again = button("Check again: Xcode");
    again.focus();
    await show(scene("looking"));
    expect(screen.getByText("Looked at 14 of 62 tools")).toBeTruthy();
    expect(document.activeElement).toBe(again);
    await show(scene("installing"));
    expect(screen.queryByRole("region", { name: "What came of it" })).toBeNull();
  });

  test("of one that was seen running is the answer, and its readings are the cards'", async () => {
    const { show } = await page(scene("installing"));
    await show(scene("installed"));
    await settle();
    expect(heading()).toBe("2 of 4 installed");
    expect(text(card("CircleCI essentials"))).toContain("4 of 5 there 1 missing");
  });

  test("of an earlier one is no news", async () => {
    const { show } = await page(scene("installed"));
    expect(heading()).toBe("3 of the CircleCI essentials are missing");
    await press("What would be installed?: Node.js");
    await press(/^Install 4 items/);
    const old = scene("installed");
    if (old.supervisor.kind === "live" && old.supervisor.snapshot.preinstall?.kind === "done") old.supervisor.snapshot.preinstall.id = "earlier-1";
    await show(old);
    expect(heading()).toBe("3 of the CircleCI essentials are missing");
  });
});

describe("where jobs find programs", () => {
  const region = () => screen.getByRole("region", { name: "Where jobs find programs: mac-mini-01" });

  test("is shown in its order, and what the settings put first", async () => {
    await page(scene("idle"));
    const folders = within(region()).getAllByRole("listitem").map((it) => it.textContent);
    expect(folders).toEqual(["/opt/node/binfrom the settings", "/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin"]);
  });

  test("is set for that runner, and then tools are looked at again", async () => {
    const { made } = await page(scene("idle"));
    expect(button("Use these folders: mac-mini-01").getAttribute("aria-disabled")).toBe("true");
    await fireEvent.input(screen.getByLabelText("Folders that come first"), { target: { value: "/opt/node/bin\n ~/bin \n\n" } });
    await press("Use these folders: mac-mini-01");
    expect(made("set-job-path")).toEqual([{ call: "set-job-path", runner: "mac-mini-01", first: ["/opt/node/bin", "~/bin"] }]);
    expect(made("job-path")).toHaveLength(2);
    expect(made("check-preinstall")).toHaveLength(2);
  });

  test("what is no folder is refused with the way out, and what was written stays", async () => {
    const { made } = await page(scene("idle"), { "set-job-path": "set-job-path-refused" });
    await fireEvent.input(screen.getByLabelText("Folders that come first"), { target: { value: "bin" } });
    await press("Use these folders: mac-mini-01");
    expect(within(region()).getByRole("alert").textContent).toContain("Give whole paths of folders.");
    expect(screen.getByLabelText<HTMLTextAreaElement>("Folders that come first").value).toBe("bin");
    expect(made("job-path")).toHaveLength(1);
  });

  test("that cannot be read says why, and shows what the agent gets", async () => {
    await page(scene("idle"), { "job-path": "job-path-unreadable" });
    expect(region().textContent).toContain("The login of ci could not be tried");
    expect(within(region()).getAllByRole("listitem")).toHaveLength(3);
  });
});

test("every control is reached by the keyboard in the order in which it is read", async () => {
  await page(scene("idle"));
  await press("What would be installed?: CircleCI essentials");
  const controls = [...document.querySelectorAll<HTMLElement>("main button, main input, main summary, main textarea, main pre[tabindex]")];
  expect(controls.filter((it) => it.tabIndex < 0)).toEqual([]);
  const names = controls.map((it) => it.getAttribute("aria-label") ?? it.textContent?.trim());
  const at = (name: string) => names.indexOf(name);
  expect(at("Check again")).toBeLessThan(at("Install 4 items, 20 MB"));
  expect(at("Install 4 items, 20 MB")).toBeLessThan(at("Include CircleCI essentials"));
  expect(at("Include CircleCI essentials")).toBeLessThan(at("Use these folders: mac-mini-01"));
});

test.each(["idle", "installing", "installing-waits", "installed", "looking", "several"])("has no violation with everything opened: %s", async (name) => {
  await page(scene(name));
  if (!name.startsWith("installing")) await press("What would be installed?: CircleCI essentials");
  for (const opener of document.querySelectorAll<HTMLElement>("main summary, main [aria-expanded=false]")) await fireEvent.click(opener);
  await settle();
  expect(await violations()).toEqual([]);
});
