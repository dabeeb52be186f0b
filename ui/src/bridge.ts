/** The only file that talks to the app: one command out, one event in. */
import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type { CallName, CallOf, Call, Gives, Reply } from "./calls";
import type { RunnerName, Snapshot, WorkDirId } from "./generated/protocol";
import { common } from "./messages/common";

/** What the window may ask for; `Ask` in src-tauri. All but `call` give null. */
export type Ask =
  | { do: "call"; call: Call }
  | { do: "look" }
  | { do: "pause"; runners: RunnerName[]; how_long: PauseLength }
  | { do: "resume"; runners: RunnerName[] }
  | { do: "open-task"; runner: RunnerName }
  /** In the file manager; where it lies is the supervisor's word. */
  | { do: "open-directory"; directory: WorkDirId }
  | { do: "start-supervisor" }
  | { do: "dismiss" }
  /** Ends the app; supervisor, agents and tasks go on. */
  | { do: "quit" };

export type PauseLength = "quarter-hour" | "hour" | "until-tomorrow" | "until-resumed";

/** Everything the window shows; `View` in src-tauri. */
export type View = {
  supervisor: Seen;
  /** What the user should read once, the newest last. */
  notices: Notice[];
  /** Where the tray last sent the window; it goes there whenever `times` is another than before. `plan`: of a clean-up, at once. */
  go?: { to: Page; plan?: boolean; times: number };
};

export type Page = "overview" | "directories" | "clean-up" | "preinstall" | "history" | "logs" | "doctor" | "settings" | "set-up";

export type Seen =
  | { kind: "connecting" }
  | { kind: "starting" }
  /** Nothing listens at its socket. */
  | { kind: "absent"; why: string }
  /** It is there and gives no answer that can be used. */
  | { kind: "unclear"; why: string }
  | { kind: "live"; snapshot: Snapshot };

export type Notice = { title: string; hint: string };

/** Resolves when the wish was answered. A refusal comes as a notice, not as an error. */
export function ask(ask: Ask): Promise<void> {
  return invoke("ask", { ask });
}

/** A call of the local API. Never throws: an app that does not answer is a refusal as well. */
export async function call<Name extends CallName>(made: CallOf<Name>): Promise<Reply<Gives<Name>>> {
  try {
    return await invoke("ask", { ask: { do: "call", call: made } });
  } catch (error) {
    const detail = String(error);
    return { refused: { code: "failed", title: common.noAnswer(), detail, hint: common.noAnswerHint() } };
  }
}

/** Calls `show` with the view of now and with every one after it; gives back how to stop. */
export async function watch(show: (view: View) => void): Promise<() => void> {
  const stop = await listen<View>("snapshot", (event) => show(event.payload));
  await ask({ do: "look" });
  return stop;
}
