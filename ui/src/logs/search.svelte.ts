/** A word looked for in one run of one runner's log; the supervisor looks, a bounded part at a time. */
import { call } from "../bridge";
import type { Refusal } from "../calls";
import type { FoundLine, RunId, RunnerName } from "../generated/protocol";

const ENOUGH = 200;
const MOST_FOUND = 2000;

export class LogSearcher {
  found = $state.raw<FoundLine[]>([]);
  searched = $state(0);
  isSearching = $state(false);
  refusal = $state.raw<Refusal>();
  /** Where to go on in this run; null at its end. */
  next = $state<string | null>(null);
  run = $state<RunId | null>(null);
  #isOver = false;

  constructor(
    readonly runner: RunnerName,
    readonly word: string,
  ) {}

  /** Until enough more is found, or the run is at its end. */
  async go(part: { run?: RunId; from?: string } = {}): Promise<void> {
    if (this.isSearching) return;
    this.isSearching = true;
    const wanted = this.found.length + ENOUGH;
    let from: string | undefined = part.from;
    let { run } = part;
    do {
      const where = { ...(from === undefined ? {} : { from }), ...(run === undefined ? {} : { run }) };
      const reply = await call({ call: "search-logs", runner: this.runner, word: this.word, limit: ENOUGH, ...where });
      if (this.#isOver) return;
      if ("refused" in reply) {
        this.refusal = reply.refused;
        break;
      }
      const { ok } = reply;
      this.found = [...this.found, ...ok.found].slice(0, MOST_FOUND);
      this.searched += ok.searched;
      this.run = ok.run;
      this.next = this.found.length < MOST_FOUND ? ok.next : null;
      from = this.next ?? undefined;
      run = undefined;
    } while (from !== undefined && this.found.length < wanted);
    this.isSearching = false;
  }

  /** The same word in the run before. False where there is none. */
  async goBack(): Promise<boolean> {
    const before = await this.runBefore();
    if (before === null) return false;
    await this.go({ run: before });
    return true;
  }

  private async runBefore(): Promise<RunId | null> {
    if (this.run === null) return null;
    const reply = await call({ call: "logs", runner: this.runner, from: `${this.run}:0`, limit: 1 });
    if ("refused" in reply || reply.ok.before === null) return null;
    // A place is `<run>:<byte>`.
    const run = reply.ok.before.replace(/:[^:]*$/, "");
    return run === this.run ? null : run;
  }

  close(): void {
    this.#isOver = true;
  }
}
