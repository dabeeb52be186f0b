/** Where the window is: which page, and which runner's part of it. Kept over its closing, as windows keep their place. */
import type { Page } from "./bridge";
import type { RunnerName } from "./generated/protocol";
import { keep, kept } from "./kept";
import { PAGES } from "./pages";

type Kept = { page: Page; runner?: RunnerName; edits?: RunnerName };
const KEY = "place";

/**
 * What is to be opened of a runner's settings or of its change, what is to be planned (a clean-up, what jobs need most), or
 * what a clean-up left; followed once.
 */
type Part = "token" | "remove" | "releases" | "job-user" | "plan" | "essentials" | "receipts";

class Place {
  page = $state<Page>("overview");
  /** The runner whose log or settings are meant; undefined: the first there is. */
  runner = $state<RunnerName>();
  /** The runner that the wizard changes; undefined: it sets up a new one, or goes on with what was left. */
  edits = $state<RunnerName>();

  part = $state<Part>();

  constructor() {
    this.restore();
  }

  restore(): void {
    const { page, runner, edits } = kept<Kept>(KEY) ?? { page: "overview" as const };
    this.page = PAGES.some((it) => it.page === page) || page === "set-up" ? page : "overview";
    this.runner = runner;
    this.edits = edits;
  }

  edit(runner: RunnerName, part?: "releases" | "job-user"): void {
    this.#go("set-up", runner, part);
  }

  go(page: Page, runner?: RunnerName, part?: Part): void {
    if (runner !== undefined) this.runner = runner;
    this.#go(page, undefined, part);
  }

  #go(page: Page, edits: RunnerName | undefined, part: Part | undefined): void {
    this.part = part;
    this.page = page;
    this.edits = edits;
    keep(KEY, { page, runner: this.runner, edits });
  }
}

export const place = new Place();
