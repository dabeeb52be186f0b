/** The window as a test meets it: opened on a scene, with an app behind the bridge that writes down what it is asked. */
import { emit } from "@tauri-apps/api/event";
import { clearMocks, mockIPC } from "@tauri-apps/api/mocks";
import { cleanup, render, screen } from "@testing-library/svelte";
import { tick } from "svelte";
import { vi } from "vitest";
import App from "../src/App.svelte";
import type { Ask, View } from "../src/bridge";
import { NOW } from "./scenes";

export type Window = {
  /** Everything asked after the first look, in order. */
  asked: Ask[];
  /** Answers the wish that waits; wishes wait only after `hold`. */
  answer: () => Promise<void>;
  hold: () => void;
  show: (view: View) => Promise<void>;
};

export async function open(view: View): Promise<Window> {
  vi.useFakeTimers({ now: NOW, toFake: ["Date", "setInterval", "clearInterval", "setTimeout", "clearTimeout"] });
  const asked: Ask[] = [];
  let held: (() => void) | undefined;
  let isHeld = false;
  const show = async (next: View) => {
    await emit("snapshot", next);
    await tick();
  };
  mockIPC(
    async (command, args) => {
      if (command !== "ask") throw new Error(`not allowed: ${command}`);
      const { ask } = args as { ask: Ask };
      if (ask.do === "look") return show(view);
      asked.push(ask);
      if (isHeld) await new Promise<void>((done) => (held = done));
    },
    { shouldMockEvents: true },
  );
  render(App);
  await screen.findByRole("heading", { level: 1 });
  return {
    asked,
    show,
    hold: () => (isHeld = true),
    answer: async () => {
      held?.();
      await settle();
    },
  };
}

/** Lets promises that are settled already take effect. */
export async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
  await tick();
}

/** In this order: what leaves the page still talks to the app. */
export async function close(): Promise<void> {
  vi.useRealTimers();
  cleanup();
  await new Promise((done) => setTimeout(done));
  clearMocks();
}
