/** A token goes from the field it is written in to one call, and nowhere else: not onto the screen, not to the clipboard. */
import { fireEvent, screen } from "@testing-library/svelte";
import { afterEach, describe, expect, test, vi } from "vitest";
import { keep } from "../src/kept";
import { STEPS } from "../src/setup/steps";
import { scene } from "../harness/scenes";
import { close, open, settle } from "./window";

afterEach(async () => {
  vi.unstubAllGlobals();
  await close();
});

const CHOSEN = { name: "mac-mini-01", resourceClass: "acme/macos", namespace: "acme", ownUser: true, jobUser: "ci" };

/** Everything that can be written into, unfolded first. */
function fields(): HTMLInputElement[] {
  for (const details of document.querySelectorAll("details")) details.open = true;
  const written = "input:not([type=radio], [type=checkbox], [type=number], [type=search]), textarea";
  return [...document.querySelectorAll<HTMLInputElement>(written)];
}
const label = (field: HTMLInputElement) => field.labels?.[0]?.textContent?.trim() ?? "";
const secret = (field: HTMLInputElement) => field.type === "password";
const ofTokens = (all: HTMLInputElement[]) => all.filter((it) => /token|password|secret/i.test(label(it)));

describe("a field for a token does not show it", () => {
  test.each(
    STEPS.flatMap(({ step }) => ["token", "personal", "keep"].map((way): [string, string] => [step, way])),
  )("in the step %s by %s", async (step, way) => {
    keep("set-up", { ...CHOSEN, step, way });
    await open(scene("problem"), { page: "set-up" });
    const all = fields();
    expect(ofTokens(all).filter((it) => !secret(it)).map(label)).toEqual([]);
    const asked = step === "token" ? { token: ["Resource class token"], personal: ["Personal API token"], keep: [] }[way] : [];
    expect(all.filter(secret).map(label)).toEqual(asked);
  });

  test("in the settings", async () => {
    await open(scene("several"), { page: "settings" });
    for (const opener of screen.getAllByRole("button", { name: /^Token…/ })) {
      await fireEvent.click(opener);
      expect(ofTokens(fields()).map((it) => [label(it), it.type])).toEqual([
        ["New resource class token", "password"],
        ["Personal API token", "password"],
      ]);
      await fireEvent.click(opener);
    }
  });
});

const sources = Object.entries(
  import.meta.glob<string>("../src/**/*.{svelte,ts}", { query: "?raw", import: "default", eager: true }),
).map(([path, source]): [string, string] => [path.replace("../src/", ""), source]);
const holding = (words: RegExp) => sources.filter(([, source]) => words.test(source)).map(([path]) => path);

describe("the token never reaches the clipboard by the app", () => {
  test("which writes to it in one place, called by those that copy what the app has made", () => {
    expect(holding(/clipboard|execCommand/)).toEqual(["parts/copying.ts"]);
    expect(holding(/copying"/).sort()).toEqual(["palette/commands.ts", "parts/Copyable.svelte"]);
    // Whoever shows lines to copy is none that holds a token.
    expect(holding(/<Copyable/).sort()).toEqual(["settings/Settings.svelte", "setup/JobUser.svelte", "setup/Pipeline.svelte"]);
  });

  test("whatever is copied after one was written in", async () => {
    const copied: string[] = [];
    const clipboard = { writeText: (text: string) => Promise.resolve(void copied.push(text)) };
    vi.stubGlobal("navigator", Object.assign(Object.create(navigator), { clipboard }));
    keep("set-up", { ...CHOSEN, step: "token", way: "token" });
    await open(scene("idle"), { page: "set-up" });
    const copyAll = async () => {
      for (const button of screen.queryAllByRole("button", { name: /^Copy/ })) await fireEvent.click(button);
      await settle();
    };
    const goOn = async () => {
      const [verb] = screen.getAllByRole("button", { name: /^(Go on|Install and start)$/ });
      await fireEvent.click(verb as HTMLElement);
      await settle();
    };
    await fireEvent.input(screen.getByLabelText("Resource class token"), { target: { value: "not-a-real-token" } });
    for (let step = 0; step < 5; step += 1) {
      await copyAll();
      await goOn();
    }
    expect(screen.getByRole("heading", { level: 2 }).textContent).toBe("Your pipeline");
    await copyAll();
    await fireEvent.keyDown(document.body, { key: "k", ctrlKey: true });
    await fireEvent.input(screen.getByRole("combobox"), { target: { value: "configuration" } });
    await fireEvent.keyDown(screen.getByRole("combobox"), { key: "Enter" });
    await settle();
    expect(copied.length).toBeGreaterThan(1);
    expect(copied.join("\n")).not.toContain("not-a-real-token");
  });
});
