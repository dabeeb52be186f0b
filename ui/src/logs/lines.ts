/** A page of the log as lines. Whatever a page's size, no line grows beyond a bound. */
import type { LogPage, RunId } from "../generated/protocol";
import { inert } from "./inert";
import { level, passes, type LevelFilter, type LogLevel } from "./level";

export type Line =
  | { key: number; kind: "text"; text: string; level: LogLevel }
  /** A new run begins, or something is deleted here. */
  | { key: number; kind: "run"; run: RunId }
  | { key: number; kind: "missed"; bytes: number };

/** A page as it is kept: where it lies and what of it is shown. */
export type Chunk = {
  run: RunId | null;
  before: string | null;
  next: string;
  lines: Line[];
  /** The last line goes on in the next page. */
  open: boolean;
  /** Characters kept. */
  weight: number;
};

/** In characters; what is longer is cut with a word. */
export const LONGEST_LINE = 200_000;

let keys = 0;

export function chunk(page: LogPage, filter: LevelFilter, runBefore: RunId | null | undefined): Chunk {
  const lines: Line[] = [];
  if (page.missed > 0) lines.push({ key: keys++, kind: "missed", bytes: page.missed });
  const begins = page.run !== runBefore || page.from === `${page.run}:0`;
  if (page.run !== null && begins) lines.push({ key: keys++, kind: "run", run: page.run });
  const open = page.text !== "" && !page.text.endsWith("\n");
  const texts = page.text.split("\n");
  // After the last line end stands nothing.
  if (!open) texts.pop();
  for (const raw of texts) {
    const text = inert(raw.slice(0, LONGEST_LINE));
    const of = level(text);
    if (passes(of, filter)) lines.push({ key: keys++, kind: "text", text, level: of });
  }
  const weight = lines.reduce((sum, it) => sum + (it.kind === "text" ? it.text.length : 0), 0);
  return { run: page.run, before: page.before, next: page.next, lines, open, weight };
}

/** Puts together a line that two pages share; only where every line is kept can the halves be known. */
export function join(first: Chunk, second: Chunk): void {
  const head = first.lines.at(-1);
  const tail = second.lines[0];
  if (!first.open || head?.kind !== "text" || tail?.kind !== "text" || first.run !== second.run) return;
  const text = (head.text + tail.text).slice(0, LONGEST_LINE);
  // A new object under the old key: what is shown of it changes, its place does not.
  first.lines = [...first.lines.slice(0, -1), { ...head, text, level: level(text) }];
  second.lines = second.lines.slice(1);
  first.open = second.lines.length === 0 && second.open;
}
