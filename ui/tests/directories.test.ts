import { fireEvent, screen, within } from "@testing-library/svelte";
import { afterEach, describe, expect, test } from "vitest";
import type { View } from "../src/bridge";
import type { Snapshot } from "../src/generated/protocol";
import { given, replyOf } from "../harness/replies";
import { runnersOf, scene } from "../harness/scenes";
import { violations } from "./axe";
import { close, open, settle } from "./window";

afterEach(close);

const page = (view: View, answers = {}) => open(view, { page: "directories", answers });
const button = (name: RegExp | string) => screen.getByRole("button", { name });
const row = (name: RegExp) => {
  const found = within(screen.getByRole("list", { name: "Working directories" })).getAllByRole("listitem");
  return found.find((it) => name.test((it.textContent ?? "").trim())) as HTMLElement;
};
const choose = (name: string) => fireEvent.click(screen.getByRole("checkbox", { name }));
const heading = () => screen.getByRole("heading", { level: 1 }).textContent;

function changed(name: string, change: (snapshot: Snapshot) => void): View {
  const view = scene(name);
  if (view.supervisor.kind === "live") change(view.supervisor.snapshot);
  return view;
}

test("the page says first what is on the disk because of tasks, and how full that is", async () => {
  const { made } = await page(scene("busy"));
  expect(heading()).toBe("12 GB on this disk, in 5 working directories");
  expect(screen.getByRole("img", { name: "61 GB free of 256 GB" })).toBeTruthy();
  expect(screen.getByText("Below 10 GB no task is claimed.")).toBeTruthy();
  // What is known is there at once; what is not is measured then.
  expect(made("work-dirs")).toEqual([{ call: "work-dirs" }, { call: "work-dirs", measure: true }]);
});

test("each says whose it was, its size, its age and who uses it; what cannot go says why", async () => {
  await page(scene("busy"));
  const build = row(/^web-app \/ build/);
  expect(build.textContent).toContain("Kept of an earlier task");
  expect(build.textContent).toContain("6.4 GB");
  expect(within(build).getByText("16:58").getAttribute("datetime")).toBe("2026-03-02T15:58:00Z");
  expect(within(build).getByTitle("6,412,345,678 bytes in 182,400 files")).toBeTruthy();
  const used = row(/In use by web-app \/ build/);
  const box = within(used).getByRole<HTMLInputElement>("checkbox");
  expect([box.disabled, box.title]).toEqual([true, "A task works in it."]);
  expect(row(/^ios/).textContent).toContain("Never deleted");
});

test("what is left says whose it was, and can go by hand or with an admin's command", async () => {
  await page(scene("idle"), { "work-dirs": "work-dirs-left" });
  const old = row(/Left by old-mini; no runner works here any more/);
  expect(within(old).getByRole<HTMLInputElement>("checkbox").disabled).toBe(false);
  const earlier = row(/^jobs\.1/);
  expect(within(earlier).getByRole<HTMLInputElement>("checkbox").disabled).toBe(true);
  expect(earlier.querySelector("code")?.textContent).toMatch(/^sudo rm -rf -- '.*\/jobs\.1'$/);
});

test("while it measures it says so with bytes, and it can be ended", async () => {
  const { made } = await page(scene("measuring"));
  const progress = screen.getByRole("group", { name: "Measuring" });
  expect(progress.textContent).toContain("3.9 GB, 81,204 entries");
  await fireEvent.click(within(progress).getByRole("button", { name: /^Cancel/ }));
  expect(made("stop-cleanup")).toHaveLength(1);
});

test("sizes that are not known are no part of the answer, and it says so", async () => {
  await page(scene("idle"), { "work-dirs": "work-dirs-unmeasured" });
  expect(heading()).toBe("5 working directories, not measured yet");
  await close();
  const some = given("work-dirs");
  delete some.directories[0]?.size;
  await page(scene("idle"), { "work-dirs": () => ({ ok: some }) });
  expect(heading()).toBe("At least 6.1 GB, in 5 working directories");
});

test("one is opened by the app, which knows the path", async () => {
  const { asked } = await page(scene("idle"));
  await fireEvent.click(button("Open: web-app / build"));
  expect(asked).toEqual([{ do: "open-directory", directory: "mac-mini-01/20260302T070000Z-1.80" }]);
});

test("a mark keeps one from every clean-up, and can be taken away", async () => {
  const { made } = await page(scene("idle"));
  await fireEvent.click(button("Never delete: web-app / build"));
  await settle();
  await fireEvent.click(button("May be deleted: ios / archive"));
  await settle();
  expect(made("never-delete").map((it) => [it.id, it.never_delete])).toEqual([
    ["mac-mini-01/20260302T070000Z-1.80", true],
    ["mac-mini-01/20260302T070000Z-1.79", false],
  ]);
  expect(made("work-dirs").length).toBeGreaterThan(2);
});

test("a mark that is refused says so beside its directory", async () => {
  const refused = { code: "no-such-directory", title: "There is no such working directory.", hint: "Look again." };
  await page(scene("idle"), { "never-delete": () => ({ refused }) });
  await fireEvent.click(button("Never delete: web-app / build"));
  await settle();
  expect(within(row(/^web-app/)).getByRole("alert").textContent).toContain("There is no such working directory.");
});

describe("deleting", () => {
  const answers = { "clean-up": "clean-up-directories", "cleanup-receipts": "cleanup-receipts-undo" };

  test("names how many and how much on its button, and is done with one click", async () => {
    const { made } = await page(scene("idle"), answers);
    expect(screen.queryByRole("button", { name: /^Delete/ })).toBeNull();
    await choose("Choose web-app / build");
    await choose("Choose api / integration");
    await fireEvent.click(button("Delete 2 directories, 7.2 GB"));
    await settle();
    expect(made("plan-cleanup")).toEqual([
      { call: "plan-cleanup", directories: ["mac-mini-01/20260302T070000Z-1.80", "mac-mini-01/20260302T070000Z-1.81"] },
    ]);
    expect(made("clean-up")).toEqual([{ call: "clean-up", plan: "1772469720-4" }]);
  });

  test("is taken back for ten minutes, then it cannot be", async () => {
    const { made, show } = await page(scene("idle"), answers);
    const back = screen.getByRole("list", { name: "What can be put back" });
    expect(back.textContent).toContain("Working directories: 7.2 GB");
    expect(back.textContent).toContain("in 10 min");
    await fireEvent.click(within(back).getByRole("button", { name: /^Put it back/ }));
    await settle();
    expect(made("undo-cleanup")).toEqual([{ call: "undo-cleanup", receipt: 15 }]);
    expect(screen.getByText("2 entries are back.")).toBeTruthy();
    await close();
    const old = given("cleanup-receipts-undo" as "cleanup-receipts");
    for (const it of old.receipts) if (it.undo_until) it.undo_until = "2026-03-02T16:42:00Z";
    await page(scene("idle"), { ...answers, "cleanup-receipts": () => ({ ok: old }) });
    expect(screen.queryByRole("list", { name: "What can be put back" })).toBeNull();
    void show;
  });

  test("says where it cannot be taken back", async () => {
    await page(scene("low-disk"), answers);
    await choose("Choose web-app / build");
    expect(screen.getByText("The disk is nearly full, so it goes at once and cannot be put back.")).toBeTruthy();
  });

  test("all that can go are chosen at once, and nothing that cannot", async () => {
    await page(scene("idle"), answers);
    await choose("All that can go");
    expect(button("Delete 3 directories, 7.2 GB")).toBeTruthy();
  });

  test("what is refused, and what went nowhere, is said", async () => {
    await page(scene("idle"), { ...answers, "plan-cleanup": "plan-cleanup-refused" });
    await choose("Choose web-app / build");
    await fireEvent.click(button(/^Delete 1 directory/));
    await settle();
    expect(screen.getByRole("alert").textContent).toContain("A task of mac-mini-01 works in mac-mini-01.");
    await close();
    await page(scene("idle"), { ...answers, "clean-up": "clean-up-nothing" });
    await choose("Choose web-app / build");
    await fireEvent.click(button(/^Delete 1 directory/));
    await settle();
    expect(screen.getByText(/^Nothing was deleted/)).toBeTruthy();
  });

  test("that was ended by its owner is no error", async () => {
    const broken = { code: "failed", title: "It broke off.", hint: "Try again." };
    let answer: (reply: unknown) => void = () => {};
    const { show } = await page(scene("idle"), {
      ...answers,
      "plan-cleanup": () => new Promise((done) => (answer = done)),
    });
    await choose("Choose web-app / build");
    await fireEvent.click(button(/^Delete 1 directory/));
    await show(scene("measuring"));
    await fireEvent.click(button(/^Cancel/));
    answer({ refused: broken });
    await settle();
    expect(screen.queryByRole("alert")).toBeNull();
  });
});

test("several runners are told apart, and one alone can be looked at", async () => {
  const { made } = await page(scene("several"));
  expect(row(/^web-app \/ build/).textContent).toContain("mac-mini-01");
  await fireEvent.change(screen.getByRole("combobox", { name: "Runner" }), { target: { value: "mac-mini-01" } });
  await settle();
  expect(made("work-dirs").at(-1)).toEqual({ call: "work-dirs", runner: "mac-mini-01", measure: true });
});

test("what the supervisor tells of them later is looked at, and what did not change is not", async () => {
  const { made, show } = await page(scene("idle"));
  const before = made("work-dirs").length;
  await show(changed("idle", (it) => (it.revision += 1)));
  await settle();
  expect(made("work-dirs")).toHaveLength(before);
  await show(changed("idle", (it) => it.work_dirs?.pop()));
  await settle();
  expect(made("work-dirs")).toHaveLength(before + 1);
});

test("where nothing is, it says what will appear", async () => {
  await page(scene("idle"), { "work-dirs": "work-dirs-empty" });
  expect(heading()).toBe("Nothing is on this disk because of tasks");
  expect(screen.getByText(/appear here once a task has run/)).toBeTruthy();
});

test("why they cannot be looked at is said, with the way out", async () => {
  await page(scene("idle"), { "work-dirs": "work-dirs-refused" });
  expect(screen.getByRole("alert").textContent).toContain("Mend settings.toml");
});

test("whatever a job calls its folders is text, and every state is accessible", async () => {
  await page(scene("hostile"), { "work-dirs": "work-dirs-hostile" });
  expect(document.querySelectorAll("main img, main script, main a")).toHaveLength(0);
  expect(document.body.textContent).toContain("<img src=x onerror=alert(1)>");
  await violations().then((found) => expect(found).toEqual([]));
});

test.each(["measuring", "low-disk", "cleaning"])("the scene %s has no accessibility violation", async (name) => {
  await page(scene(name), { "cleanup-receipts": "cleanup-receipts-undo" });
  if (name === "low-disk") await choose("All that can go");
  expect(await violations()).toEqual([]);
  void [replyOf, runnersOf];
});
