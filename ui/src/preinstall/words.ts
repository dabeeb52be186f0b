/** What readings come to: each state's shape and word, and what a preset has and lacks. */
import { size } from "../formats";
import type { ItemChecked, ItemState, Preinstall, PreinstallItem, PreinstallPlan } from "../generated/protocol";
import { preinstall as say } from "../messages/preinstall";
import type { MarkKind } from "../parts/Mark.svelte";

/** Named by its id: what nearly every job expects. */
export const ESSENTIALS = "essentials";

const STATES: { [State in ItemState]: { mark: MarkKind; word: () => string } } = {
  present: { mark: "ok", word: say.present },
  "too-old": { mark: "warn", word: say.tooOld },
  "too-new": { mark: "warn", word: say.tooNew },
  broken: { mark: "bad", word: say.broken },
  missing: { mark: "todo", word: say.absent },
  unknown: { mark: "unknown", word: say.unknown },
};

export function stateOf(state: ItemState): { mark: MarkKind; word: () => string } {
  return STATES[state] ?? STATES.unknown;
}

export type Counts = {
  all: number;
  have: number;
  missing: number;
  /** Too old, too new, broken. */
  trouble: number;
  unread: number;
  /** Not looked at. */
  unseen: number;
  /** Of what is missing and a program can install, as far as is known. */
  bytes: number;
  installable: number;
};

export function counts(ids: string[], found: ReadonlyMap<string, ItemChecked>, known: Preinstall): Counts {
  const come: Counts = { all: ids.length, have: 0, missing: 0, trouble: 0, unread: 0, unseen: 0, bytes: 0, installable: 0 };
  // A package that several items name comes once.
  const packages = new Set<string>();
  for (const id of ids) {
    const state = found.get(id)?.state;
    const item = itemOf(known, id);
    switch (state) {
      case undefined:
        come.unseen += 1;
        break;
      case "present":
        come.have += 1;
        break;
      case "missing":
        come.missing += 1;
        if (item === undefined || !isInstallable(item)) break;
        come.installable += 1;
        if (isNew(item, packages)) come.bytes += item.size ?? 0;
        break;
      case "too-old":
      case "too-new":
      case "broken":
        come.trouble += 1;
        break;
      case "unknown":
        come.unread += 1;
    }
  }
  return come;
}

function isNew({ how }: PreinstallItem, packages: Set<string>): boolean {
  if (how.kind !== "packages") return true;
  const names = how.names.map((name) => `${how.by} ${name}`).filter((name) => !packages.has(name));
  for (const name of names) packages.add(name);
  return names.length > 0;
}

export function itemOf(known: Preinstall | undefined, id: string): PreinstallItem | undefined {
  return known?.items.find((it) => it.id === id);
}

export function isInstallable({ how }: PreinstallItem): boolean {
  return how.kind === "packages" || how.kind === "ours";
}

/** How many items a plan installs. */
export function planned({ steps }: PreinstallPlan): number {
  return new Set(steps.flatMap((it) => it.items)).size;
}

/** "by apt, 2.1 MB". */
export function wayOf({ how, size: bytes }: PreinstallItem): string {
  switch (how.kind) {
    case "packages":
      return bytes === undefined ? say.by({ by: how.by }) : say.bySize({ by: how.by, size: size(bytes) });
    case "ours":
      return say.byUs();
    case "human":
      return say.byHand();
    case "other":
      return "";
  }
}
