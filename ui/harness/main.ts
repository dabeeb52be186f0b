/**
 * The window on fixtures, in a browser; for looking at it, never built into the app.
 * ?scene=busy&page=logs&language=pseudo&commands=1&step=token&edits=NAME&reply=doctor:doctor-well&search=word
 */
import { emit } from "@tauri-apps/api/event";
import { mockIPC } from "@tauri-apps/api/mocks";
import { mount, type Component } from "svelte";
import type { Ask, Page } from "../src/bridge";
import "../src/theme.css";
import { pseudo } from "./pseudo";
import { replyOf } from "./replies";
import { NOW, scene } from "./scenes";

const asked = new URLSearchParams(location.search);
const view = scene(asked.get("scene") ?? "busy");
const replies = new Map(asked.getAll("reply").map((it) => it.split(":") as [string, string]));

// Every scene plays at one moment.
const Real = Date;
globalThis.Date = class extends Real {
  constructor(...given: ConstructorParameters<typeof Real> | []) {
    if (given.length === 0) super(NOW.getTime());
    else super(...(given as ConstructorParameters<typeof Real>));
  }
  static override now = () => NOW.getTime();
} as DateConstructor;

localStorage.clear();
const page = asked.get("page") as Page | null;
if (page) localStorage.setItem("place", JSON.stringify({ page }));
const step = asked.get("step");
if (step) localStorage.setItem("set-up", JSON.stringify({ step, ...draft() }));

mockIPC(
  async (command, args) => {
    if (command !== "ask") throw new Error(`not allowed: ${command}`);
    const { ask } = args as { ask: Ask };
    if (ask.do === "look") return look();
    if (ask.do !== "call") return null;
    // Nothing more is written while somebody looks.
    if (ask.call.call === "logs" && ask.call.wait) return new Promise(() => {});
    return replyOf(replies.get(ask.call.call) ?? ask.call.call);
  },
  { shouldMockEvents: true },
);

// The language is chosen before any text is.
if (asked.get("language") === "pseudo") (await import("../src/messages/say")).speak(pseudo);
const { default: App } = (await import("../src/App.svelte")) as { default: Component };
const target = document.getElementById("app");
if (target) mount(App, { target });

const edits = asked.get("edits");
if (edits) (await import("../src/place.svelte")).place.edit(edits);
if (asked.get("commands")) dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true }));

/** The view, and before it the readings of the last minutes, as a window that was open has seen them. */
async function look() {
  for (let at = 0; at < 40; at += 1) {
    const before = structuredClone(view);
    if (before.supervisor.kind === "live") {
      for (const { task } of before.supervisor.snapshot.runners) {
        if (!task?.usage) continue;
        task.usage.cpu_seconds -= 40 - at;
        task.usage.cpu_percent = 180 + 150 * Math.sin(at / 3) + 60 * Math.cos(at * 1.7);
        task.usage.memory *= 0.4 + at / 70 + 0.04 * Math.sin(at);
      }
    }
    await emit("snapshot", before);
  }
  await emit("snapshot", view);
}

function draft() {
  const way = asked.get("way") ?? "token";
  return { way, resourceClass: "acme/macos", namespace: "acme", name: "mac-mini-01", ownUser: true, jobUser: "ci" };
}
