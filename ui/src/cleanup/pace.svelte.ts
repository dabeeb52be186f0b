/** How many bytes a second, over the last seconds; of what is told, and never by asking. */
import type { CleanupRuns } from "../generated/protocol";

const LAST = 5000;

export class Pace {
  /** Undefined until two readings are a second apart. */
  rate = $state<number>();
  #seen: { at: number; bytes: number }[] = [];
  #of = "";

  saw({ since, stage, bytes }: CleanupRuns, at: number): void {
    const of = `${since} ${stage}`;
    if (of !== this.#of || bytes < (this.#seen.at(-1)?.bytes ?? 0)) this.#seen = [];
    this.#of = of;
    this.#seen = [...this.#seen.filter((it) => at - it.at <= LAST), { at, bytes }];
    const [first] = this.#seen;
    const time = first ? at - first.at : 0;
    this.rate = first && time >= 1000 ? ((bytes - first.bytes) / time) * 1000 : undefined;
  }
}
