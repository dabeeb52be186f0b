/** What was chosen so far. It is taken up again after the window was closed, but for what is secret, which is never kept. */
import type { RunnerConfig } from "../answers";
import type { Runner, RunnerName, TokenStore } from "../generated/protocol";
import { drop, keep, kept } from "../kept";
import type { Step } from "./steps";

/** A token that was pasted, one that a personal token makes, or the one that is stored. */
export type Way = "token" | "personal" | "keep";

type Kept = {
  step: Step;
  edits: RunnerName | null;
  way: Way;
  resourceClass: string;
  namespace: string;
  isNewClass: boolean;
  description: string;
  /** The organisation's id, which CircleCI may want for a new class. */
  org: string;
  name: string;
  directory: string;
  store: TokenStore;
  apiUrl: string;
  releasesUrl: string;
  ownUser: boolean;
  jobUser: string;
  atLogin: boolean;
  /** As it is before an edit: its token's place, its server, its job user. */
  was: { store: TokenStore; apiUrl: string; jobUser: string };
};

/** A new runner's, and one for each that is changed: none is taken for another, and none is lost for another. */
const keyOf = (edits: RunnerName | undefined) => (edits === undefined ? "set-up" : `set-up of ${edits}`);
const EMPTY: Kept = {
  step: "machine",
  edits: null,
  way: "token",
  resourceClass: "",
  namespace: "",
  isNewClass: false,
  description: "",
  org: "",
  name: "",
  directory: "",
  store: "keychain",
  apiUrl: "",
  releasesUrl: "",
  ownUser: false,
  jobUser: "",
  atLogin: true,
  was: { store: "keychain", apiUrl: "", jobUser: "" },
};

/** Where CircleCI's cloud is; in no snapshot, because it is what is meant where none is named. */
const CLOUD = "https://runner.circleci.com";

export class Draft {
  chosen = $state<Kept>({ ...EMPTY });
  /** Secret: in memory alone, gone with the window. */
  token = $state("");
  personal = $state("");

  /** Whether somebody was sent to the addresses; followed once. */
  opensServer = false;

  readonly #key: string;

  /** Of a new runner, or of the one that `edits` names; `of` is how that one is now, where that is known. */
  constructor(edits?: RunnerName, of?: Runner) {
    this.#key = keyOf(edits);
    const last = kept<Kept>(this.#key);
    this.chosen = last ? { ...EMPTY, ...last } : of ? edit(of) : { ...EMPTY };
  }

  get edits(): RunnerName | null {
    return this.chosen.edits;
  }

  go(step: Step): void {
    this.chosen.step = step;
    this.keep();
  }

  /** The addresses, which are folded away otherwise. */
  showServer(): void {
    this.opensServer = true;
    this.go("naming");
  }

  keep(): void {
    keep(this.#key, this.chosen);
  }

  /** It is done, or not wanted any more. */
  forget(): void {
    this.token = this.personal = "";
    drop(this.#key);
  }

  /** The secrets have done their work. */
  forgetSecrets(): void {
    this.token = this.personal = "";
  }

  get hasClass(): boolean {
    return CLASS.test(this.chosen.resourceClass);
  }

  /** Whether there is what the last step needs. */
  get hasToken(): boolean {
    if (this.chosen.way === "keep") return true;
    return this.chosen.way === "token" ? isWord(this.token) : isWord(this.personal);
  }

  get hasName(): boolean {
    const { name, directory, apiUrl, releasesUrl } = this.chosen;
    return NAME.test(name) && isFolder(directory) && isAddress(apiUrl) && isAddress(releasesUrl);
  }

  get hasUser(): boolean {
    return !this.chosen.ownUser || USER.test(this.chosen.jobUser);
  }

  /** What the runner is to be; what is empty stays as it is. */
  config(): RunnerConfig {
    const { resourceClass, directory, releasesUrl, ownUser, jobUser, store, was } = this.chosen;
    const apiUrl = this.chosen.apiUrl === "" && was.apiUrl !== "" ? CLOUD : this.chosen.apiUrl;
    return {
      resource_class: resourceClass,
      ...(directory === "" ? {} : { working_directory: directory }),
      ...(apiUrl === "" ? {} : { api_url: apiUrl }),
      ...(releasesUrl === "" ? {} : { releases_url: releasesUrl }),
      ...(ownUser ? { job_user: jobUser } : was.jobUser !== "" ? { job_user: null } : {}),
      ...(this.edits === null || store !== was.store ? { token_store: store } : {}),
    };
  }
}

/** As the supervisor checks them. */
export const CLASS = /^[a-z0-9_-]+\/[A-Za-z0-9:_+-]+$/;
export const CLASS_NAME = /^[A-Za-z0-9:_+-]+$/;
export const NAMESPACE = /^[a-z0-9_-]+$/;
const NAME = /^(?!\.+$)[A-Za-z0-9.()_-]{1,128}$/;
const USER = /^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/;

export function isWord(token: string): boolean {
  return /^\S+$/.test(token.trim());
}

export function isName(name: string): boolean {
  return NAME.test(name);
}

export function isUser(user: string): boolean {
  return USER.test(user);
}

export function isFolder(path: string): boolean {
  return path === "" || path.startsWith("/");
}

export function isAddress(url: string): boolean {
  return url === "" || /^https:\/\/\S+$/.test(url) || /^http:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?(\/\S*)?$/.test(url);
}

function edit(runner: Runner): Kept {
  const { boundary, api_url: apiUrl = "", token_store: store = "keychain" } = runner;
  const jobUser = boundary.kind === "job-user" ? boundary.user : "";
  return {
    ...EMPTY,
    step: "token",
    edits: runner.name,
    way: "keep",
    resourceClass: runner.resource_class,
    name: runner.name,
    store,
    apiUrl,
    ownUser: jobUser !== "",
    jobUser,
    was: { store, apiUrl, jobUser },
  };
}
