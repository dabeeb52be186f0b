/** What came of each step, in the rail's words; undefined: nothing yet. */
import { checkUp } from "../doctor/checkUp.svelte";
import type { Runner } from "../generated/protocol";
import { setup as say } from "../messages/setup";
import { tools } from "../preinstall/tools.svelte";
import { reached } from "./claimed";
import type { Draft } from "./draft.svelte";
import type { Installation } from "./installation.svelte";
import type { Step } from "./steps";

export function outcome(
  step: Step,
  { draft, installation, runner, now }: { draft: Draft; installation: Installation; runner: Runner | undefined; now: Date },
): string | undefined {
  const { chosen } = draft;
  switch (step) {
    case "machine":
      if (checkUp.findings === undefined) return undefined;
      return checkUp.toMend > 0 ? say.checkedFindings({ n: checkUp.toMend }) : say.checked();
    case "tools": {
      const { essentials } = tools;
      if (essentials === undefined || essentials.unseen > 0) return undefined;
      const lacks = essentials.missing + essentials.trouble;
      return lacks > 0 ? say.toolsMissing({ n: lacks }) : say.toolsThere();
    }
    case "token": {
      if (!draft.hasClass) return undefined;
      const words = { class: chosen.resourceClass };
      if (chosen.way === "keep") return say.tokenStored(words);
      if (!draft.hasToken) return say.tokenNeeded(words);
      return chosen.way === "token" ? say.tokenHere(words) : say.tokenMade(words);
    }
    case "naming":
      return chosen.name === "" ? undefined : chosen.name;
    case "job-user":
      if (chosen.ownUser) return chosen.jobUser === "" ? undefined : say.runsAs({ user: chosen.jobUser });
      return chosen.name === "" ? undefined : say.runsAsYou();
    case "install":
      if (installation.isGoing) return say.installing();
      if (installation.refusal) return say.installTrouble();
      if (!installation.isDone) return undefined;
      return runner?.agent_version ? say.installed({ version: runner.agent_version }) : say.installing();
    case "claim": {
      if (!installation.isDone) return undefined;
      const come = reached(runner, now);
      if (come === "trouble") return say.installTrouble();
      return come === "works" ? say.claimed() : say.waiting();
    }
    case "pipeline":
      return undefined;
  }
}
