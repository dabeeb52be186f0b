/** The working directories as they were last looked at, while the window is open. */
import { call } from "../bridge";
import type { Refusal } from "../calls";
import type { RunnerName, WorkDir } from "../generated/protocol";

class Found {
  directories = $state.raw<WorkDir[]>();
  refusal = $state.raw<Refusal>();
  isMeasuring = $state(false);
  #turn = 0;

  /** `measure`: also those whose size is not known; those that are known are there at once. */
  async look(runner: RunnerName | undefined, measure: boolean): Promise<void> {
    const mine = ++this.#turn;
    const of = runner === undefined ? {} : { runner };
    this.isMeasuring = measure;
    if (measure && this.directories === undefined) await this.#ask(mine, { ...of });
    if (mine === this.#turn) await this.#ask(mine, { ...of, ...(measure ? { measure } : {}) });
    if (mine === this.#turn) this.isMeasuring = false;
  }

  async #ask(mine: number, of: { runner?: RunnerName; measure?: boolean }): Promise<void> {
    const reply = await call({ call: "work-dirs", ...of });
    if (mine !== this.#turn) return;
    this.refusal = "refused" in reply ? reply.refused : undefined;
    if ("ok" in reply) this.directories = reply.ok.directories;
  }

  forget(): void {
    this.#turn += 1;
    this.directories = this.refusal = undefined;
    this.isMeasuring = false;
  }
}

export const found = new Found();
