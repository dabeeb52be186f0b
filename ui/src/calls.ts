/**
 * The calls of the local API that the window may have made for it, and what each gives; `Call` in src-tauri
 * mirrors it. A call is `{ call: NAME, ...its arguments }`; a token goes in with one and comes out of none.
 */
import type {
  AfterTaskAct,
  AskPlan,
  AskPreinstall,
  CarryOut,
  CleanupPlan,
  CleanupReceipt,
  CleanupReceipts,
  Findings,
  HistorySpans,
  JobPath,
  JobUserCheck,
  LogPage,
  LogSearch,
  MarkWorkDir,
  Notices,
  Preferences,
  PreferencesChange,
  Preinstall,
  PreinstallChecked,
  PreinstallOutput,
  PreinstallPlan,
  Preset,
  PresetChange,
  Presets,
  ResourceClass,
  RunId,
  RunnerName,
  TaskId,
  TokenStore,
  UndoCleanup,
  Undone,
  WorkDirs,
} from "./generated/protocol";
import type {
  AboutHere,
  AgentRelease,
  Allowed,
  ClassListed,
  DocPage,
  HistoryPage,
  HistoryQuery,
  Login,
  RunnerConfig,
  Rotated,
  Rotation,
  SetUpDone,
  Text,
  TokenListed,
} from "./answers";

/** What a call takes besides its name, and what its `ok` is. */
type Made<Takes, Gives> = { takes: Takes; gives: Gives };
type Nothing = Record<never, never>;
/** Asks CircleCI as somebody. The personal token is used for the one call; the app keeps and logs it nowhere. */
type As = { personal_token: string; api_url?: string };

export type Calls = {
  // This machine and the app itself; answered by the app without the supervisor.

  /** The machine's name, the user, the platform, versions, and where settings are. */
  about: Made<Nothing, AboutHere>;
  /** Whether supervisor and app start at login, and by which service. */
  login: Made<Nothing, Login>;
  /** Has them start at login, or not any more; what is absent stays. Gives what is so afterwards. */
  "set-login": Made<{ supervisor?: boolean; app?: boolean }, Login>;
  /** Asks the owner whether notifications may be shown, where the system wants that (macOS); once, then the answer stands. */
  "allow-notifications": Made<Nothing, Allowed>;
  /** Opens a page of documentation in the browser, by its name in a closed list. */
  "open-doc": Made<{ page: DocPage }, null>;
  /** Opens a finished task's page; refused (`link-not-allowed`) unless https and a host of CircleCI's or of a runner's server. */
  "open-link": Made<{ link: string }, null>;

  // Reading.

  /** `GET /v1/history`: tasks that are over, newest first. */
  history: Made<HistoryQuery, HistoryPage>;
  /** `GET /v1/history/days`: each local day from `from` to `to`, both included (`2026-11-24`), by the window's time zone. */
  "history-days": Made<{ from: string; to: string; tz: string; runner?: RunnerName }, HistorySpans>;
  /** `GET /v1/history/hours`: each hour of one local day. */
  "history-hours": Made<{ day: string; tz: string; runner?: RunnerName }, HistorySpans>;
  /** `GET /v1/notices`: what was told while nobody looked, the newest first. */
  notices: Made<{ since?: number; limit?: number }, Notices>;
  /** `GET /v1/runners/{runner}/logs`. `wait`: where nothing more is written yet, answers up to 25 s later; other calls go on meanwhile. */
  logs: Made<
    {
      runner: RunnerName;
      run?: RunId;
      /** One of these three, or none for the last there is. */
      from?: string;
      before?: string;
      lines?: number;
      /** In bytes. */
      limit?: number;
      wait?: boolean;
    },
    LogPage
  >;
  /** `GET /v1/runners/{runner}/logs/search`. */
  "search-logs": Made<{ runner: RunnerName; word: string; run?: RunId; from?: string; limit?: number }, LogSearch>;
  /** `GET /v1/doctor`; where no supervisor answers, the app asks the doctor itself as `runnerctl doctor` does. */
  doctor: Made<Nothing, Findings>;
  /** `GET /v1/agents`. */
  agents: Made<Nothing, AgentRelease[]>;
  /** `GET /v1/runners/{runner}/config`: what the agent was or would be started with, without the token. */
  "agent-config": Made<{ runner: RunnerName }, Text>;
  /** The lines for .circleci/config.yml that `runnerctl config snippet` prints. */
  snippet: Made<{ runner: RunnerName }, Text>;

  /** `GET /v1/workdirs`: what is known of each; `measure`: also those whose size is not known, which takes a while. */
  "work-dirs": Made<{ runner?: RunnerName; measure?: boolean }, WorkDirs>;
  /** `GET /v1/presets`. */
  presets: Made<Nothing, Presets>;
  /** `GET /v1/cleanup/receipts`: the newest first. */
  "cleanup-receipts": Made<{ before?: number; limit?: number }, CleanupReceipts>;

  // Wishes about the machine.

  /** `PUT /v1/preferences`: what is absent stays. The snapshot has them all the time. */
  "set-preferences": Made<{ change: PreferencesChange }, Preferences>;
  /** `PUT /v1/after-task`. */
  "after-task": Made<{ act: AfterTaskAct }, null>;
  /** `DELETE /v1/after-task`. */
  "forget-after-task": Made<Nothing, null>;
  /** `PUT /v1/notices/seen`. */
  "saw-notices": Made<{ up_to: number }, null>;

  /** `PUT /v1/workdirs/never-delete`. */
  "never-delete": Made<MarkWorkDir, null>;
  /** `PUT /v1/presets/{id}`: what is absent stays. */
  "change-preset": Made<{ id: string; change: PresetChange }, Preset>;
  /** `POST /v1/cleanup/plan`: what would go; measures, which takes a while. The newest plan is the one that can be carried out. */
  "plan-cleanup": Made<AskPlan, CleanupPlan>;
  /** `POST /v1/cleanup`: answered when it is done. It goes on where the window is closed. */
  "clean-up": Made<CarryOut, CleanupReceipt>;
  /** `DELETE /v1/cleanup`: ends what measures, plans or removes just now. */
  "stop-cleanup": Made<Nothing, null>;
  /** `POST /v1/cleanup/undo`. */
  "undo-cleanup": Made<UndoCleanup, Undone>;

  // What jobs need of the machine.

  /** `GET /v1/preinstall`: items and presets, without a look at the machine's tools. */
  preinstall: Made<Nothing, Preinstall>;
  /** `POST /v1/preinstall/check`: looks at tools as jobs find them, which takes a while; none named: at all. */
  "check-preinstall": Made<AskPreinstall, PreinstallChecked>;
  /** `POST /v1/preinstall/plan`: what would be installed. The newest plan is the one that can be carried out. */
  "plan-preinstall": Made<AskPreinstall, PreinstallPlan>;
  /** `POST /v1/preinstall/install`: answered when it has begun; the desktop asks for an admin's password. How it goes is in the snapshot. */
  "start-preinstall": Made<{ plan: string }, null>;
  /** `DELETE /v1/preinstall/install`: it ends after what it is at. */
  "cancel-preinstall": Made<Nothing, null>;
  /** `GET /v1/preinstall/output`: what tools wrote. */
  "preinstall-output": Made<{ from: number }, PreinstallOutput>;
  /** Opens the page that the catalogue names for an item; refused (`link-not-allowed`) unless https. */
  "open-item-link": Made<{ item: string }, null>;
  /** `GET /v1/runners/{runner}/path`: where its jobs find programs. */
  "job-path": Made<{ runner: RunnerName }, JobPath>;
  /** `PUT /v1/runners/{runner}/path`: these folders come first, once it has no task. */
  "set-job-path": Made<{ runner: RunnerName; first: string[] }, null>;

  // Wishes about one runner.

  /** `PUT /v1/runners/{runner}`. What is absent stays; `token` is the resource class token. */
  "set-up": Made<{ runner: RunnerName; config: RunnerConfig; token?: string }, SetUpDone>;
  /** `DELETE /v1/runners/{runner}`; refused (`busy`) while it runs a task. */
  remove: Made<{ runner: RunnerName }, null>;
  /** `POST /v1/job-user/check`: whether jobs could run as this user now, or the admin's exact steps. */
  "check-job-user": Made<{ user: string }, JobUserCheck>;
  /** `PUT /v1/runners/{runner}/token`. */
  "set-token": Made<{ runner: RunnerName; token: string }, null>;
  /** `DELETE /v1/runners/{runner}/token`. */
  "forget-token": Made<{ runner: RunnerName }, null>;
  /** `PUT /v1/runners/{runner}/token/store`. */
  "move-token": Made<{ runner: RunnerName; to: TokenStore }, null>;
  /** `PUT /v1/runners/{runner}/pause` to a moment of the user's own, RFC 3339; absent: until resumed. */
  pause: Made<{ runner: RunnerName; until?: string; note?: string }, null>;
  /** `POST /v1/runners/{runner}/cancel`. The button that sends it has named the task and the consequence. */
  "cancel-task": Made<{ runner: RunnerName; task: TaskId }, null>;
  /** `PUT /v1/runners/{runner}/install`. */
  install: Made<{ runner: RunnerName }, null>;
  /** `DELETE /v1/runners/{runner}/install`. */
  "stop-install": Made<{ runner: RunnerName }, null>;
  /** `POST /v1/stop`: ends the supervisor; agents and tasks go on. */
  "stop-supervisor": Made<Nothing, { pid: number; left_running: RunnerName[] }>;

  // What CircleCI is asked, with a personal token.

  /** `POST /v1/circleci/classes/list`. */
  "list-classes": Made<As & { namespace: string }, ClassListed[]>;
  /** `POST /v1/circleci/classes/create`. */
  "create-class": Made<As & { resource_class: ResourceClass; description: string; org_id?: string }, ClassListed>;
  /** `POST /v1/circleci/tokens/list`. */
  "list-tokens": Made<As & { resource_class: ResourceClass }, TokenListed[]>;
  /** `POST /v1/circleci/tokens/delete`. */
  "delete-token": Made<As & { resource_class: ResourceClass; id: string; force?: boolean }, null>;
  /** `POST /v1/runners/{runner}/new-token`: created for the runner and stored as its own; no window ever sees it. */
  "create-token": Made<{ personal_token: string; runner: RunnerName; nickname: string }, TokenListed>;
  /** `POST /v1/runners/{runner}/rotation`: begins one or goes on with it. */
  rotate: Made<{ personal_token: string; runner: RunnerName; old_token?: string; keep_old?: boolean }, Rotated>;
  /** `GET /v1/runners/{runner}/rotation`; null where none was begun. `wait`: as with logs. */
  rotation: Made<{ runner: RunnerName; wait?: boolean }, Rotation | null>;
};

export type CallName = keyof Calls;
export type CallOf<Name extends CallName> = { call: Name } & Calls[Name]["takes"];
export type Call = { [Name in CallName]: CallOf<Name> }[CallName];
export type Gives<Name extends CallName> = Calls[Name]["gives"];

/**
 * Why a call was not done. `code` is the supervisor's (`protocol::ApiError`), or one of the app's:
 * `supervisor-absent`, `supervisor-unclear`, `link-not-allowed`, `failed`.
 */
export type Refusal = {
  code: string;
  /** What is wrong, one sentence. */
  title: string;
  /** More to copy: an error of the system. Never a token. */
  detail?: string;
  /** The way out. */
  hint: string;
};

/** What every call gives back. */
export type Reply<T> = { ok: T } | { refused: Refusal };
