/** Where a runner has come to after its set-up; the same rule as `runnerctl setup`'s. */
import type { Runner } from "../generated/protocol";

export type Reached = "works" | "paused" | "draining" | "trouble" | "not-yet";

/** An agent whose token is refused is idle first: it takes CircleCI's answer to end it. */
const SETTLES_IN = 2000;

export function reached(runner: Runner | undefined, now: Date): Reached {
  if (runner === undefined) return "not-yet";
  // Of a task before, and nothing that a set-up could mend.
  if (runner.problems.some((it) => it.code !== "task-lost")) return "trouble";
  switch (runner.state) {
    case "idle":
      return now.getTime() - new Date(runner.state_since).getTime() >= SETTLES_IN ? "works" : "not-yet";
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
