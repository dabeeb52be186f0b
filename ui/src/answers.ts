/** The shapes that calls take and give which are not in the snapshot; `crates/protocol` has the Rust of each. */
import type { FinishedTask, ResourceClass, RunnerName, TaskId, TaskResult, TokenStore } from "./generated/protocol";

/** What the app knows of where it runs. */
export type AboutHere = {
  /** The machine's own name, without a domain: a good name for a runner. */
  host: string;
  user: string;
  platform: "linux" | "macos";
  app_version: string;
  /** `settings.toml`, which may be edited by hand. */
  settings_file: string;
  home: string;
};

export type Allowed = { allowed: boolean };

/** What starts at login. */
export type Login = {
  /** What would start the supervisor here; `none`: it is started when the app is. */
  service: "systemd" | "launchd" | "none";
  supervisor: boolean;
  app: boolean;
};

/** The closed list of pages that can be opened. */
export type DocPage =
  /** CircleCI: User Settings, Personal API Tokens. */
  | "personal-tokens"
  /** CircleCI: Self-hosted runners, where classes and their tokens are made. */
  | "self-hosted-runners"
  /** CircleCI's runner documentation: what a job may do on a runner. */
  | "runner-security"
  /** CircleCI's runner FAQ. */
  | "runner-faq";

/** `GET /v1/history`'s query. */
export type HistoryQuery = {
  runner?: RunnerName;
  result?: TaskResult["outcome"];
  /** By its whole name. */
  project?: string;
  /** RFC 3339: that ended then or later. */
  since?: string;
  /** RFC 3339: that ended before then. */
  until?: string;
  before?: TaskId;
  limit?: number;
};

export type HistoryPage = {
  tasks: FinishedTask[];
  /** Pass as `before` to go on; null at the end. */
  before: TaskId | null;
};

export type AgentRelease = { version: string; sha256: string; path: string; used_by: RunnerName[] };

/** YAML. */
export type Text = { yaml: string };

/** `RunnerSpec`: everything about a runner that the user decides, but for its name and token. */
export type RunnerConfig = {
  resource_class: ResourceClass;
  /** Absolute. */
  working_directory?: string;
  api_url?: string;
  releases_url?: string;
  /** Null: jobs run as the owner again. */
  job_user?: string | null;
  token_store?: TokenStore;
};

export type SetUpDone = {
  /** Sentences; empty when everything was so already. */
  did: string[];
  /** True where a token was refused, forgotten or never given. */
  needs_token: boolean;
};

export type ClassListed = { id: string; resource_class: ResourceClass; description: string };

export type TokenListed = {
  id: string;
  nickname: string;
  /** As CircleCI writes it. */
  created_at: string | null;
  used_by: RunnerName[];
};

export type Rotation = {
  begun_at: string;
  nickname: string;
  old: string[];
  new: string | null;
  step: "create" | "swap" | "prove" | "delete" | "done" | "other";
};

export type Rotated = { rotation: Rotation; did: string[] };
