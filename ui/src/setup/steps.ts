/** The wizard's seven steps, in their order. The fifth is the first that changes anything. */
import { setup } from "../messages/setup";

export type Step = "machine" | "token" | "naming" | "job-user" | "install" | "claim" | "pipeline";

export const STEPS: { step: Step; title: () => string }[] = [
  { step: "machine", title: setup.machine },
  { step: "token", title: setup.token },
  { step: "naming", title: setup.naming },
  { step: "job-user", title: setup.jobUser },
  { step: "install", title: setup.install },
  { step: "claim", title: setup.claim },
  { step: "pipeline", title: setup.pipeline },
];

export function after(step: Step): Step {
  return STEPS[STEPS.findIndex((it) => it.step === step) + 1]?.step ?? "pipeline";
}

export function before(step: Step): Step {
  return STEPS[STEPS.findIndex((it) => it.step === step) - 1]?.step ?? "machine";
}
