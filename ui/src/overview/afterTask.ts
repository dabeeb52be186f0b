/** What can come after the task, in words: as a wish and as what is going to happen. */
import { list } from "../formats";
import type { AfterTask, AfterTaskAct, Runner } from "../generated/protocol";
import { overview as say } from "../messages/overview";

export const ACTS: { act: AfterTaskAct; verb: () => string }[] = [
  { act: "pause", verb: say.afterPause },
  { act: "quit", verb: say.afterQuit },
  { act: "sleep", verb: say.afterSleep },
  { act: "restart", verb: say.afterRestart },
];

/** Whether there is a task that something can come after. What is not known counts as one, as in the tray. */
export function aTaskRuns(runners: Runner[]): boolean {
  return runners.some(({ task, state }) => task || ["busy", "draining", "unknown"].includes(state));
}

const WILL: Record<AfterTaskAct, () => string> = {
  pause: say.afterPauseIs,
  quit: say.afterQuitIs,
  sleep: say.afterSleepIs,
  restart: say.afterRestartIs,
};

/** "This machine goes to sleep once mac-mini-01 and mac-mini-02 have ended their tasks". */
export function willBe(wanted: AfterTask): string {
  const what = (WILL[wanted.do] ?? WILL.pause)();
  const n = wanted.waits_for.length;
  return n === 0 ? say.afterNoWait({ what }) : say.afterWaits({ n, what, runners: list(wanted.waits_for) });
}
