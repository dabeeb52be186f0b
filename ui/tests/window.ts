/** The window as a test meets it: opened on a scene, with an app behind the bridge that writes down what it is asked. */
import { emit } from "@tauri-apps/api/event";
import { clearMocks, mockIPC } from "@tauri-apps/api/mocks";
import { cleanup, render, screen } from "@testing-library/svelte";
import { tick } from "svelte";
import { vi } from "vitest";
import { replyOf } from "../harness/replies";
import App from "../src/App.svelte";
import type { Ask, Page, View } from "../src/bridge";
import type { Call, CallName, CallOf, Reply } from "../src/calls";
import { cleaning } from "../src/cleanup/cleaning.svelte";
import { found } from "../src/directories/found.svelte";
import { checkUp } from "../src/doctor/checkUp.svelte";
import { keep } from "../src/kept";
import { use } from "../src/overview/use.svelte";
import { place } from "../src/place.svelte";
import { tools } from "../src/preinstall/tools.svelte";
import { NOW } from "../harness/scenes";

/** Nothing is laid out here, so nothing ever changes its size. */
globalThis.ResizeObserver = class {
  observe() {}
  unobserve() {}
  disconnect() {}
};

export type Window = {
  /** Every wish after the first look, in order. */
  asked: Ask[];
  /** Every call, in order. */
  calls: Call[];
  /** Those of one name. */
  made: <Name extends CallName>(name: Name) => CallOf<Name>[];
  /** Answers what waits; wishes and calls wait only after `hold`. */
  answer: () => Promise<void>;
  hold: () => void;
  show: (view: View) => Promise<void>;
};

/** What the app gives back: the name of a recorded reply, or an answer made of the call. */
type Answers = { [Name in CallName]?: string | ((call: CallOf<Name>) => Reply<unknown> | Promise<Reply<unknown>>) };
type Opened = { page?: Page; answers?: Answers };

export async function open(view: View, { page, answers = {} }: Opened = {}): Promise<Window> {
  vi.useFakeTimers({ now: NOW, toFake: ["Date", "setInterval", "clearInterval", "setTimeout", "clearTimeout"] });
  const asked: Ask[] = [];
  const calls: Call[] = [];
  const held: (() => void)[] = [];
  let isHeld = false;
  const show = async (next: View) => {
    await emit("snapshot", next);
    await tick();
  };
  const wait = async () => {
    if (isHeld) await new Promise<void>((done) => held.push(done));
  };
  mockIPC(
    async (command, args) => {
      if (command !== "ask") throw new Error(`not allowed: ${command}`);
      const { ask } = args as { ask: Ask };
      if (ask.do === "look") return show(view);
      if (ask.do !== "call") {
        asked.push(ask);
        return wait();
      }
      const { call } = ask;
      calls.push(structuredClone(call));
      await wait();
      const answer = answers[call.call] as string | ((call: Call) => Reply<unknown>) | undefined;
      if (typeof answer === "function") return answer(call);
      // Nothing more is written while a test looks.
      if (call.call === "logs" && call.wait) return new Promise(() => {});
      return replyOf(answer ?? call.call);
    },
    { shouldMockEvents: true },
  );
  if (page) keep("place", { page });
  place.restore();
  render(App);
  await screen.findByRole("heading", { level: 1 });
  await settle();
  return {
    asked,
    calls,
    made: <Name extends CallName>(name: Name) => calls.filter((it): it is CallOf<Name> & Call => it.call === name) as CallOf<Name>[],
    show,
    hold: () => (isHeld = true),
    answer: async () => {
      isHeld = false;
      for (const go of held.splice(0)) go();
      await settle();
    },
  };
}

/** Lets promises that are settled already take effect. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) {
    await vi.advanceTimersByTimeAsync(0);
    await tick();
  }
}

/** In this order: what leaves the page still talks to the app. */
export async function close(): Promise<void> {
  vi.useRealTimers();
  cleanup();
  await new Promise((done) => setTimeout(done));
  clearMocks();
  checkUp.forget();
  cleaning.forget();
  found.forget();
  localStorage.clear();
  tools.forget();
  use.forget();
  place.restore();
  place.edits = undefined;
  place.part = undefined;
}
