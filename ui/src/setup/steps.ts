/** The wizard's eight steps, in their order. The sixth is the first that changes anything; the second, only what somebody asks for. */
import { setup } from "../messages/setup";

export type Step = "machine" | "tools" | "token" | "naming" | "job-user" | "install" | "claim" | "pipeline";

export const STEPS: { step: Step; title: () => string }[] = [
  { step: "machine", title: setup.machine },
  { step: "tools", title: setup.tools },
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
