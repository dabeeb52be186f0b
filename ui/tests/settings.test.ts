import { fireEvent, screen, within } from "@testing-library/svelte";
import { afterEach, describe, expect, test } from "vitest";
import { scene } from "../harness/scenes";
import { close, open, settle } from "./window";

afterEach(close);

const button = (name: RegExp | string) => screen.getByRole("button", { name });
const box = (name: RegExp | string) => screen.getByRole<HTMLInputElement>("checkbox", { name });

async function token(answers = {}) {
  const window = await open(scene("idle"), { page: "settings", answers });
  await fireEvent.click(button("Token…: mac-mini-01"));
  return window;
}

test("each runner says what it works for, as whom, and what CircleCI makes of its token", async () => {
  await open(scene("several-with-a-problem"), { page: "settings" });
  const runners = within(screen.getByRole("list", { name: "Runners" })).getAllByRole("listitem");
  expect(runners).toHaveLength(3);
  expect(runners.some((it) => it.textContent?.includes("CircleCI refuses its token"))).toBe(true);
});

describe("a token", () => {
  test("is replaced with one call, and the field is empty afterwards", async () => {
    const { made } = await token();
    const field = screen.getByLabelText<HTMLInputElement>("New resource class token");
    expect(field.type).toBe("password");
    await fireEvent.input(field, { target: { value: " not-a-real-token\n" } });
    await fireEvent.click(button(/^Use this token/));
    await settle();
    expect(made("set-token")).toEqual([{ call: "set-token", runner: "mac-mini-01", token: "not-a-real-token" }]);
    expect(field.value).toBe("");
    expect(document.body.textContent).not.toContain("not-a-real-token");
    expect(JSON.stringify(localStorage)).not.toContain("not-a-real-token");
  });

  test("is not sent while it is none", async () => {
    const { made } = await token();
    await fireEvent.click(button(/^Use this token/));
    await fireEvent.input(screen.getByLabelText("New resource class token"), { target: { value: "two words" } });
    await fireEvent.click(button(/^Use this token/));
    expect(made("set-token")).toEqual([]);
  });

  test("is rotated with a personal token that is forgotten, and waits for the new agent's claim", async () => {
    const rotation = { begun_at: "2026-03-02T16:42:00Z", nickname: "n", old: ["1"], new: "2" };
    let asked = 0;
    const { made } = await token({
      rotate: () => ({ ok: { rotation: { ...rotation, step: asked++ === 0 ? "prove" : "done" }, did: ["Made."] } }),
      rotation: () => ({ ok: { ...rotation, step: "delete" } }),
    });
    const personal = screen.getByLabelText<HTMLInputElement>("Personal API token");
    await fireEvent.input(personal, { target: { value: "not-a-real-personal-token" } });
    await fireEvent.click(button(/^Make a new token and delete the old one/));
    await settle();
    expect(made("rotate")).toHaveLength(2);
    expect(made("rotation")).toEqual([{ call: "rotation", runner: "mac-mini-01", wait: true }]);
    expect(personal.value).toBe("");
    expect(screen.getByText("Replaced: Made.")).toBeTruthy();
  });

  test("a rotation that stands still is not asked for again and again", async () => {
    const rotation = { begun_at: "2026-03-02T16:42:00Z", nickname: "n", old: [], new: null, step: "swap" };
    const { made } = await token({ rotate: () => ({ ok: { rotation, did: [] } }) });
    await fireEvent.input(screen.getByLabelText("Personal API token"), { target: { value: "not-a-real-personal-token" } });
    await fireEvent.click(button(/^Make a new token/));
    await settle();
    expect(made("rotate").length).toBeLessThanOrEqual(2);
  });

  test("of the class are listed, and one that is deleted is named with whom it stops", async () => {
    const { made } = await token();
    await fireEvent.input(screen.getByLabelText("Personal API token"), { target: { value: "not-a-real-personal-token" } });
    await fireEvent.click(button("List the tokens of acme/macos"));
    await settle();
    const rows = within(screen.getByRole("list", { name: "Tokens of acme/macos at CircleCI" })).getAllByRole("listitem");
    expect(within(rows[0] as HTMLElement).queryByRole("button")).toBeNull();
    await fireEvent.click(within(rows[1] as HTMLElement).getByRole("button", { name: "Delete…" }));
    expect(made("delete-token")).toEqual([]);
    await fireEvent.click(button("Delete default; every machine that uses it claims no more tasks"));
    await settle();
    expect(made("delete-token")[0]).toMatchObject({ resource_class: "acme/macos", id: "77aa01bc" });
    expect(made("list-tokens")).toHaveLength(2);
  });

  test("is moved and forgotten", async () => {
    const { made } = await token();
    expect(screen.getByText("It is kept in the keychain.")).toBeTruthy();
    expect(screen.queryByRole("button", { name: /^Move it to the keychain/ })).toBeNull();
    await fireEvent.click(button(/^Move it to a file/));
    await settle();
    expect(made("move-token")).toEqual([{ call: "move-token", runner: "mac-mini-01", to: "file" }]);
    await fireEvent.click(button("Forget the token of mac-mini-01; no agent can start without it"));
    await settle();
    expect(made("forget-token")).toHaveLength(1);
    expect(screen.getByText(/^Forgotten/)).toBeTruthy();
  });
});

describe("a runner is removed", () => {
  test("by a button that names it and what goes with it", async () => {
    const { made } = await open(scene("idle"), { page: "settings" });
    await fireEvent.click(button("Remove…: mac-mini-01"));
    expect(made("remove")).toEqual([]);
    await fireEvent.click(button("Remove mac-mini-01 and forget its token"));
    expect(made("remove")).toEqual([{ call: "remove", runner: "mac-mini-01" }]);
  });

  test("not while it runs a task", async () => {
    const { made } = await open(scene("busy"), { page: "settings" });
    await fireEvent.click(button("Remove…: mac-mini-01"));
    await fireEvent.click(button(/^Remove mac-mini-01/));
    expect(made("remove")).toEqual([]);
    expect(screen.getByText(/Pause it, and remove it when the task has ended/)).toBeTruthy();
  });

  test("a refusal is shown where it was asked for", async () => {
    await open(scene("idle"), { page: "settings", answers: { remove: "remove-busy" } });
    await fireEvent.click(button("Remove…: mac-mini-01"));
    await fireEvent.click(button(/^Remove mac-mini-01/));
    await settle();
    expect(screen.getByRole("alert").textContent).toContain("runs a task, so it is not removed");
  });
});

describe("a switch", () => {
  test("that keeps the machine awake says why it may sleep all the same", async () => {
    const { show } = await open(scene("not-awake"), { page: "settings" });
    const why = "This machine may go to sleep in mid-task: The battery is at 22 %, below your limit of 30 %.";
    expect(screen.getByText(why)).toBeTruthy();
    const told = box("Keep this machine awake").getAttribute("aria-describedby")?.split(" ") ?? [];
    expect(told.map((id) => document.getElementById(id)?.textContent?.trim())).toContain(why);
    const view = scene("not-awake");
    if (view.supervisor.kind === "live" && view.supervisor.snapshot.preferences) view.supervisor.snapshot.preferences.keep_awake.on = false;
    await show(view);
    expect(screen.queryByText(/may go to sleep in mid-task/)).toBeNull();
    await show(scene("busy"));
    expect(screen.queryByText(/may go to sleep in mid-task/)).toBeNull();
  });

  test("asks for its own change alone", async () => {
    const { made } = await open(scene("idle"), { page: "settings" });
    await fireEvent.click(box("Keep this machine awake"));
    await fireEvent.click(box("Every task that has ended"));
    await fireEvent.change(screen.getByLabelText("but not on battery below"), { target: { value: "20" } });
    expect(made("set-preferences").map((it) => it.change)).toEqual([
      { keep_awake: { on: false } },
      { notifications: { tasks: true } },
      { keep_awake: { battery_floor_percent: 20 } },
    ]);
  });

  test("shows what is so where the wish was refused", async () => {
    const refused = { code: "cannot-save", title: "This could not be written.", hint: "Free some space." };
    await open(scene("idle"), { page: "settings", answers: { "set-preferences": () => ({ refused }) } });
    await fireEvent.click(box("Keep this machine awake"));
    await settle();
    expect(box("Keep this machine awake").checked).toBe(true);
    expect(screen.getByRole("alert").textContent).toContain("could not be written");
  });

  test("a battery limit that is none is not asked for", async () => {
    const { made } = await open(scene("idle"), { page: "settings" });
    const field = screen.getByLabelText<HTMLInputElement>("but not on battery below");
    await fireEvent.change(field, { target: { value: "400" } });
    expect([made("set-preferences"), field.value]).toEqual([[], "30"]);
  });

  test("what starts at login is asked of the machine and switched", async () => {
    const { made } = await open(scene("idle"), { page: "settings" });
    expect([box(/^Runners, also/).checked, box("The tray icon").checked]).toEqual([true, false]);
    await fireEvent.click(box("The tray icon"));
    expect(made("set-login")).toEqual([{ call: "set-login", app: true }]);
  });

  test("without a login service that is said", async () => {
    await open(scene("idle"), { page: "settings", answers: { login: "login-none" } });
    expect(box(/^Runners, also/).disabled).toBe(true);
    expect(screen.getByText(/no login service here/)).toBeTruthy();
  });
});

test("the agent's versions and their users are listed", async () => {
  await open(scene("idle"), { page: "settings" });
  const rows = within(screen.getByRole("region", { name: "Agent" })).getAllByRole("row");
  expect(rows.map((it) => it.textContent)).toEqual(["VersionUsed by", "1.1.1-7fd2a3cmac-mini-01", "1.1.0-31a95f0nobody"]);
});

test("a runner is changed in the wizard, with what it is already", async () => {
  await open(scene("several"), { page: "settings" });
  const change = screen.getAllByRole("button", { name: /^Change…/ });
  await fireEvent.click(change[1] as HTMLElement);
  await settle();
  expect(screen.getByRole("heading", { level: 1 }).textContent).toMatch(/^Change /);
  expect(screen.getByRole<HTMLInputElement>("radio", { name: "Keep the stored token" }).checked).toBe(true);
});
