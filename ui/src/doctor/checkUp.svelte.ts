/** The last look at this machine, kept while the window is open; it is taken only when somebody asks. */
import { call } from "../bridge";
import type { Refusal } from "../calls";
import type { Finding, Level } from "../generated/protocol";

const RANK: Level[] = ["bad", "warn", "unknown", "note", "ok"];

class CheckUp {
  findings = $state.raw<Finding[]>();
  refusal = $state.raw<Refusal>();
  at = $state.raw<Date>();
  isLooking = $state(false);
  /** Bad ones and warnings. */
  toMend = $derived((this.findings ?? []).filter((it) => it.level === "bad" || it.level === "warn").length);
  unread = $derived((this.findings ?? []).filter((it) => it.level === "unknown").length);
  /** The worst first, also where a supervisor forgot to. */
  sorted = $derived([...(this.findings ?? [])].sort((a, b) => RANK.indexOf(a.level) - RANK.indexOf(b.level)));

  async look(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    const reply = await call({ call: "doctor" });
    this.isLooking = false;
    if ("refused" in reply) {
      this.refusal = reply.refused;
      return;
    }
    this.refusal = undefined;
    this.findings = reply.ok.findings;
    this.at = new Date();
  }

  forget(): void {
    this.findings = this.refusal = this.at = undefined;
    this.isLooking = false;
  }
}

export const checkUp = new CheckUp();
