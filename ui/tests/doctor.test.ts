import { fireEvent, screen, within } from "@testing-library/svelte";
import { afterEach, expect, test } from "vitest";
import { scene } from "../harness/scenes";
import { close, open, settle } from "./window";

afterEach(close);

const heading = () => screen.getByRole("heading", { level: 1 }).textContent;

test("the page looks at once and says first how much is to mend", async () => {
  const { made } = await open(scene("busy"), { page: "doctor" });
  expect(made("doctor")).toHaveLength(1);
  expect(heading()).toBe("2 findings to mend");
});

test("the worst comes first; each has its reading, why it matters and what to do", async () => {
  await open(scene("busy"), { page: "doctor" });
  const rows = within(screen.getByRole("list", { name: "Findings" })).getAllByRole("listitem");
  expect(rows.map((it) => it.querySelector("strong")?.textContent)).toEqual(["Disk", "Sleep", "Network", "Job user"]);
  const text = rows[0]?.textContent ?? "";
  const order = ["Bad", "/home", "has 1.2 GB free of 256 GB.", "A task on a full disk fails", "What to do: Free some"];
  const at = order.map((it) => text.replace(/\s+/g, " ").indexOf(it));
  expect(at.every((it) => it >= 0)).toBe(true);
  expect(at).toEqual([...at].sort((a, b) => a - b));
});

test("what could not be read is neither well nor folded away", async () => {
  await open(scene("busy"), { page: "doctor" });
  expect(screen.getByText("Unknown")).toBeTruthy();
  expect(screen.getByText("4 readings are well").closest("details")?.open).toBe(false);
});

test("a machine that is well is told so", async () => {
  await open(scene("idle"), { page: "doctor", answers: { doctor: "doctor-well" } });
  expect(heading()).toBe("Nothing to mend: 4 readings, all well");
});

test("check again looks again, and says that it does", async () => {
  const { made, hold, answer } = await open(scene("busy"), { page: "doctor" });
  hold();
  const again = screen.getByRole("button", { name: "Check again" });
  await fireEvent.click(again);
  expect(screen.getByText(/can take half a minute/)).toBeTruthy();
  await fireEvent.click(again);
  await answer();
  expect(made("doctor")).toHaveLength(2);
});

test("how much is to mend stands in the rail, and the readings stay while the window is open", async () => {
  const { made } = await open(scene("busy"), { page: "doctor" });
  await fireEvent.click(screen.getByRole("button", { name: "Overview" }));
  await fireEvent.click(screen.getByRole("button", { name: /^Doctor.*2 findings/ }));
  expect(made("doctor")).toHaveLength(1);
});

test("a doctor that cannot look says why", async () => {
  await open(scene("busy"), { page: "doctor", answers: { doctor: "doctor-refused" } });
  await settle();
  expect(screen.getByRole("alert").textContent).toContain("could not be started");
  expect(heading()).toBe("Doctor");
});

test("it works without a supervisor", async () => {
  await open(scene("absent"), { page: "doctor" });
  expect(heading()).toBe("2 findings to mend");
});
