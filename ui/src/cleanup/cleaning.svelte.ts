/** The plan that was made, what came of it and what can be put back, while the window is open. The engine keeps one plan, and so does this. */
import { call } from "../bridge";
import type { Refusal } from "../calls";
import type { AskPlan, CleanupPlan, CleanupReceipt, Undone, WorkDirId } from "../generated/protocol";

const RECEIPTS = 20;

class Cleaning {
  plan = $state.raw<CleanupPlan>();
  /** What the plan came to. */
  receipt = $state.raw<CleanupReceipt>();
  undone = $state.raw<Undone>();
  refusal = $state.raw<Refusal>();
  receipts = $state.raw<CleanupReceipt[]>();
  /** Where those begin that were not read yet. */
  earlier = $state.raw<number>();
  isPlanning = $state(false);
  isCarrying = $state(false);
  /** Whoever ended it knows why it gave nothing. */
  #stopped = false;
  #change: Promise<unknown> = Promise.resolve();

  /** What was said on another page is not said again. */
  enter(): void {
    if (this.isPlanning || this.isCarrying) return;
    this.refusal = this.undone = undefined;
  }

  /** A plan is made with the limits that were written last, also where the click that asks for it ended the writing. */
  before<T>(change: Promise<T>): Promise<T> {
    this.#change = change;
    return change;
  }

  settled(): Promise<unknown> {
    return this.#change;
  }

  async make(asked: AskPlan): Promise<void> {
    if (this.isPlanning || this.isCarrying) return;
    this.#begin();
    this.isPlanning = true;
    await this.#change;
    this.plan = await this.#planned(asked);
  }

  async #planned(asked: AskPlan): Promise<CleanupPlan | undefined> {
    this.isPlanning = true;
    const reply = await call({ call: "plan-cleanup", ...asked });
    this.isPlanning = false;
    // A part of a plan is none.
    if (this.#stopped) return undefined;
    if ("refused" in reply) this.refusal = reply.refused;
    return "ok" in reply ? reply.ok : undefined;
  }

  /** These groups of the plan. */
  async carryOut(presets: string[]): Promise<void> {
    if (!this.plan || this.isCarrying) return;
    const { id } = this.plan;
    this.#begin();
    this.receipt = await this.#carried(id, presets);
  }

  async #carried(plan: string, presets?: string[]): Promise<CleanupReceipt | undefined> {
    this.isCarrying = true;
    const reply = await call({ call: "clean-up", plan, ...(presets ? { presets } : {}) });
    this.isCarrying = false;
    if ("refused" in reply) this.refusal = reply.refused;
    await this.readReceipts();
    return "ok" in reply ? reply.ok : undefined;
  }

  /** These directories at once; what came of it, or nothing where it was refused. */
  async remove(directories: WorkDirId[]): Promise<CleanupReceipt | undefined> {
    if (this.isPlanning || this.isCarrying) return undefined;
    this.#begin();
    const plan = await this.#planned({ directories });
    return plan && this.#carried(plan.id);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const reply = await call({ call: "stop-cleanup" });
    if ("refused" in reply) this.refusal = reply.refused;
  }

  async putBack(receipt: number): Promise<void> {
    const reply = await call({ call: "undo-cleanup", receipt });
    this.refusal = "refused" in reply ? reply.refused : undefined;
    if ("ok" in reply) this.undone = reply.ok;
    if (this.receipt?.id === receipt) this.receipt = undefined;
    await this.readReceipts();
  }

  async readReceipts(): Promise<void> {
    const reply = await call({ call: "cleanup-receipts", limit: RECEIPTS });
    // One that cannot be read now was perhaps read before.
    if ("ok" in reply) [this.receipts, this.earlier] = [reply.ok.receipts, reply.ok.before];
  }

  /** Adds the next page. */
  async readEarlier(): Promise<void> {
    if (this.earlier === undefined) return;
    const before = this.earlier;
    const reply = await call({ call: "cleanup-receipts", limit: RECEIPTS, before });
    // The list may have been read anew meanwhile.
    if (!("ok" in reply) || this.earlier !== before) return;
    this.receipts = [...(this.receipts ?? []), ...reply.ok.receipts];
    this.earlier = reply.ok.before;
  }

  /** Nothing of it was done. */
  discard(): void {
    this.plan = this.receipt = this.refusal = undefined;
  }

  forget(): void {
    this.discard();
    this.undone = this.receipts = this.earlier = undefined;
    this.isPlanning = this.isCarrying = this.#stopped = false;
  }

  #begin(): void {
    this.discard();
    this.undone = undefined;
    this.#stopped = false;
  }
}

export const cleaning = new Cleaning();

/** What can still be put back at this moment. */
export function undoable(receipts: CleanupReceipt[] | undefined, now: Date): CleanupReceipt[] {
  return (receipts ?? []).filter(({ undo_until: until, undone }) => until !== undefined && !undone && new Date(until) > now);
}
