/** Nothing a person reads is written into a page: in a language that marks every letter, unmarked words are data or a defect. */
import { fireEvent, screen } from "@testing-library/svelte";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { pseudo } from "../harness/pseudo";
import { recorded } from "../harness/replies";
import { keep } from "../src/kept";
import { texts, speak } from "../src/messages/say";
import { PAGES } from "../src/pages";
import { STEPS } from "../src/setup/steps";
import { scene, scenes } from "../harness/scenes";
import { close, open, settle } from "./window";

beforeAll(() => speak(pseudo));
afterAll(() => speak((english) => english));
afterEach(close);

/** Every text that comes from outside: scenes, replies, and what is the same in every language. */
const DATA = [
  JSON.stringify([scenes, recorded]).replaceAll("\\n", "\n").replaceAll('\\"', '"'),
  "runnerctl setup --resource-class acme/macos --name mac-mini-01 --token-stdin",
  "{n}",
].join("\n");

/** What stands on the page and is in no message: runs of plain letters that no data holds. */
function untranslated(): string[] {
  const read: string[] = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    if (node instanceof Element) {
      if (["STYLE", "SCRIPT"].includes(node.tagName)) continue;
      for (const name of ["aria-label", "placeholder", "title", "alt", "aria-description"]) {
        read.push(node.getAttribute(name) ?? "");
      }
    } else if (!node.parentElement?.closest("style, script")) {
      read.push(node.textContent ?? "");
    }
  }
  const runs = read.flatMap((text) => text.match(/[A-Za-z][A-Za-z ,.'-]*[A-Za-z]/g) ?? []);
  // Names in a row stand apart in the data.
  return [...new Set(runs)].filter((run) => run.split(", ").some((name) => !DATA.includes(name)));
}

describe("no text is hard-coded", () => {
  test.each(PAGES.flatMap(({ page }) => ["busy", "several-with-a-problem", "paused-twice", "absent", "no-runner", "after-task", "updating", "measuring"].map((name) => [page, name] as const)))(
    "on the page %s of %s",
    async (page, name) => {
      await open(scene(name), { page });
      for (const summary of document.querySelectorAll("summary")) summary.click();
      for (const opener of document.querySelectorAll<HTMLElement>("main [aria-expanded=false]")) await fireEvent.click(opener);
      await settle();
      expect(untranslated()).toEqual([]);
    },
  );

  test.each(STEPS.flatMap(({ step }) => ["token", "personal", "keep"].map((way) => [step, way] as const)))(
    "in the step %s by %s",
    async (step, way) => {
      keep("set-up", { step, way, name: "mac-mini-01", resourceClass: "acme/macos", namespace: "acme", ownUser: true, jobUser: "ci" });
      await open(scene("problem"), { page: "set-up" });
      for (const summary of document.querySelectorAll("summary")) summary.click();
      await settle();
      expect(untranslated()).toEqual([]);
    },
  );

  test("in a plan, its receipt and what can be put back", async () => {
    await open(scene("low-disk"), { page: "clean-up", answers: { "cleanup-receipts": "cleanup-receipts-undo" } });
    const press = async (at: string) => {
      await fireEvent.click(document.querySelector(at) as HTMLElement);
      await settle();
    };
    await press("main header button");
    for (const opener of document.querySelectorAll<HTMLElement>("main [aria-expanded=false]")) await fireEvent.click(opener);
    expect(untranslated()).toEqual([]);
    await press("main .act button");
    expect(untranslated()).toEqual([]);
    await press("main .panel li button");
    expect(untranslated()).toEqual([]);
  });

  test.each(["installing", "installing-waits", "installed", "looking"])("on the page preinstall of %s", async (name) => {
    await open(scene(name), { page: "preinstall" });
    for (const opener of document.querySelectorAll<HTMLElement>("main summary, main [aria-expanded=false]")) await fireEvent.click(opener);
    await settle();
    expect(untranslated()).toEqual([]);
  });

  test("in a plan of what jobs need", async () => {
    await open(scene("idle"), { page: "preinstall" });
    await fireEvent.click(document.querySelector("main .panel li .row > button") as HTMLElement);
    await settle();
    expect(document.querySelector("main ol.panel pre")).toBeTruthy();
    expect(untranslated()).toEqual([]);
  });

  test("in the palette", async () => {
    await open(scene("several"));
    await fireEvent.keyDown(document.body, { key: "k", ctrlKey: true });
    expect(screen.getByRole("listbox")).toBeTruthy();
    expect(untranslated()).toEqual([]);
  });

  test("a text that is written into a page would be found", () => {
    document.body.innerHTML = "<p>Forgotten words</p>";
    expect(untranslated()).toEqual(["Forgotten words"]);
    document.body.innerHTML = "";
  });
});

test("words in a row are put together by Intl, not by a comma", () => {
  const sources = import.meta.glob<string>("../src/**/*.{svelte,ts}", { query: "?raw", import: "default", eager: true });
  expect(Object.keys(sources).length).toBeGreaterThan(100);
  expect(Object.keys(sources).filter((path) => /\.join\(["'`],/.test(sources[path] ?? ""))).toEqual([]);
});

describe("a text", () => {
  const say = texts({ one: { one: "{n} task of {who}", other: "{n} tasks of {who}" }, plain: "Pause for {time}" });

  test("is some two fifths longer in that language, and its holes are not touched", () => {
    expect(say.plain({ time: "1 h" })).toContain("1 h");
    expect(pseudo("Pause for {time}")).toContain("{time}");
    const english = "Create a new resource class token at CircleCI and store it";
    expect([...pseudo(english)].length / english.length).toBeGreaterThan(1.3);
  });

  test("has its plural by the language's rules and its numbers by its habits", () => {
    speak((english) => english);
    expect([say.one({ n: 1, who: "a" }), say.one({ n: 0, who: "a" }), say.one({ n: 12345, who: "a" })]).toEqual([
      "1 task of a",
      "0 tasks of a",
      "12,345 tasks of a",
    ]);
    speak(pseudo);
  });
});
