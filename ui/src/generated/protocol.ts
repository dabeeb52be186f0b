// Generated from crates/protocol by `./dev check --write`.

export type RunnerState = "problem" | "offline" | "draining" | "busy" | "updating" | "paused" | "idle" | "unknown";

export type PauseBy = "you" | "disk" | "schedule" | "after-task" | "other";

export type PauseReason = { by: PauseBy, since: string, 
/**
 * When it ends by itself; absent = never.
 */
until?: string, 
/**
 * The user's own words.
 */
note?: string, 
/**
 * What was read that led to it ("free 9.8 GB, needs 15 GB").
 */
reading?: string, };

export type ProblemCode = "token-refused" | "token-missing" | "keychain-locked" | "keychain-waits" | "keychain-absent" | "keychain-refused" | "token-file-unusable" | "token-copied" | "rotation-unfinished" | "rotation-unreadable" | "agent-exits-at-start" | "agent-crashed" | "agent-not-installed" | "releases-unreachable" | "releases-refused" | "releases-untrusted" | "release-not-offered" | "release-unsound" | "no-room" | "disk-nearly-full" | "install-stopped" | "agent-damaged" | "cannot-start" | "drain-unconfirmed" | "agent-unattended" | "offline" | "server-troubled" | "claim-refused" | "drain-ignored" | "cannot-save" | "after-task-refused" | "state-unreadable" | "state-newer" | "history-unavailable" | "settings-unreadable" | "job-user-unusable" | "run-unreadable" | "task-unrecorded" | "task-lost" | "other";

export type Problem = { code: ProblemCode, 
/**
 * What happened, one sentence.
 */
summary: string, 
/**
 * The reading that says so ("exit code 1, 0.4 s after start").
 */
reading?: string, 
/**
 * What to do now.
 */
hint: string, 
/**
 * Text to copy: last log lines, an error of the system. Redacted.
 */
details?: string, since: string, };

export type Boundary = { "kind": "same-user", 
/**
 * What that means, in the words of promise 4.
 */
meaning: string, } | { "kind": "job-user", user: string, meaning: string, } | { "kind": "unknown" };

export type Install = { version: string | null, received: Bytes, total: Bytes | null, 
/**
 * A second, over the last few seconds; absent until it is known.
 */
rate?: Bytes, seconds_left?: number, 
/**
 * It stands still until it is tried again.
 */
waits?: InstallWaits, };

export type InstallWaits = { why: string, until: string, };

export type Usage = { processes: number, 
/**
 * Of one core; 250 = two and a half cores. Absent at the first sample.
 */
cpu_percent: number | null, cpu_seconds: number, memory: Bytes, };

export type Task = { id: TaskId, started_at: string, project: string | null, branch: string | null, job: string | null, build_number: string | null, 
/**
 * The job's page; always https or http.
 */
link: string | null, step: string | null, directory: string | null, pid: number | null, 
/**
 * The user has confirmed its end and the signal is on its way.
 */
cancelling: boolean, 
/**
 * Sampled while somebody looks.
 */
usage: Usage | null, };

export type TaskResult = { "outcome": "succeeded" } | { "outcome": "failed", exit_code: number | null, } | { "outcome": "cancelled" } | { "outcome": "lost" } | { "outcome": "unknown" };

export type FinishedTask = { id: TaskId, runner: RunnerName, project: string | null, branch: string | null, job: string | null, build_number: string | null, link: string | null, started_at: string, finished_at: string, result: TaskResult, };

export type SupervisorInfo = { version: string, pid: number, started_at: string, };

export type Runner = { name: RunnerName, resource_class: ResourceClass, 
/**
 * CircleCI's address, where it is not the cloud's.
 */
api_url?: string, state: RunnerState, 
/**
 * The state in words, without the runner's name: "Finishing a task, then paused".
 */
headline: string, state_since: string, pause_reasons: Array<PauseReason>, task: Task | null, problems: Array<Problem>, agent_version: string | null, agent_pid: number | null, run: RunId | null, 
/**
 * Where tasks work by default.
 */
working_directory: string, boundary: Boundary, 
/**
 * The download in progress.
 */
install: Install | null, last_task: FinishedTask | null, 
/**
 * What CircleCI made of the token.
 */
token: TokenSeen, 
/**
 * Where the token is kept; absent where the settings do not name the runner, and from a
 * supervisor that does not tell.
 */
token_store?: TokenStore, };

export type TokenSeen = "accepted" | "refused" | "missing" | "untried";

export type TokenStore = "keychain" | "file";

export type Preferences = { keep_awake: KeepAwakePreference, notifications: NotificationPreference, };

export type KeepAwakePreference = { on: boolean, 
/**
 * On battery below this the machine may sleep all the same; 0 to 100.
 */
battery_floor_percent: number, };

export type NotificationPreference = { 
/**
 * Problems, and that they are over.
 */
problems: boolean, 
/**
 * Pauses that end, or begin, by themselves.
 */
pause_ended: boolean, 
/**
 * Every task that is over.
 */
tasks: boolean, };

export type PreferencesChange = { keep_awake?: KeepAwakeChange, notifications?: NotificationChange, };

export type KeepAwakeChange = { on?: boolean, battery_floor_percent?: number, };

export type NotificationChange = { problems?: boolean, pause_ended?: boolean, tasks?: boolean, };

export type KeepAwake = { held: boolean, 
/**
 * A task runs and the machine may sleep all the same: why, one sentence.
 */
why_not?: string, };

export type AfterTaskAct = "pause" | "quit" | "sleep" | "restart";

export type WantAfterTask = { do: AfterTaskAct, };

export type AfterTask = { do: AfterTaskAct, since: string, 
/**
 * The runners whose task or agent has not ended yet.
 */
waits_for: Array<RunnerName>, };

export type NoticeAbout = { "kind": "problem", code: ProblemCode, } | { "kind": "healed", code: ProblemCode, } | { "kind": "pause-ended" } | { "kind": "after-task", do: AfterTaskAct, } | { "kind": "task-ended", task: TaskId, result: TaskResult, 
/**
 * Its page; always https or http.
 */
link: string | null, } | { "kind": "other" };

export type NoticeOffer = "resume" | "open" | "details" | "other";

export type Notice = { 
/**
 * Grows with every notice, for ever.
 */
id: number, at: string, 
/**
 * Absent: the machine as a whole.
 */
runner?: RunnerName, about: NoticeAbout, 
/**
 * One line. Like `body` it may hold names that a pipeline chose: text, never markup.
 */
title: string, body: string, 
/**
 * What can be done about it, the best first.
 */
offers: Array<NoticeOffer>, };

export type NoticesSeen = { 
/**
 * The id of the newest notice; 0 before the first.
 */
newest: number, 
/**
 * Up to here the owner has seen them, by `PUT /v1/notices/seen`.
 */
seen: number, };

export type Notices = { notices: Array<Notice>, 
/**
 * The id of the newest notice; 0 before the first.
 */
newest: number, 
/**
 * Up to here the owner has seen them, by `PUT /v1/notices/seen`.
 */
seen: number, };

export type SeenNotices = { up_to: number, };

export type HistorySpan = { 
/**
 * The local day, `2026-11-24`.
 */
day: string, 
/**
 * The hour it begins in by the local clock, 0 to 23; absent for a whole day.
 */
hour?: number, from: string, 
/**
 * The first moment that is no longer part of it.
 */
to: string, tasks: number, succeeded: number, failed: number, cancelled: number, lost: number, 
/**
 * Over, and nothing tells how.
 */
unknown: number, 
/**
 * In seconds; absent where no task ended.
 */
median_seconds: number | null, 
/**
 * In seconds; absent where no task ended.
 */
longest_seconds: number | null, 
/**
 * Seconds in which a task ran, summed over runners; a task that runs now is not counted yet.
 */
lent_seconds: number, };

export type HistorySpans = { 
/**
 * The time zone's IANA name, where it has one.
 */
tz: string | null, 
/**
 * In the order of time.
 */
spans: Array<HistorySpan>, };

export type CheckJobUser = { user: string, };

export type AdminStep = { words: string, 
/**
 * For a shell.
 */
command?: string, 
/**
 * The line that goes into the file which `command` opens.
 */
line?: string, };

export type JobUserCheck = { user: string, usable: boolean, 
/**
 * What was found, one sentence; absent where it is usable.
 */
found?: string, 
/**
 * What an admin does once, in this order; empty where nothing is to be done or nothing helps.
 */
steps: Array<AdminStep>, };

export type Snapshot = { 
/**
 * Grows by one with every change since the supervisor started.
 */
revision: number, supervisor: SupervisorInfo, runners: Array<Runner>, 
/**
 * Problems of the machine as a whole; a runner's own are with the runner.
 */
problems: Array<Problem>, 
/**
 * Absent where the settings cannot be read, and from a supervisor that knows of none.
 */
preferences?: Preferences, 
/**
 * What happens once no task runs any more, where somebody asked for something.
 */
after_task?: AfterTask, 
/**
 * Absent from a supervisor that keeps nothing awake.
 */
keep_awake?: KeepAwake, 
/**
 * Absent from a supervisor that gives no notice, and where they cannot be read.
 */
notices?: NoticesSeen, };

export type LogPage = { 
/**
 * Whole lines, but for the last one where it is not whole yet, and for lines longer than a page.
 */
text: string, 
/**
 * Absent where the runner has not run yet.
 */
run: RunId | null, 
/**
 * The place of the first byte.
 */
from: string, 
/**
 * Pass as `from` to go on; where the run has ended and there is a later one that is named, unless
 * one run was asked for with `run`.
 */
next: string, 
/**
 * Pass as `before` for what stands above, in the run before this too; absent where that is
 * nothing.
 */
before: string | null, 
/**
 * True where no more is written yet.
 */
at_end: boolean, 
/**
 * The place after all that was written then: an end for whoever does not follow.
 */
end?: string, 
/**
 * Nothing will be added to this run any more.
 */
ended: boolean, 
/**
 * What stood between the place that was asked for and this page, and is deleted.
 */
missed: Bytes, };

export type FoundLine = { 
/**
 * The place of the text's first byte; pass it as `from` of `logs` to read there.
 */
at: string, 
/**
 * Without its line end.
 */
text: string, 
/**
 * False where the line is long and this is only what stands around the word.
 */
whole: boolean, };

export type LogSearch = { 
/**
 * Absent where the runner has not run yet.
 */
run: RunId | null, 
/**
 * First to last, at most `limit`.
 */
found: Array<FoundLine>, 
/**
 * Pass as `from` to go on, whether anything was found or not; absent at the end of the log.
 */
next: string | null, 
/**
 * How much was looked through for this answer.
 */
searched: Bytes, };

export type ApiError = { 
/**
 * HTTP status.
 */
status: number, 
/**
 * Stable, kebab-case; what a client branches on.
 */
code: string, 
/**
 * What is wrong, one sentence that names the thing.
 */
title: string, 
/**
 * The way out, one sentence.
 */
hint: string, };

export type Level = "bad" | "warn" | "note" | "ok" | "unknown";

export type Check = "system" | "user" | "network-home" | "files" | "settings" | "disk" | "tools" | "network" | "proxy" | "clock" | "sleep" | "token" | "job-user" | "other-agents" | "supervisor" | "other";

export type Finding = { check: Check, level: Level, 
/**
 * What was looked at: a folder, a host, a user.
 */
subject: string, 
/**
 * What was found there, one or two sentences without their final period.
 */
reading: string, 
/**
 * Why it matters.
 */
matters: string, 
/**
 * What to do; absent where there is nothing to mend.
 */
mend?: string, };

export type Findings = { findings: Array<Finding>, };

export type Bytes = number;

export type RunnerName = string;

export type ResourceClass = string;

export type RunId = string;

export type TaskId = string;

