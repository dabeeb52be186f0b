// Generated from crates/protocol by `./dev check --write`.

export type RunnerState = "problem" | "offline" | "draining" | "busy" | "updating" | "paused" | "idle" | "unknown";

export type PauseBy = "you" | "disk" | "schedule" | "other";

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

export type ProblemCode = "token-refused" | "token-missing" | "keychain-locked" | "keychain-waits" | "keychain-absent" | "keychain-refused" | "token-file-unusable" | "token-copied" | "agent-exits-at-start" | "agent-crashed" | "agent-not-installed" | "releases-unreachable" | "releases-refused" | "releases-untrusted" | "release-not-offered" | "release-unsound" | "no-room" | "install-stopped" | "agent-damaged" | "cannot-start" | "drain-unconfirmed" | "agent-unattended" | "offline" | "server-troubled" | "claim-refused" | "drain-ignored" | "cannot-save" | "state-unreadable" | "state-newer" | "history-unavailable" | "settings-unreadable" | "job-user-unusable" | "run-unreadable" | "task-unrecorded" | "task-lost" | "other";

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

export type Runner = { name: RunnerName, resource_class: ResourceClass, state: RunnerState, 
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
install: Install | null, last_task: FinishedTask | null, };

export type Snapshot = { 
/**
 * Grows by one with every change since the supervisor started.
 */
revision: number, supervisor: SupervisorInfo, runners: Array<Runner>, 
/**
 * Problems of the machine as a whole; a runner's own are with the runner.
 */
problems: Array<Problem>, };

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

