/** The scenes in ui/fixtures: one view of each kind, also read by the tests of src-tauri. */
import type { Seen, View } from "../src/bridge";
import type { Runner } from "../src/generated/protocol";

/** The moment at which every scene plays. */
export const NOW = new Date("2026-03-02T16:42:12Z");

const files = import.meta.glob<View>("../fixtures/*.json", { import: "default", eager: true });

export const scenes: [name: string, view: View][] = Object.entries(files).map(([path, view]) => [
  path.replace(/^.*\/|\.json$/g, ""),
  view,
]);

/** A copy of a scene, so that a test may change it. */
export function scene(name: string): View {
  const found = scenes.find(([it]) => it === name);
  if (!found) throw new Error(`there is no scene ${name}`);
  return structuredClone(found[1]);
}

export function runnersOf(view: View): Runner[] {
  const live = view.supervisor as Extract<Seen, { kind: "live" }>;
  return live.snapshot.runners;
}
