/** The wizard: from nothing to the first task, in the words of whoever sets a machine up. */
import { fireEvent, screen, within } from "@testing-library/svelte";
import { afterEach, describe, expect, test } from "vitest";
import type { View } from "../src/bridge";
import type { Runner, TokenSeen } from "../src/generated/protocol";
import protocol from "../src/generated/protocol.ts?raw";
import { keep, kept } from "../src/kept";
import { place } from "../src/place.svelte";
import { waysOut } from "../src/setup/wayOut";
import { runnersOf, scene } from "../harness/scenes";
import { close, open, settle } from "./window";

afterEach(close);

const button = (name: RegExp | string) => screen.getByRole("button", { name });
const write = (label: string, value: string) => fireEvent.input(screen.getByLabelText(label), { target: { value } });
const choose = (name: RegExp | string) => fireEvent.click(screen.getByRole("radio", { name }));
const step = () => screen.getByRole("heading", { level: 2 }).textContent;
const rail = (name: RegExp) => within(screen.getByRole("navigation", { name: "Steps" })).getByRole("button", { name });

async function goOn() {
  await fireEvent.click(button("Go on"));
  await settle();
}

/** Calls that change something. */
const CHANGES = ["set-up", "set-token", "create-class", "create-token", "set-login", "install", "move-token"];

/** Past what jobs need, which holds nobody up. */
async function toToken() {
  await goOn();
  await goOn();
}

async function fillIn() {
  await toToken();
  await write("Resource class", "acme/macos");
  await write("Resource class token", "not-a-real-token");
  await goOn();
  await goOn();
  await choose("Jobs run as you");
  await goOn();
}

function running(): View {
  return scene("idle");
}

test("an empty window leads to the wizard", async () => {
  await open(scene("no-runner"));
  await fireEvent.click(button("Set up a runner"));
  expect(step()).toBe("This machine");
});

test("from an empty home to the pipeline's lines, and nothing is changed before the step that says so", async () => {
  const { made, calls, show } = await open(scene("no-runner"), { page: "set-up" });
  expect(made("doctor")).toHaveLength(1);
  await fillIn();
  expect(step()).toBe("Install");
  expect(calls.filter((it) => CHANGES.includes(it.call))).toEqual([]);
  expect(screen.getByText("the one you pasted, into the keychain")).toBeTruthy();

  await fireEvent.click(button("Install and start"));
  await settle();
  expect(made("set-up")).toEqual([
    {
      call: "set-up",
      runner: "mac-mini-01",
      config: { resource_class: "acme/macos", token_store: "keychain" },
      token: "not-a-real-token",
    },
  ]);
  expect(made("set-login")).toEqual([{ call: "set-login", supervisor: true, app: true }]);
  expect(step()).toBe("First claim");
  expect(screen.getByText("Waiting for the first claim…")).toBeTruthy();

  await show(running());
  await settle();
  expect(screen.getByText("mac-mini-01 works")).toBeTruthy();
  await goOn();
  expect(screen.getByRole("group", { name: "Lines for .circleci/config.yml" }).textContent).toContain("machine: true");
  expect(screen.getByText(/can use docker is root/)).toBeTruthy();
  await fireEvent.click(button("Done"));
  expect(kept("set-up")).toBeUndefined();
});

describe("the token", () => {
  test("is kept nowhere: not in what is remembered, not in the page, and gone once it is stored", async () => {
    await open(scene("no-runner"), { page: "set-up" });
    await fillIn();
    expect(JSON.stringify({ ...localStorage })).not.toContain("not-a-real-token");
    expect(document.body.innerHTML).not.toContain("not-a-real-token");
    await fireEvent.click(button("Install and start"));
    await settle();
    await fireEvent.click(rail(/^Token/));
    await settle();
    await choose("I have a resource class token");
    expect(screen.getByLabelText<HTMLInputElement>("Resource class token").value).toBe("");
  });

  test("a class or token that cannot be one holds the step", async () => {
    await open(scene("no-runner"), { page: "set-up" });
    await toToken();
    await write("Resource class", "no slash");
    await write("Resource class token", "x");
    await fireEvent.blur(screen.getByLabelText("Resource class"));
    await goOn();
    expect(step()).toBe("Token");
    expect(screen.getByLabelText("Resource class").getAttribute("aria-invalid")).toBe("true");
    expect(screen.getByText(/^Write namespace\/name/)).toBeTruthy();
  });

  test("with a personal token a class is chosen, and its token never comes to the window", async () => {
    const { made } = await open(scene("no-runner"), { page: "set-up" });
    await toToken();
    await choose(/personal API token/);
    await write("Personal API token", "not-a-real-personal-token");
    await write("Namespace of your organisation", "acme");
    await fireEvent.click(button("Show its resource classes"));
    await settle();
    expect(screen.getByText(/The last step makes a token for acme\/macos/)).toBeTruthy();
    await fireEvent.change(screen.getByLabelText("Which one?"), { target: { value: "acme/linux" } });
    await goOn();
    await goOn();
    await choose("Jobs run as you");
    await goOn();
    await fireEvent.click(button("Install and start"));
    await settle();
    expect(made("set-up")[0]).toEqual({
      call: "set-up",
      runner: "mac-mini-01",
      config: { resource_class: "acme/linux", token_store: "keychain" },
    });
    expect(made("create-token")).toEqual([
      { call: "create-token", runner: "mac-mini-01", nickname: "mac-mini-01", personal_token: "not-a-real-personal-token" },
    ]);
    expect(JSON.stringify({ ...localStorage })).not.toContain("not-a-real");
  });

  test("a new class is created at the last step, before the runner", async () => {
    const { made, calls } = await open(scene("no-runner"), { page: "set-up" });
    await toToken();
    await choose(/personal API token/);
    await write("Personal API token", "not-a-real-personal-token");
    await write("Namespace of your organisation", "acme");
    await write("CircleCI’s address", "https://ci.acme.example");
    await fireEvent.click(button("Show its resource classes"));
    await settle();
    expect(made("list-classes")[0]?.api_url).toBe("https://ci.acme.example");
    await fireEvent.change(screen.getByLabelText("Which one?"), { target: { value: "" } });
    await write("Name of the new class", "desk");
    await write("ID of your organisation", "b9291e0d");
    await goOn();
    await goOn();
    await goOn();
    expect(made("create-class")).toEqual([]);
    await fireEvent.click(button("Install and start"));
    await settle();
    expect(made("create-class")[0]).toMatchObject({ resource_class: "acme/desk", org_id: "b9291e0d", api_url: "https://ci.acme.example" });
    const order = calls.map((it) => it.call).filter((it) => CHANGES.includes(it));
    expect(order).toEqual(["create-class", "set-up", "create-token", "set-login"]);
  });

  test("a personal token that CircleCI refuses is told with a way out", async () => {
    await open(scene("no-runner"), { page: "set-up", answers: { "list-classes": "list-classes-refused" } });
    await toToken();
    await choose(/personal API token/);
    await write("Personal API token", "wrong");
    await write("Namespace of your organisation", "acme");
    await fireEvent.click(button("Show its resource classes"));
    await settle();
    expect(screen.getByRole("alert").textContent).toContain("Make a new one under User Settings");
  });
});

describe("left half way", () => {
  test("it is taken up at the same step with what was chosen, but for what is secret", async () => {
    await open(scene("no-runner"), { page: "set-up" });
    await fillIn();
    await close_and_keep();
    await open(scene("no-runner"), { page: "set-up" });
    expect(step()).toBe("Install");
    expect(screen.getByText("acme/macos")).toBeTruthy();
    expect(screen.getByText(/What was secret was not kept/)).toBeTruthy();
    expect(button("Install and start").getAttribute("aria-disabled")).toBe("true");
    await fireEvent.click(button("Give another token"));
    await settle();
    expect(step()).toBe("Token");
    expect(document.activeElement).toBe(screen.getByRole("heading", { level: 2, name: "Token" }));
    expect(screen.getByLabelText<HTMLInputElement>("Resource class").value).toBe("acme/macos");
  });

  test("after the step that changes things it goes on waiting for the claim", async () => {
    keep("set-up", { step: "claim", way: "keep", name: "mac-mini-01", resourceClass: "acme/macos" });
    await open(scene("idle"), { page: "set-up" });
    expect(screen.getByText("mac-mini-01 works")).toBeTruthy();
  });

  test("nobody says that CircleCI has answered before it has", async () => {
    keep("set-up", { step: "claim", way: "keep", name: "mac-mini-01", resourceClass: "acme/macos" });
    const idle = (token: TokenSeen, since: string) => {
      const view = scene("idle");
      for (const runner of runnersOf(view)) Object.assign(runner, { token, state_since: since });
      return view;
    };
    const { show } = await open(idle("untried", "2026-03-02T16:42:11Z"), { page: "set-up" });
    expect(screen.getByText("Waiting for the first claim…")).toBeTruthy();
    await show(idle("untried", "2026-03-02T16:42:10Z"));
    expect(screen.getByText("mac-mini-01 waits for tasks")).toBeTruthy();
    expect(screen.getByText(/nothing has been refused yet/)).toBeTruthy();
    expect(screen.queryByText(/has answered its first claim/)).toBeNull();
    expect(rail(/^First claim/).textContent).toContain("waiting");
    await show(idle("accepted", "2026-03-02T16:42:11Z"));
    expect(screen.getByText(/has answered its first claim/)).toBeTruthy();
    expect(rail(/^First claim/).textContent).toContain("works");
  });

  test("what is remembered and cannot be read is as nothing", async () => {
    localStorage.setItem("set-up", "{spoilt");
    await open(scene("no-runner"), { page: "set-up" });
    expect(step()).toBe("This machine");
  });
});

describe("of several, each its own", () => {
  const leave = async () => {
    await fireEvent.keyDown(document.body, { key: "1", ctrlKey: true });
    await settle();
  };
  const add = () => fireEvent.click(button("Add a runner"));
  const change = () => fireEvent.click(button("Change…: mac-mini-01"));
  const toSettings = async () => {
    place.go("settings");
    await settle();
  };

  test("a change that was left by another way is not what a new runner becomes", async () => {
    await open(scene("idle"), { page: "settings" });
    await change();
    await settle();
    await goOn();
    await write("Working directory", "/srv/ci");
    await leave();
    await toSettings();
    await add();
    await settle();
    expect(step()).toBe("This machine");
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Set up a runner");
    await toSettings();
    await change();
    await settle();
    expect(screen.getByLabelText<HTMLInputElement>("Working directory").value).toBe("/srv/ci");
  });

  test("a new runner that was left half way waits while another is changed, and over the window's closing each is what it was", async () => {
    keep("set-up", { step: "naming", name: "linux-02", resourceClass: "acme/linux" });
    await open(scene("idle"), { page: "settings" });
    await change();
    await settle();
    expect(step()).toBe("Token");
    await close_and_keep();
    await open(scene("idle"));
    expect(screen.getByRole("heading", { level: 1 }).textContent).toContain("mac-mini-01");
    await fireEvent.click(button("Leave without changing anything"));
    await settle();
    await add();
    await settle();
    expect(step()).toBe("Name and folder");
    expect(screen.getByLabelText<HTMLInputElement>("Runner’s name").value).toBe("linux-02");
  });
});

async function close_and_keep() {
  const left = { ...localStorage };
  await close();
  for (const [key, value] of Object.entries(left)) localStorage.setItem(key, value as string);
}

describe("a job user", () => {
  async function atStep(answers = {}) {
    keep("set-up", { step: "job-user", way: "keep", name: "mac-mini-01", resourceClass: "acme/macos" });
    const window = await open(scene("no-runner"), { page: "set-up", answers });
    await choose(/user of their own/);
    await write("User for jobs", "ci");
    return window;
  }

  test("what it protects and when it cannot be used is said", async () => {
    await atStep();
    expect(screen.getByText(/Keeps jobs away from your files, keychain/)).toBeTruthy();
    expect(screen.getByText(/cannot be used for iOS builds/)).toBeTruthy();
  });

  test("one that cannot be used yet comes with the admin's exact steps, and is checked again", async () => {
    const { made } = await atStep();
    await fireEvent.click(button("Check this user"));
    await settle();
    expect(made("check-job-user")).toEqual([{ call: "check-job-user", user: "ci" }]);
    const steps = screen.getByRole("region", { name: "What an admin does once" });
    expect(steps.textContent).toContain("sudo useradd --create-home --shell /bin/bash ci");
    expect(steps.textContent).toContain("ada ALL=(ci) NOPASSWD: ALL");
    await fireEvent.click(button("Check again"));
    expect(made("check-job-user")).toHaveLength(2);
  });

  test("one that works is told so, and what was found of another name says nothing of it", async () => {
    await atStep({ "check-job-user": "check-job-user-usable" });
    await fireEvent.click(button("Check this user"));
    await settle();
    expect(screen.getByText(/this user can be used/)).toBeTruthy();
    await write("User for jobs", "other");
    expect(screen.queryByText(/this user can be used/)).toBeNull();
  });

  test("goes along with the set-up", async () => {
    const { made } = await atStep();
    await goOn();
    await fireEvent.click(button("Install and start"));
    await settle();
    expect(made("set-up")[0]?.config.job_user).toBe("ci");
  });
});

describe("a fault", () => {
  test("in the last step stops there, says why, and the verb tries again from the start", async () => {
    let fails = true;
    const refused = { code: "token-not-stored", title: "There is no keychain.", hint: "Log in to a desktop." };
    const { made } = await open(scene("no-runner"), {
      page: "set-up",
      answers: { "set-up": () => (fails ? { refused } : { ok: { did: [], needs_token: false } }) },
    });
    await fillIn();
    await fireEvent.click(button("Install and start"));
    await settle();
    expect(step()).toBe("Install");
    expect(screen.getByRole("alert").textContent).toContain("There is no keychain.");
    expect(made("set-login")).toEqual([]);
    fails = false;
    await fireEvent.click(button("Keep the token in a file that only you can read"));
    await settle();
    expect(made("set-up").at(-1)).toMatchObject({ config: { token_store: "file" }, token: "not-a-real-token" });
    expect(made("set-login")).toHaveLength(1);
  });

  test("a machine that cannot start it at login is set up all the same", async () => {
    const refused = { code: "failed", title: "systemd does not answer.", hint: "Later." };
    await open(scene("no-runner"), { page: "set-up", answers: { "set-login": () => ({ refused }) } });
    await fillIn();
    await fireEvent.click(button("Install and start"));
    await settle();
    expect(step()).toBe("First claim");
  });

  test("a refused token is told at the first claim, and leads back to the token", async () => {
    keep("set-up", { step: "claim", way: "keep", name: "mac-mini-01", resourceClass: "acme/macos" });
    await open(scene("problem"), { page: "set-up" });
    expect(screen.getByText("mac-mini-01 needs you")).toBeTruthy();
    await fireEvent.click(button("Give another token"));
    await settle();
    expect(step()).toBe("Token");
    expect(document.activeElement).toBe(screen.getByRole("heading", { level: 2, name: "Token" }));
  });

  test("another place of releases is chosen in a field that is folded away otherwise", async () => {
    const view = scene("idle");
    for (const runner of runnersOf(view)) {
      runner.problems = [{ code: "release-not-offered", summary: "There is none.", hint: "Another place.", since: "2026-03-02T16:41:00Z" }];
      runner.state = "problem";
    }
    keep("set-up", { step: "claim", way: "keep", name: "mac-mini-01", resourceClass: "acme/macos" });
    await open(view, { page: "set-up" });
    await fireEvent.click(button("Choose another place of releases"));
    await settle();
    expect(document.activeElement).toBe(screen.getByRole("heading", { level: 2, name: "Name and folder" }));
    const server = () => document.querySelector("details");
    expect(server()?.open).toBe(true);
    await write("Folder of the agent’s releases", "https://mirror.example");
    await write("Folder of the agent’s releases", "");
    expect(server()?.open).toBe(true);
    await fireEvent.click(button("Back"));
    await settle();
    await goOn();
    expect(server()?.open).toBe(false);
  });

  test("a download is shown with its bytes, and is tried again where it stands still", async () => {
    const view = scene("updating");
    const [runner] = runnersOf(view);
    keep("set-up", { step: "install", way: "keep", name: runner?.name, resourceClass: "acme/macos", atLogin: false });
    const { made, show } = await open(view, { page: "set-up" });
    await fireEvent.click(button("Install and start"));
    await settle();
    await fireEvent.click(rail(/^Install/));
    await settle();
    expect(screen.getByRole("progressbar", { name: "CircleCI’s agent" })).toBeTruthy();
    expect(screen.getByText(/12 MB of 42 MB/)).toBeTruthy();
    const stopped = structuredClone(view);
    const one = runnersOf(stopped)[0];
    if (one) {
      one.install = null;
      one.state = "problem";
      one.problems = [
        { code: "releases-unreachable", summary: "The server does not answer.", hint: "Check the network.", since: "2026-03-02T16:41:00Z" },
      ];
    }
    await show(stopped);
    await settle();
    await fireEvent.click(button("Try the download again"));
    expect(made("install")).toEqual([{ call: "install", runner: one?.name }]);
  });

  test("while a download goes on nothing is read out but that it begins, why it waits, and that it is there", async () => {
    const told = () => [...document.querySelectorAll("[aria-live], [role=status], [role=log], [role=alert]")].map((it) => it.textContent);
    const later = (view: View, change: (runner: Runner) => void) => {
      const next = structuredClone(view);
      for (const runner of runnersOf(next)) change(runner);
      return next;
    };
    const more = (runner: Runner) => runner.install && (runner.install.received += 9_000_000);
    const view = scene("updating");
    keep("set-up", { step: "install", way: "keep", name: "mac-mini-01", resourceClass: "acme/macos", atLogin: false });
    const { show } = await open(view, { page: "set-up" });
    await fireEvent.click(button("Install and start"));
    await settle();
    for (const at of ["First claim", "Install"]) {
      await show(view);
      if (at === "Install") await fireEvent.click(rail(/^Install/));
      await settle();
      expect(step()).toBe(at);
      const before = told();
      expect(before).not.toEqual([]);
      expect(screen.getByText(/12 MB of 42 MB/)).toBeTruthy();
      await show(later(view, more));
      expect(screen.getByText(/21 MB of 42 MB/)).toBeTruthy();
      expect(told()).toEqual(before);
    }
    expect(told()).toContain("Downloading…");
    await show(later(view, ({ install }) => install && (install.waits = { why: "Tried again in a minute.", until: "2026-03-02T16:43:12Z" })));
    expect(told()).toContain("Tried again in a minute.");
    await show(later(view, (runner) => Object.assign(runner, { install: null, agent_version: "1.1.1" })));
    expect(told()).toContain("1.1.1, downloaded and its check passed");
    await close();
    const again = await open(view);
    const before = told();
    await again.show(later(view, more));
    expect(screen.getByText(/21 MB of 42 MB/)).toBeTruthy();
    expect(told()).toEqual(before);
  });

  test("a token that is given in place of a refused one is stored by the same verb", async () => {
    const { made, show } = await open(scene("no-runner"), { page: "set-up" });
    await fillIn();
    await fireEvent.click(button("Install and start"));
    await settle();
    const refused = scene("idle");
    const [runner] = runnersOf(refused);
    if (runner) {
      runner.problems = [{ code: "token-refused", summary: "CircleCI refuses it.", hint: "Give another.", since: "2026-03-02T16:41:00Z" }];
    }
    await show(refused);
    await settle();
    await fireEvent.click(button("Give another token"));
    await settle();
    await write("Resource class token", "not-a-real-other-token");
    await goOn();
    await goOn();
    await goOn();
    await fireEvent.click(button("Install and start"));
    await settle();
    expect(made("set-up").map(({ token }) => token)).toEqual(["not-a-real-token", "not-a-real-other-token"]);
  });

  test("without a supervisor one is started first", async () => {
    const { asked } = await open(scene("absent"), { page: "set-up" });
    await fillIn();
    await fireEvent.click(button("Install and start"));
    await settle();
    expect(asked).toEqual([{ do: "start-supervisor" }]);
  });

  test("a supervisor that does not start is not said to run, and nothing is asked of it", async () => {
    const refused = { code: "supervisor-absent", title: "The supervisor is not running.", hint: "Start the supervisor, then try again." };
    let isThere = false;
    const { made } = await open(scene("absent"), {
      page: "set-up",
      answers: { agents: () => (isThere ? { ok: [] } : { refused }) },
    });
    await fillIn();
    await fireEvent.click(button("Install and start"));
    await settle();
    expect(step()).toBe("Install");
    expect(screen.getByRole("alert").textContent).toContain("The supervisor is not running.");
    expect(screen.getByRole("list", { name: "Progress" }).textContent).not.toContain("Supervisor runs");
    expect(made("set-up")).toEqual([]);
    isThere = true;
    await fireEvent.click(screen.getAllByRole("button", { name: "Try again" })[0] as HTMLElement);
    await settle();
    expect(made("set-up")).toHaveLength(1);
  });

  test("on a Mac its owner is asked about notifications, and a no hinders nothing", async () => {
    document.documentElement.classList.add("mac");
    const no = () => ({ ok: { allowed: false } });
    const { made, show } = await open(scene("no-runner"), { page: "set-up", answers: { "allow-notifications": no } });
    await fillIn();
    await fireEvent.click(button("Install and start"));
    await settle();
    document.documentElement.classList.remove("mac");
    expect(made("allow-notifications")).toHaveLength(1);
    expect(made("set-up")).toHaveLength(1);
    await show(scene("idle"));
    await fireEvent.click(rail(/^Install/));
    await settle();
    expect(screen.getByText(/^They may not be shown\. To be told of problems, switch them on/)).toBeTruthy();
  });

  test("elsewhere nobody is asked", async () => {
    const { made } = await open(scene("no-runner"), { page: "set-up" });
    await fillIn();
    await fireEvent.click(button("Install and start"));
    await settle();
    expect(made("allow-notifications")).toEqual([]);
  });

  // Of a task that ran: no set-up runs into them, or only waiting helps.
  const OTHERS = [
    "drain-unconfirmed", "drain-ignored", "agent-unattended", "history-unavailable", "run-unreadable",
    "task-unrecorded", "task-lost", "other",
  ];
  const codes = /type ProblemCode = ([^;]+);/.exec(protocol)?.[1]?.match(/[a-z-]+(?=")/g) ?? [];

  test("of every problem that there is", () => expect(codes).toEqual(expect.arrayContaining(["token-refused", ...OTHERS])));
  test.each(codes.filter((it) => !OTHERS.includes(it)))("%s has a way out", (code) => expect(waysOut(code)).not.toEqual([]));
  test.each([
    "token-not-stored", "not-visible-there", "not-allowed-there", "class-exists", "organisation-needed", "personal-token-refused",
    "supervisor-absent",
  ])("%s, a refusal, has a way out", (code) => expect(waysOut(code)).not.toEqual([]));
});

describe("run again it edits", () => {
  test("what is not touched stays: no token, no folder, no store", async () => {
    const { made } = await open(scene("idle"), { page: "settings" });
    await fireEvent.click(button("Change…: mac-mini-01"));
    await settle();
    await goOn();
    expect(screen.getByLabelText<HTMLInputElement>("Runner’s name").readOnly).toBe(true);
    await write("Working directory", "/srv/ci");
    await goOn();
    await goOn();
    await fireEvent.click(button("Change mac-mini-01"));
    await settle();
    expect(made("set-up")).toEqual([
      { call: "set-up", runner: "mac-mini-01", config: { resource_class: "acme/macos", working_directory: "/srv/ci" } },
    ]);
    expect(made("set-login")).toEqual([]);
  });

  test("a job user is taken away, a token's place and another server are shown and kept", async () => {
    const view = scene("idle");
    const [runner] = runnersOf(view);
    if (!runner) throw new Error("a runner");
    runner.boundary = { kind: "job-user", user: "ci", meaning: "" };
    runner.api_url = "https://ci.acme.example";
    runner.token_store = "file";
    const { made } = await open(view, { page: "settings" });
    await fireEvent.click(button("Change…: mac-mini-01"));
    await settle();
    await goOn();
    expect(screen.getByLabelText<HTMLInputElement>("CircleCI’s address").value).toBe("https://ci.acme.example");
    await goOn();
    await choose("Jobs run as you");
    expect(screen.getByText(/^Its jobs run as ci now\./)).toBeTruthy();
    await goOn();
    await fireEvent.click(button("Change mac-mini-01"));
    await settle();
    const config = { resource_class: "acme/macos", api_url: "https://ci.acme.example", job_user: null };
    expect(made("set-up")).toEqual([{ call: "set-up", runner: "mac-mini-01", config }]);
  });

  test("a server that is taken away is CircleCI's cloud", async () => {
    const view = scene("idle");
    const [runner] = runnersOf(view);
    if (runner) runner.api_url = "https://ci.acme.example";
    const { made } = await open(view, { page: "settings" });
    await fireEvent.click(button("Change…: mac-mini-01"));
    await settle();
    await goOn();
    await write("CircleCI’s address", "");
    await goOn();
    await goOn();
    await fireEvent.click(button("Change mac-mini-01"));
    await settle();
    expect(made("set-up")[0]?.config.api_url).toBe("https://runner.circleci.com");
  });

  test("leaving it changes nothing and leaves nothing behind", async () => {
    const { calls } = await open(scene("idle"), { page: "settings" });
    await fireEvent.click(button("Change…: mac-mini-01"));
    await settle();
    await fireEvent.click(button("Leave without changing anything"));
    await settle();
    expect(calls.filter((it) => CHANGES.includes(it.call))).toEqual([]);
    expect(kept("set-up")).toBeUndefined();
  });
});

describe("what jobs need", () => {
  const atTools = async (view: View, answers = {}) => {
    const window = await open(view, { page: "set-up", answers });
    await goOn();
    return window;
  };

  test("is looked at by itself, and nobody has to install anything", async () => {
    const { made, calls } = await atTools(scene("no-runner"));
    expect(step()).toBe("What jobs need");
    expect(made("check-preinstall")).toEqual([{ call: "check-preinstall", items: [], presets: ["essentials"], upgrade: false }]);
    expect(screen.getByText("3 of the CircleCI essentials are missing")).toBeTruthy();
    expect(screen.getByRole("list", { name: "3 missing" }).textContent).toContain("jq is in no folder of the PATH of jobs");
    expect(calls.filter((it) => it.call === "plan-preinstall" || it.call === "start-preinstall")).toEqual([]);
    await goOn();
    expect(step()).toBe("Token");
    expect(rail(/^What jobs need/).textContent).toContain("3 missing");
  });

  test("is planned and installed there by whoever wants that", async () => {
    const { made, show } = await atTools(scene("no-runner"));
    await fireEvent.click(button("What would be installed?"));
    await settle();
    expect(screen.getByText("brew install --formula git-lfs jq")).toBeTruthy();
    expect(made("start-preinstall")).toEqual([]);
    await fireEvent.click(button("Install 4 items, 20 MB"));
    await settle();
    expect(made("start-preinstall")).toEqual([{ call: "start-preinstall", plan: "1772469730000-1" }]);
    await show(scene("installing"));
    expect(screen.getByRole("group", { name: "Installing" }).textContent).toContain("Step 1 of 3");
    await show(scene("installed"));
    expect(screen.getByRole("region", { name: "What came of it" }).textContent).toContain("npm error code E404");
    expect(button("Go on").getAttribute("aria-disabled")).toBe("false");
  });

  test("that is all there leads on", async () => {
    await atTools(scene("no-runner"), { "check-preinstall": "check-preinstall-ready" });
    expect(screen.getByText("Jobs can run here")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "What would be installed?" })).toBeNull();
  });

  test("waits for a supervisor and holds nobody up", async () => {
    const { made, show } = await atTools(scene("absent"));
    expect(screen.getByText(/^This can be looked at once the supervisor runs/)).toBeTruthy();
    expect(made("check-preinstall")).toEqual([]);
    await show(scene("no-runner"));
    await settle();
    expect(made("check-preinstall")).toHaveLength(1);
    await goOn();
    expect(step()).toBe("Token");
  });
});
