/** A part of one runner's log, grown at either end by pages; a gigabyte is never held, only what is near the reader. */
import { call } from "../bridge";
import type { CallOf, Refusal } from "../calls";
import type { LogPage, RunId, RunnerName } from "../generated/protocol";
import type { LevelFilter } from "./level";
import { chunk, join, type Chunk, type Line } from "./lines";

/** In characters. About 10,000 lines of an agent. */
const MOST_KEPT = 1_500_000;
/** In bytes; more at once where most lines are left out. */
const PAGE = 64 << 10;
const FILTERED_PAGE = 512 << 10;
/** One request for lines looks through so many pages, then asks whether to go on. */
const MOST_PAGES = 16;
const ENOUGH_LINES = 100;
/** In milliseconds. Until a question that was refused is asked again: a supervisor that is replaced is back by then, or soon. */
const A_MOMENT = 2000;

export class LogReader {
  chunks = $state.raw<Chunk[]>([]);
  isLoading = $state(false);
  refusal = $state.raw<Refusal>();
  /** Nothing more is written yet. */
  atEnd = $state(false);
  ended = $state(false);
  /** Bytes looked through since lines were last found. */
  inVain = $state(0);
  lines: Line[] = $derived(this.chunks.flatMap((it) => it.lines));
  run: RunId | null = $derived(this.chunks.at(-1)?.run ?? null);
  canGoBack = $derived((this.chunks[0]?.before ?? null) !== null);

  /** Of the question that is waited for; an answer to an earlier one is late and dropped. */
  #turn = 0;
  /** Of the loop that takes up what is written; 0: none. */
  #following = 0;
  #loops = 0;

  constructor(
    readonly runner: RunnerName,
    readonly filter: LevelFilter,
  ) {}

  /** From a place on, or the end. */
  async open(from?: string): Promise<void> {
    const turn = this.#begin();
    const page = await this.#ask(turn, from === undefined ? {} : { from });
    if (page === undefined) return;
    this.chunks = [chunk(page, this.filter, page.run)];
    this.#reached(page);
    this.inVain = 0;
    if (from === undefined && this.lines.length < ENOUGH_LINES) await this.earlier();
    if (from !== undefined && !this.atEnd) await this.later();
  }

  /** What stands above. Adds lines, or says after a while that there were none. */
  async earlier(): Promise<void> {
    if (this.isLoading) return;
    const turn = this.#begin();
    let gained = 0;
    for (let pages = 0; pages < MOST_PAGES && gained < ENOUGH_LINES; pages += 1) {
      const first = this.chunks[0];
      if (!first || first.before === null) return;
      const page = await this.#ask(turn, { before: first.before });
      if (page === undefined) return;
      const above = chunk(page, this.filter, page.run);
      this.chunks = this.#bounded([above, ...this.chunks], "end");
      gained += above.lines.length;
      this.inVain = gained === 0 ? this.inVain + page.text.length : 0;
    }
  }

  /** What stands below. */
  async later(): Promise<void> {
    if (this.isLoading) return;
    const turn = this.#begin();
    let gained = 0;
    for (let pages = 0; pages < MOST_PAGES && gained < ENOUGH_LINES && !this.atEnd; pages += 1) {
      const page = await this.#ask(turn, { from: this.chunks.at(-1)?.next ?? "" });
      if (page === undefined) return;
      gained += this.#append(page);
    }
  }

  /** Takes up what is written from now on until it is told to stop; a refusal stops nothing. */
  async follow(): Promise<void> {
    if (this.#following !== 0 || !this.atEnd) return;
    this.#loops += 1;
    const mine = this.#loops;
    this.#following = mine;
    while (this.#following === mine) {
      const reply = await call({ call: "logs", runner: this.runner, from: this.chunks.at(-1)?.next ?? "", limit: PAGE, wait: true });
      // What another loop will ask for again is not taken twice.
      if (this.#following !== mine) return;
      if ("refused" in reply) {
        this.refusal = reply.refused;
        await new Promise((done) => setTimeout(done, A_MOMENT));
        continue;
      }
      this.refusal = undefined;
      this.#append(reply.ok);
    }
  }

  rest(): void {
    this.#following = 0;
  }

  /** Whatever is still under way is of no use any more. */
  close(): void {
    this.#turn += 1;
    this.#following = 0;
  }

  #begin(): number {
    this.#following = 0;
    this.refusal = undefined;
    this.#turn += 1;
    return this.#turn;
  }

  #append(page: LogPage): number {
    const last = this.chunks.at(-1);
    const below = chunk(page, this.filter, last?.run);
    if (last && this.filter === "all") join(last, below);
    this.chunks = this.#bounded([...this.chunks, below], "start");
    this.#reached(page);
    return below.lines.length;
  }

  #reached(page: LogPage): void {
    this.atEnd = page.at_end;
    this.ended = page.ended && page.at_end;
  }

  /** Without what is too far from where the reader is. */
  #bounded(chunks: Chunk[], cut: "start" | "end"): Chunk[] {
    let weight = chunks.reduce((sum, it) => sum + it.weight, 0);
    const kept = [...chunks];
    while (weight > MOST_KEPT && kept.length > 2) {
      const gone = cut === "start" ? kept.shift() : kept.pop();
      weight -= gone?.weight ?? 0;
      if (cut === "end") this.atEnd = this.ended = false;
    }
    return kept;
  }

  async #ask(turn: number, part: Partial<CallOf<"logs">>): Promise<LogPage | undefined> {
    this.isLoading = true;
    const limit = this.filter === "all" ? PAGE : FILTERED_PAGE;
    const reply = await call({ ...part, call: "logs", runner: this.runner, limit });
    if (turn !== this.#turn) return undefined;
    this.isLoading = false;
    if ("refused" in reply) {
      this.refusal = reply.refused;
      return undefined;
    }
    return reply.ok;
  }
}
