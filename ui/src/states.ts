/** A state is a shape, a word and a colour, always all three. */
import { listOfCounts } from "./formats";
import type { Runner, RunnerState, TaskResult } from "./generated/protocol";
import { results, stateCounts, states } from "./messages/common";

/** The worst first, as the supervisor orders them. */
export const ORDER: RunnerState[] = ["problem", "offline", "unknown", "draining", "busy", "updating", "paused", "idle"];

export function word(state: RunnerState): string {
  return states[state]();
}

/** "1 busy, 2 idle": one line for all runners, in which no state hides another. */
export function summary(runners: Runner[]): string {
  const all = ORDER.map((state) => ({ state, n: runners.filter((it) => it.state === state).length }));
  return listOfCounts(all.filter(({ n }) => n > 0).map(({ state, n }) => stateCounts[state]({ n })));
}

/** The one state that stands for all, the worst of them. */
export function worst(runners: Runner[]): RunnerState {
  return ORDER.find((state) => runners.some((it) => it.state === state)) ?? "offline";
}

export type Ending = { word: string; mark: "ok" | "bad" | "off" | "unknown" };

/** How a task ended, as a word and a mark. */
export function ending(result: TaskResult): Ending {
  switch (result.outcome) {
    case "succeeded":
      return { word: results.succeeded(), mark: "ok" };
    case "failed": {
      const { exit_code: code } = result;
      return { word: code === null ? results.failed() : results.failedWith({ code: String(code) }), mark: "bad" };
    }
    case "cancelled":
      return { word: results.cancelled(), mark: "off" };
    case "lost":
      return { word: results.lost(), mark: "bad" };
    case "unknown":
      return { word: results.unknown(), mark: "unknown" };
  }
}
