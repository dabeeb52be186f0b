/** The replies in ui/replies: what the app gives back for each call, also read by the tests of src-tauri. */
import type { Call, CallName, CallOf, Gives, Reply } from "../src/calls";

type Recorded = { call: Call; reply: Reply<unknown> };

const files = import.meta.glob<Recorded>("../replies/*.json", { import: "default", eager: true });

export const recorded: [name: string, recorded: Recorded][] = Object.entries(files).map(([path, it]) => [
  path.replace(/^.*\/|\.json$/g, ""),
  it,
]);

/** A copy of the reply of that name, for whatever call. */
export function replyOf(name: string): Reply<unknown> {
  const found = recorded.find(([it]) => it === name);
  if (!found) throw new Error(`there is no reply ${name}`);
  return structuredClone(found[1].reply);
}

/** A copy of what a call gives where all is well. */
export function given<Name extends CallName>(name: Name): Gives<Name> {
  const reply = replyOf(name) as Reply<Gives<Name>>;
  if ("refused" in reply) throw new Error(`${name} is refused`);
  return reply.ok;
}

export type { CallOf };
