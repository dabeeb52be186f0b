import { fireEvent, screen, within } from "@testing-library/svelte";
import { afterEach, describe, expect, test } from "vitest";
import { date, span } from "../src/history/span";
import { replyOf } from "../harness/replies";
import { scene } from "../harness/scenes";
import { close, open, settle } from "./window";

afterEach(close);

const choose = async (name: string, value: string) => {
  await fireEvent.change(screen.getByRole("combobox", { name }), { target: { value } });
  await settle();
};

test("the page says first what was done this week, and how much of the machine it took", async () => {
  const { made } = await open(scene("idle"), { page: "history" });
  expect(made("history-days")[0]).toEqual({ call: "history-days", from: "2026-02-24", to: "2026-03-02", tz: "Europe/Berlin" });
  expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("79 tasks, 8 failed, 8.2 h lent");
});

test("each chart says its most in words, and the table behind has every figure", async () => {
  await open(scene("idle"), { page: "history" });
  expect(screen.getByRole("img", { name: "Tasks: 19 at most, Wed" })).toBeTruthy();
  expect(screen.getAllByRole("img")).toHaveLength(3);
  const table = screen.getAllByRole("table", { hidden: true })[0] as HTMLElement;
  const row = within(table).getByRole("row", { name: /^Thu/, hidden: true });
  expect([...row.querySelectorAll("td")].map((it) => it.textContent)).toEqual([
    "9", "3", "0", "1.5 h", "6 min 42 s", "20 min 20 s",
  ]);
});

test("a day is asked for by hours", async () => {
  const { made } = await open(scene("idle"), { page: "history" });
  await choose("Time", "day");
  expect(made("history-hours").at(-1)).toEqual({ call: "history-hours", day: "2026-03-02", tz: "Europe/Berlin" });
  expect(screen.getByText("Monday 2 March")).toBeTruthy();
});

test("earlier and later move by the length of the span, never beyond today", async () => {
  const { made } = await open(scene("idle"), { page: "history", answers: { history: "history-empty" } });
  await fireEvent.click(screen.getByRole("button", { name: "Earlier" }));
  await settle();
  expect(made("history-days").at(-1)).toMatchObject({ from: "2026-02-17", to: "2026-02-23" });
  await fireEvent.click(screen.getByRole("button", { name: "Later" }));
  await fireEvent.click(screen.getByRole("button", { name: "Later" }));
  await settle();
  expect(made("history-days").at(-1)).toMatchObject({ from: "2026-02-24", to: "2026-03-02" });
});

test("tasks are filtered by the supervisor: result, project, runner", async () => {
  const { made } = await open(scene("several"), { page: "history" });
  await choose("Result", "failed");
  await fireEvent.input(screen.getByRole("searchbox"), { target: { value: "web-app" } });
  await fireEvent.change(screen.getByRole("searchbox"));
  await choose("Runner", "mac-mini-01");
  expect(made("history").at(-1)).toMatchObject({ result: "failed", project: "web-app", runner: "mac-mini-01" });
  expect(made("history-days").at(-1)).toMatchObject({ runner: "mac-mini-01" });
});

test("a task's result is a shape and a word, and its page is opened by the app", async () => {
  const { made } = await open(scene("idle"), { page: "history" });
  const row = screen.getByRole("row", { name: /api \/ integration/ });
  expect(within(row).getByText("Failed with exit code 1").querySelector("svg")).toBeTruthy();
  await fireEvent.click(within(row).getByRole("button"));
  expect(made("open-link")).toEqual([{ call: "open-link", link: "https://app.circleci.com/pipelines/github/acme/api/81" }]);
  expect(document.querySelector("a")).toBeNull();
});

test("tasks are those of the span, from its first moment to the one that is no longer part of it", async () => {
  const { made } = await open(scene("idle"), { page: "history", answers: { history: "history-empty" } });
  await fireEvent.click(screen.getByRole("button", { name: "Earlier" }));
  await settle();
  expect(made("history").at(-1)).toMatchObject({ since: "2026-02-16T23:00:00.000Z", until: "2026-02-23T23:00:00.000Z" });
  expect(screen.getByText("Tasks appear here when they have ended.")).toBeTruthy();
});

test("more is shown page by page, until there is no more", async () => {
  const pages = ({ before }: { before?: string }) => replyOf(before === undefined ? "history" : "history-empty");
  const { made } = await open(scene("idle"), { page: "history", answers: { history: pages } });
  const shown = screen.getAllByRole("row").length;
  await fireEvent.click(screen.getByRole("button", { name: "Show more" }));
  await settle();
  expect(made("history").at(-1)?.before).toBe("20260302T070000Z-1.75");
  expect(screen.getAllByRole("row")).toHaveLength(shown);
  expect(screen.queryByRole("button", { name: "Show more" })).toBeNull();
});

test("a supervisor that sums nothing up still has its tasks", async () => {
  const refused = { code: "no-such-call", title: "This supervisor knows no such call.", hint: "Use one of the same version." };
  await open(scene("idle"), { page: "history", answers: { "history-days": () => ({ refused }) } });
  expect(screen.queryByRole("alert")).toBeNull();
  expect(screen.queryByRole("img")).toBeNull();
  expect(screen.getByRole("row", { name: /api \/ integration/ })).toBeTruthy();
});

test("an empty time says so", async () => {
  await open(scene("idle"), {
    page: "history",
    answers: { history: "history-empty", "history-days": () => ({ ok: { tz: null, spans: [] } }) },
  });
  expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("No task ended in this time");
  expect(screen.getByText("Tasks appear here when they have ended.")).toBeTruthy();
});

describe("a week", () => {
  test("has seven calendar days though one of them is an hour short", () => {
    const { from, to } = span("week", 0, new Date("2026-03-31T12:00:00"));
    expect([date(from), date(to)]).toEqual(["2026-03-25", "2026-03-31"]);
  });
});
