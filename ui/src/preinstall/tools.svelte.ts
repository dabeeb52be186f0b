/** What is known of this machine's tools, and the plan that was made, while the window is open. The engine keeps one plan, and so does this. */
import { call } from "../bridge";
import type { Refusal } from "../calls";
import type {
  AskPreinstall,
  ItemChecked,
  Preinstall,
  PreinstallChecked,
  PreinstallJobs,
  PreinstallNow,
  PreinstallPlan,
  PreinstallReceipt,
  RunnerName,
} from "../generated/protocol";
import { keep, kept } from "../kept";
import { counts, ESSENTIALS } from "./words";

/** What is asked for; by its jobs' eyes, where several runners may have others. */
type Asked = { items?: string[]; presets?: string[]; upgrade?: boolean; runner: RunnerName | undefined };

/** A receipt is told for as long as it is the last one, and closed for as long. */
const CLOSED = "preinstall-closed";

class Tools {
  known = $state.raw<Preinstall>();
  /** The last reading of each item. */
  found = $state.raw<ReadonlyMap<string, ItemChecked>>(new Map());
  jobs = $state.raw<PreinstallJobs>();
  at = $state.raw<Date>();
  plan = $state.raw<PreinstallPlan>();
  refusal = $state.raw<Refusal>();
  isLooking = $state(false);
  isPlanning = $state(false);
  /** What the last installation came to; a look meanwhile takes its place in the snapshot, and not here. */
  receipt = $state.raw<PreinstallReceipt>();
  /** The receipt that was read and closed. */
  closed = $state(kept<string>(CLOSED));
  /** The receipt that came while this window was open. */
  ended = $state<string>();
  /** Of the preset that every job expects. */
  essentials = $derived.by(() => {
    const ids = this.known?.presets.find((it) => it.id === ESSENTIALS)?.items;
    return this.known && ids && this.jobs ? counts(ids, this.found, this.known) : undefined;
  });
  #installing: string | undefined;
  #plan: Asked | undefined;

  /** What was said on another page is not said again. */
  enter(): void {
    if (!this.isLooking && !this.isPlanning) this.refusal = undefined;
  }

  async list(): Promise<void> {
    const reply = await call({ call: "preinstall" });
    if ("refused" in reply) this.refusal = reply.refused;
    else this.known = reply.ok;
  }

  /** Looks at all that nobody has looked at yet. */
  async begin(runner: RunnerName | undefined): Promise<void> {
    this.enter();
    await this.list();
    if (this.known?.items.some((it) => !this.found.has(it.id))) await this.look({ runner });
  }

  /** None named: all. */
  async look(asked: Asked): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    this.refusal = undefined;
    const reply = await call({ call: "check-preinstall", ...whole(asked) });
    this.isLooking = false;
    if ("refused" in reply) this.refusal = reply.refused;
    else this.#saw(reply.ok);
  }

  async make(asked: Asked): Promise<void> {
    if (this.isPlanning) return;
    this.isPlanning = true;
    this.plan = this.refusal = undefined;
    this.#plan = asked;
    const reply = await call({ call: "plan-preinstall", ...whole(asked) });
    this.isPlanning = false;
    if ("refused" in reply) {
      this.refusal = reply.refused;
      return;
    }
    this.plan = reply.ok;
    const read = [...this.plan.already, ...this.plan.left.map((it) => it.item)];
    this.#saw({ at: this.plan.made_at, jobs: this.plan.jobs, items: read });
  }

  /** The same plan, with what is too old. */
  async upgrade(): Promise<void> {
    if (this.#plan) await this.make({ ...this.#plan, upgrade: true });
  }

  /** It goes on in the supervisor, and the snapshot tells how. */
  async start(): Promise<void> {
    if (!this.plan) return;
    const { id } = this.plan;
    this.refusal = undefined;
    const reply = await call({ call: "start-preinstall", plan: id });
    if ("refused" in reply) {
      this.refusal = reply.refused;
      return;
    }
    this.#installing = id;
    this.plan = undefined;
  }

  async cancel(): Promise<void> {
    const reply = await call({ call: "cancel-preinstall" });
    if ("refused" in reply) this.refusal = reply.refused;
  }

  /** What the snapshot tells: a receipt of what was seen running is news. */
  saw(now: PreinstallNow | undefined): void {
    if (now?.kind === "done") this.receipt = now;
    else if (now?.kind !== "checking") this.receipt = undefined;
    if (now?.kind === "installing") this.#installing = now.id;
    if (now?.kind !== "done" || this.#installing === undefined) return;
    // One before it is no news; one without a name is of a record that could not be read.
    if (now.id !== this.#installing && now.id !== "") return;
    this.#installing = undefined;
    this.ended = now.id;
    if (this.jobs) this.#saw({ at: now.at, jobs: this.jobs, items: now.items.map((it) => it.item) });
  }

  /** Nothing of it was done. */
  discard(): void {
    this.plan = this.refusal = undefined;
  }

  /** The receipt was read. */
  close(): void {
    this.closed = this.receipt?.id;
    keep(CLOSED, this.closed);
  }

  forget(): void {
    this.discard();
    this.closed = kept(CLOSED);
    this.known = this.jobs = this.at = this.receipt = this.ended = this.#installing = this.#plan = undefined;
    this.found = new Map();
    this.isLooking = this.isPlanning = false;
  }

  /** What another runner's jobs find is another machine's word. */
  #saw({ at, jobs, items }: PreinstallChecked): void {
    const isSame = this.jobs?.user === jobs.user && this.jobs.path.join(":") === jobs.path.join(":");
    this.found = new Map([...(isSame ? this.found : []), ...items.map((it) => [it.id, it] as const)]);
    this.jobs = jobs;
    this.at = new Date(at);
  }
}

export const tools = new Tools();

function whole({ items = [], presets = [], upgrade = false, runner }: Asked): AskPreinstall {
  return { items, presets, upgrade, ...(runner === undefined ? {} : { runner }) };
}
