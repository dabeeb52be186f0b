/** Where a runner has come to after its set-up. */
import type { Runner } from "../generated/protocol";

/** "unrefused": it waits for tasks, and whether CircleCI has answered its claim nobody knows yet. */
export type Reached = "works" | "unrefused" | "paused" | "draining" | "trouble" | "not-yet";

/** An agent whose token is refused is idle first: it takes CircleCI's answer to end it. */
const SETTLES_IN = 2000;

export function reached(runner: Runner | undefined, now: Date): Reached {
  if (runner === undefined) return "not-yet";
  // Of a task before, and nothing that a set-up could mend.
  if (runner.problems.some((it) => it.code !== "task-lost")) return "trouble";
  switch (runner.state) {
    case "idle":
      if (runner.token === "accepted") return "works";
      return now.getTime() - new Date(runner.state_since).getTime() >= SETTLES_IN ? "unrefused" : "not-yet";
    case "busy":
      return "works";
    case "draining":
      return "draining";
    case "paused":
      return "paused";
    case "problem":
      return "trouble";
    case "offline":
    case "unknown":
    case "updating":
      return "not-yet";
  }
}
