import { fireEvent, screen, within } from "@testing-library/svelte";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { CallOf } from "../src/calls";
import type { LogPage } from "../src/generated/protocol";
import { LogReader } from "../src/logs/reader.svelte";
import { scene } from "../harness/scenes";
import { close, open, settle } from "./window";

afterEach(close);

/** A log of so many lines of 100 bytes, served by pages as the supervisor does; nothing of it is ever held as a whole. */
function longLog(lines: number) {
  const WIDE = 100;
  const size = lines * WIDE;
  const text = (from: number, to: number) => {
    const all = [];
    for (let n = from / WIDE; n < to / WIDE; n += 1) all.push(`line ${n} `.padEnd(WIDE - 1, "."));
    return all.map((line) => `${line}\n`).join("");
  };
  const at = (place: string) => Number(place.split(":")[1]);
  const page = (call: CallOf<"logs">): LogPage => {
    const limit = Math.floor((call.limit ?? 65536) / WIDE) * WIDE;
    const to = call.from !== undefined ? Math.min(size, at(call.from) + limit) : call.before !== undefined ? at(call.before) : size;
    const from = call.from !== undefined ? at(call.from) : Math.max(0, to - limit);
    return {
      text: text(from, to),
      run: "r1",
      from: `r1:${from}`,
      next: `r1:${to}`,
      before: from > 0 ? `r1:${from}` : null,
      at_end: to === size,
      ended: false,
      missed: 0,
    };
  };
  return (call: CallOf<"logs">) => (call.wait ? new Promise<never>(() => {}) : { ok: page(call) });
}

describe("a log of a gigabyte", () => {
  const answers = { logs: longLog(10_000_000) };

  test("opens at its end with one page, and only a screenful is drawn", async () => {
    const { made } = await open(scene("busy"), { page: "logs", answers });
    expect(made("logs").filter((it) => !it.wait)).toEqual([{ call: "logs", runner: "mac-mini-01", limit: 65536 }]);
    expect(screen.getByText(/^line 9999999 /)).toBeTruthy();
    expect(document.querySelectorAll(".line").length).toBeLessThan(120);
  });

  test("is read backwards and forwards by pages, and what is far away is let go", async () => {
    await open(scene("busy"), { answers });
    const reader = new LogReader("mac-mini-01", "all");
    await reader.open();
    for (let n = 0; n < 60; n += 1) await reader.earlier();
    expect(reader.lines.length * 100).toBeLessThan(1_700_000);
    expect(reader.atEnd).toBe(false);
    const first = reader.lines.find((it) => it.kind === "text");
    for (let n = 0; n < 60; n += 1) await reader.later();
    expect(reader.atEnd).toBe(true);
    const texts = reader.lines.flatMap((it) => (it.kind === "text" ? [Number(it.text.split(" ")[1])] : []));
    expect(texts.every((n, i) => i === 0 || n === (texts[i - 1] as number) + 1)).toBe(true);
    expect(texts[0]).toBeGreaterThan(Number(first?.kind === "text" && first.text.split(" ")[1]));
  });

  test("opens at its start, too", async () => {
    await open(scene("busy"), { page: "logs", answers });
    await fireEvent.click(screen.getByRole("button", { name: "Start of this run" }));
    await settle();
    expect(screen.getByText(/^line 0 /)).toBeTruthy();
  });
});

describe("a filter that lets nothing through", () => {
  test("looks back a while, says how far, and asks before it goes on", async () => {
    const { made } = await open(scene("busy"), { page: "logs", answers: { logs: longLog(10_000_000) } });
    await fireEvent.change(screen.getByRole("combobox", { name: "Lines" }), { target: { value: "errors" } });
    await settle();
    const before = made("logs").length;
    expect(before).toBeLessThan(25);
    expect(screen.getByText(/Nothing of that level in .* MB so far/)).toBeTruthy();
    await fireEvent.click(screen.getByRole("button", { name: "Look further back" }));
    await settle();
    expect(made("logs").length).toBeGreaterThan(before);
  });

  test("finds errors among the rest", async () => {
    await open(scene("busy"), { page: "logs" });
    await fireEvent.change(screen.getByRole("combobox", { name: "Lines" }), { target: { value: "errors" } });
    await settle();
    const log = screen.getByRole("log", { name: "Log of mac-mini-01" });
    expect(within(log).getAllByText("error").length).toBeGreaterThan(3);
    expect(within(log).queryByText(/cache archive is old/)).toBeNull();
  });
});

test("at its end the log is live: what is written next appears", async () => {
  let write: (reply: { ok: LogPage }) => void = () => {};
  const first: LogPage = { text: "old\n", run: "r1", from: "r1:0", next: "r1:4", before: null, at_end: true, ended: false, missed: 0 };
  await open(scene("busy"), {
    page: "logs",
    answers: { logs: (call) => (call.wait ? new Promise((done) => (write = done)) : { ok: first }) },
  });
  expect(screen.getByText(/^Live/)).toBeTruthy();
  write({ ok: { ...first, text: "new\n", from: "r1:4", next: "r1:8" } });
  await settle();
  expect(screen.getByText("new")).toBeTruthy();
});

test("a supervisor that does not answer for a moment is asked again, and its log is live once more", async () => {
  const first: LogPage = { text: "old\n", run: "r1", from: "r1:0", next: "r1:4", before: null, at_end: true, ended: false, missed: 0 };
  const refused = { code: "supervisor-absent", title: "The supervisor is not running.", hint: "Start it." };
  const waits: ((reply: object) => void)[] = [];
  const { made } = await open(scene("busy"), {
    page: "logs",
    answers: { logs: (call) => (call.wait ? new Promise((done) => waits.push(done as never)) : { ok: first }) },
  });
  const waited = () => made("logs").filter((it) => it.wait);
  waits[0]?.({ refused });
  await settle();
  expect(screen.getByRole("alert").textContent).toContain("The supervisor is not running.");
  expect(screen.queryByText(/^Live/)).toBeNull();
  expect(waited()).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(2000);
  expect(waited()).toEqual(Array(2).fill({ call: "logs", runner: "mac-mini-01", from: "r1:4", limit: 65536, wait: true }));
  waits[1]?.({ ok: { ...first, text: "new\n", from: "r1:4", next: "r1:8" } });
  await settle();
  expect(screen.queryByRole("alert")).toBeNull();
  expect(screen.getByText(/^Live/)).toBeTruthy();
  expect(screen.getByText("new")).toBeTruthy();
  waits[2]?.({ refused });
  await settle();
  await fireEvent.keyDown(document.body, { key: "1", ctrlKey: true });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(waited()).toHaveLength(3);
});

test("another runner's log is chosen, and kept as the place", async () => {
  const { made } = await open(scene("several"), { page: "logs" });
  const names = screen.getByRole("combobox", { name: "Runner" });
  const other = within(names).getAllByRole<HTMLOptionElement>("option")[1]?.value ?? "";
  await fireEvent.change(names, { target: { value: other } });
  await settle();
  expect(made("logs").at(-1)?.runner).toBe(other);
});

test("an empty log says what will appear", async () => {
  await open(scene("idle"), { page: "logs", answers: { logs: "logs-empty" } });
  expect(screen.getByText(/has written nothing yet/)).toBeTruthy();
});

test("whatever a job prints is text: no code, no element, and a long line is cut with a way to all of it", async () => {
  await open(scene("busy"), { page: "logs", answers: { logs: "logs-hostile" } });
  expect(document.querySelectorAll("img, script, [onerror]")).toHaveLength(0);
  const log = screen.getByRole("log");
  expect(log.textContent).toContain("red  <img src=x onerror=alert(1)>");
  expect(log.textContent).not.toMatch(/[\u001b\u0007\u202e]/);
  expect(log.textContent?.length).toBeLessThan(5000);
  await fireEvent.click(screen.getByRole("button", { name: /^Show all 100 kB/ }));
  expect(screen.getByRole("region", { name: "One line, whole" }).textContent).toContain("x".repeat(100_000));
});

describe("a search", () => {
  async function look(word: string) {
    const field = screen.getByRole("searchbox", { name: "Search this run" });
    await fireEvent.input(field, { target: { value: word } });
    await fireEvent.submit(screen.getByRole("search"));
    await settle();
  }

  test("lists the lines with the word, and each leads to its place", async () => {
    const { made } = await open(scene("busy"), { page: "logs" });
    await look("no such host");
    expect(made("search-logs")[0]).toEqual({ call: "search-logs", runner: "mac-mini-01", word: "no such host", limit: 200 });
    const found = within(screen.getByRole("list", { name: "Lines with no such host" })).getAllByRole("button");
    expect(found).toHaveLength(6);
    expect(found[0]?.querySelector("mark")?.textContent).toBe("no such host");
    await fireEvent.click(found[2] as HTMLElement);
    await settle();
    expect(made("logs").some((it) => it.from === "20260302T070000Z-1:3000")).toBe(true);
    expect(screen.getByRole("log")).toBeTruthy();
  });

  test("goes on through a long run until enough is found", async () => {
    let asked = 0;
    await open(scene("busy"), {
      page: "logs",
      answers: {
        "search-logs": () => {
          asked += 1;
          return { ok: { run: "r1", found: [], next: asked < 5 ? `r1:${asked}` : null, searched: 1_000_000 } };
        },
      },
    });
    await look("nowhere");
    expect(asked).toBe(5);
    expect(screen.getByText("0 lines found, 5.0 MB looked through")).toBeTruthy();
  });

  test("Esc leads back to the log", async () => {
    await open(scene("busy"), { page: "logs" });
    await look("host");
    await fireEvent.keyDown(screen.getByRole("searchbox"), { key: "Escape" });
    await settle();
    expect(screen.getByRole("log")).toBeTruthy();
  });
});
