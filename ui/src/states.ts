/** A state is a shape, a word and a colour, always all three. */
import type { Runner, RunnerState } from "./generated/protocol";

export const WORDS: Record<RunnerState, string> = {
  problem: "Problem",
  offline: "Offline",
  unknown: "Unknown",
  draining: "Draining",
  busy: "Busy",
  updating: "Updating",
  paused: "Paused",
  idle: "Idle",
};

/** The worst first, as the supervisor orders them. */
const ORDER: RunnerState[] = [
  "problem",
  "offline",
  "unknown",
  "draining",
  "busy",
  "updating",
  "paused",
  "idle",
];

/** "1 busy, 2 idle": one line for all runners, in which no state hides another. */
export function summary(runners: Runner[]): string {
  return ORDER.map((state) => ({ state, n: runners.filter((it) => it.state === state).length }))
    .filter(({ n }) => n > 0)
    .map(({ state, n }) => `${n} ${WORDS[state].toLowerCase()}`)
    .join(", ");
}
