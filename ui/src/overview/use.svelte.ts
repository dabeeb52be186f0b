/** What a task used over the last minutes, of what the supervisor tells while somebody looks; nobody is asked for it. */
import { SvelteMap } from "svelte/reactivity";
import type { Runner, TaskId, Usage } from "../generated/protocol";

/** As many as a line shows. */
const MOST = 60;

class Use {
  #of = new SvelteMap<TaskId, Usage[]>();

  /** One reading of each task that runs; those that are over are forgotten. */
  saw(runners: Runner[]): void {
    const tasks = runners.flatMap(({ task }) => (task ? [task] : []));
    for (const id of this.#of.keys()) if (!tasks.some((it) => it.id === id)) this.#of.delete(id);
    for (const { id, usage } of tasks) {
      const before = this.#of.get(id) ?? [];
      const last = before.at(-1);
      // A snapshot that tells of something else is no new reading.
      const isSame = last && usage && last.cpu_seconds === usage.cpu_seconds && last.memory === usage.memory;
      if (usage && !isSame) this.#of.set(id, [...before, usage].slice(-MOST));
    }
  }

  of(task: TaskId): Usage[] {
    return this.#of.get(task) ?? [];
  }

  forget(): void {
    this.#of.clear();
  }
}

export const use = new Use();
