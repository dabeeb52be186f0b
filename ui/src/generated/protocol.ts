// Generated from crates/protocol by `./dev check --write`.

export type RunnerState = "problem" | "offline" | "draining" | "busy" | "updating" | "paused" | "idle" | "unknown";

export type PauseBy = "you" | "disk" | "schedule" | "after-task" | "preinstall" | "other";

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

export type ProblemCode = "token-refused" | "token-missing" | "keychain-locked" | "keychain-waits" | "keychain-absent" | "keychain-refused" | "token-file-unusable" | "token-copied" | "rotation-unfinished" | "rotation-unreadable" | "agent-exits-at-start" | "agent-crashed" | "agent-not-installed" | "releases-unreachable" | "releases-refused" | "proxy-unusable" | "releases-untrusted" | "release-not-offered" | "release-unsound" | "no-room" | "install-stopped" | "agent-damaged" | "cannot-start" | "drain-unconfirmed" | "agent-unattended" | "offline" | "server-troubled" | "claim-refused" | "drain-ignored" | "cannot-save" | "after-task-refused" | "disk-nearly-full" | "cleanup-failed" | "state-unreadable" | "state-newer" | "history-unavailable" | "settings-unreadable" | "job-user-unusable" | "run-unreadable" | "task-unrecorded" | "task-lost" | "other";

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

export type FinishedTask = { id: TaskId, runner: RunnerName, project: string | null, branch: string | null, job: string | null, build_number: string | null, link: string | null, started_at: string, finished_at: string, result: TaskResult, 
/**
 * Where it worked, if its job chose a directory of its own; absent, too, where that is not known.
 */
directory?: string, };

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

export type Preferences = { keep_awake: KeepAwakePreference, notifications: NotificationPreference, cleanup?: CleanupPreference, };

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

export type PreferencesChange = { keep_awake?: KeepAwakeChange, notifications?: NotificationChange, cleanup?: CleanupChange, };

export type KeepAwakeChange = { on?: boolean, battery_floor_percent?: number, };

export type NotificationChange = { problems?: boolean, pause_ended?: boolean, tasks?: boolean, };

export type CleanupPreference = { 
/**
 * With less free on a volume that tasks fill, none is claimed; 0: never. Absent: 10 GB, or a
 * twentieth of the volume where that is less.
 */
stop_below_gb?: number, 
/**
 * With more free they are claimed again, and so much is what clean-up makes room for. Absent:
 * half as much again as the mark above.
 */
go_on_above_gb?: number, 
/**
 * A task waits for the clean-up before it so long at most.
 */
before_task_seconds: number, when_it_fails: WhenCleanupFails, 
/**
 * Processes that a task leaves behind are ended.
 */
end_left_overs: boolean, 
/**
 * Absent: never by itself.
 */
weekly?: Weekly, };

export type WhenCleanupFails = "go-on" | "fail-task";

export type Weekly = { 
/**
 * 1 is Monday, 7 is Sunday.
 */
day: number, 
/**
 * 0 to 23.
 */
hour: number, };

export type CleanupChange = { stop_below_gb?: number | null, go_on_above_gb?: number | null, before_task_seconds?: number, when_it_fails?: WhenCleanupFails, end_left_overs?: boolean, weekly?: Weekly | null, };

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
link: string | null, } | { "kind": "preinstall-failed" } | { "kind": "other" };

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

export type WorkDirs = { 
/**
 * The largest first, those whose size is not known at the end.
 */
directories: Array<WorkDir>, volumes: Array<Volume>, };

export type WorkDir = { 
/**
 * Names it in calls.
 */
id: WorkDirId, runner: RunnerName, kind: WorkDirKind, 
/**
 * For people: what is no text in it is escaped.
 */
path: string, 
/**
 * On disk; absent: not measured, or it cannot be read.
 */
size?: Bytes, files?: number, 
/**
 * When it was last worked in, as far as is known.
 */
used_at?: string, 
/**
 * The last task in it; gone from the history where `project` and `job` are absent.
 */
task?: TaskId, project?: string, job?: string, 
/**
 * The user that it belongs to, where that is not its owner.
 */
job_user?: string, in_use: WorkDirUse, 
/**
 * The owner's mark: no plan ever names it.
 */
never_delete: boolean, 
/**
 * Why it cannot be deleted from here, in words, with what to do where there is something; absent: it can.
 */
kept_because?: string, };

export type WorkDirId = string;

export type WorkDirKind = "current" | "kept" | "chosen" | "left" | "other";

export type WorkDirUse = "free" | "in-use" | "unknown";

export type Volume = { 
/**
 * A folder on it.
 */
path: string, 
/**
 * What of ours lies on it, in words ("tasks, temporary files").
 */
holds: string, total: Bytes, free: Bytes, 
/**
 * Below this no task is claimed.
 */
stops_below: Bytes, 
/**
 * Above this they are claimed again.
 */
goes_on_above: Bytes, };

export type MarkWorkDir = { id: WorkDirId, never_delete: boolean, };

export type Presets = { presets: Array<Preset>, };

export type Preset = { id: string, title: string, 
/**
 * What it touches, one sentence.
 */
touches: string, 
/**
 * What for, one sentence.
 */
why: string, risk: Risk, 
/**
 * Done by itself: before each task, or in the weekly run.
 */
on: boolean, 
/**
 * As it is without a word of the owner's.
 */
on_by_default: boolean, 
/**
 * It may run before a task; the others wait until no task runs.
 */
before_task: boolean, limits: Limits, 
/**
 * Those that hold without a word of the owner's.
 */
usual_limits: Limits, 
/**
 * Why it does nothing on this machine, one sentence; absent: it does.
 */
not_here?: string, 
/**
 * From the owner's settings.
 */
own: boolean, };

export type Risk = "low" | "medium" | "high";

export type Limits = { 
/**
 * The last so many.
 */
keep_last?: number, 
/**
 * What was used within so many days.
 */
unused_days?: number, 
/**
 * So many bytes together.
 */
at_most?: Bytes, };

export type PresetChange = { on?: boolean, 
/**
 * They take the place of all that hold: one that is not named has no say any more. None named: the
 * usual ones hold again.
 */
limits?: Limits, };

export type AskPlan = { 
/**
 * These presets; absent, and no directories are named: those that are on.
 */
presets?: Array<string>, 
/**
 * These working directories, whatever the presets say.
 */
directories: Array<WorkDirId>, 
/**
 * Of this runner alone.
 */
runner?: RunnerName, };

export type CleanupPlan = { 
/**
 * Names it in `POST /v1/cleanup`.
 */
id: string, made_at: string, 
/**
 * The largest first; those that have nothing to do here say why.
 */
groups: Array<PlanGroup>, 
/**
 * Of all groups, as far as is known before.
 */
bytes: Bytes, 
/**
 * Entries of all groups.
 */
entries: number, 
/**
 * What could not be looked at, such as all of a job user's, and is not in the plan.
 */
failures: Array<CleanupFailure>, };

export type PlanGroup = { 
/**
 * A preset's id, or `directories` for those that were named.
 */
preset: string, title: string, risk: Risk, 
/**
 * As far as is known before.
 */
bytes?: Bytes, 
/**
 * The largest first, at most 500.
 */
items: Array<PlanItem>, 
/**
 * So many more that are not listed here.
 */
more: number, 
/**
 * Why nothing, or not all, is done, one sentence.
 */
note?: string, };

export type PlanItem = { 
/**
 * A path, or a command line; escaped, to be shown as it is.
 */
what: string, bytes?: Bytes, used_at?: string, 
/**
 * Why it goes, without a final period.
 */
why: string, };

export type CarryOut = { plan: string, 
/**
 * Presets of the plan; absent: all.
 */
presets?: Array<string>, };

export type CleanupRuns = { why: CleanupWhy, stage: CleanupStage, since: string, 
/**
 * Entries that were looked at, or removed.
 */
entries: number, 
/**
 * Of those, on disk.
 */
bytes: Bytes, 
/**
 * What it will come to, where that is known.
 */
of?: Bytes, };

export type CleanupStage = "measuring" | "removing" | "other";

export type CleanupWhy = "you" | "before-task" | "weekly" | "low-disk" | "rest" | "other";

export type CleanupReceipts = { receipts: Array<CleanupReceipt>, 
/**
 * Pass as `before` to go on; absent at the end.
 */
before?: number, };

export type CleanupReceipt = { 
/**
 * Grows with every receipt.
 */
id: number, at: string, why: CleanupWhy, 
/**
 * Absent: of the whole machine.
 */
runner?: RunnerName, 
/**
 * The task that it was done for.
 */
task?: TaskId, 
/**
 * What was removed had so many bytes on disk. What a process has open, or a snapshot holds, comes
 * free later: see `volumes`.
 */
freed: Bytes, seconds: number, groups: Array<ReceiptGroup>, 
/**
 * What the file systems say, for each folder that something went from.
 */
volumes: Array<VolumeReceipt>, 
/**
 * What stayed and why, at most 100.
 */
failures: Array<CleanupFailure>, more_failures: number, 
/**
 * Until then `POST /v1/cleanup/undo` puts back what is in the trash; absent: nothing is.
 */
undo_until?: string, 
/**
 * It was put back.
 */
undone: boolean, 
/**
 * Why it ended before its end, one sentence.
 */
cut_short?: string, };

export type ReceiptGroup = { preset: string, title: string, planned: Bytes | null, freed: Bytes, 
/**
 * Entries that went.
 */
went: number, 
/**
 * Entries that stayed.
 */
stayed: number, 
/**
 * Of those that went, what lies in the trash and may be put back; absent: nothing.
 */
set_aside?: SetAside, 
/**
 * What a command said at its end, or why nothing was done.
 */
note?: string, };

export type SetAside = { entries: number, 
/**
 * As planned.
 */
bytes: Bytes, };

export type VolumeReceipt = { path: string, total: Bytes, free_before: Bytes, free_after: Bytes, };

export type CleanupFailure = { path: string, 
/**
 * One sentence.
 */
why: string, 
/**
 * What to do about it, one sentence or a command.
 */
way_out: string, };

export type UndoCleanup = { receipt: number, };

export type Undone = { put_back: number, 
/**
 * What could not be put back and why, one sentence each.
 */
not: Array<string>, };

export type WorkDirShort = { id: WorkDirId, runner: RunnerName, 
/**
 * The project, else the name of the directory.
 */
title: string, path: string, size?: Bytes, };

export type Preinstall = { items: Array<PreinstallItem>, presets: Array<PreinstallPreset>, 
/**
 * Items and presets of the owner's settings that cannot be followed, one sentence each.
 */
refused: Array<string>, };

export type PreinstallItem = { id: string, title: string, 
/**
 * One sentence.
 */
what_for: string, 
/**
 * The first is its home.
 */
links: Array<string>, 
/**
 * About so much on disk; absent: not known.
 */
size?: Bytes, how: PreinstallHow, 
/**
 * From the owner's settings.
 */
own: boolean, };

export type PreinstallHow = { "kind": "packages", 
/**
 * "apt", "brew", "npm": its name for people.
 */
by: string, names: Array<string>, 
/**
 * As an admin.
 */
admin: boolean, } | { "kind": "ours", what: string, } | { "kind": "human", words: string, } | { "kind": "other" };

export type PreinstallPreset = { id: string, title: string, what_for: string, items: Array<string>, 
/**
 * From the owner's settings.
 */
own: boolean, };

export type AskPreinstall = { items: Array<string>, presets: Array<string>, 
/**
 * As this runner's jobs find it; needed where several runners have other PATHs or users.
 */
runner?: RunnerName, 
/**
 * What is too old is installed anew; never without this word.
 */
upgrade: boolean, };

export type PreinstallJobs = { runner?: RunnerName, 
/**
 * The user that jobs run as.
 */
user: string, 
/**
 * It is another one than the owner.
 */
job_user: boolean, 
/**
 * The folders of its PATH, in order.
 */
path: Array<string>, };

export type PreinstallChecked = { at: string, jobs: PreinstallJobs, items: Array<ItemChecked>, };

export type ItemChecked = { id: string, title: string, state: ItemState, 
/**
 * What was read, without a final period.
 */
reading: string, version?: string, 
/**
 * Its file.
 */
found_at?: string, 
/**
 * The wanted range in words ("2.20 or newer"); absent: any.
 */
wants?: string, };

export type ItemState = "present" | "too-old" | "too-new" | "broken" | "missing" | "unknown";

export type PreinstallPlan = { 
/**
 * Names it in `POST /v1/preinstall/install`.
 */
id: string, made_at: string, jobs: PreinstallJobs, steps: Array<PreinstallStep>, 
/**
 * What no program can do.
 */
human: Array<HumanStep>, 
/**
 * What is there already.
 */
already: Array<ItemChecked>, 
/**
 * What is neither there nor installed by this plan.
 */
left: Array<PreinstallLeft>, 
/**
 * Of all steps, as far as is known.
 */
size: Bytes, 
/**
 * Some step needs an admin.
 */
admin: boolean, };

export type PreinstallStep = { title: string, 
/**
 * "apt", "brew", "npm".
 */
by: string, 
/**
 * As one would type it; escaped, to be shown as it is.
 */
command: string, 
/**
 * Ids.
 */
items: Array<string>, 
/**
 * About so much on disk, as far as is known.
 */
size?: Bytes, 
/**
 * It runs as an admin.
 */
admin: boolean, 
/**
 * It runs as this job user.
 */
as_user?: string, };

export type HumanStep = { 
/**
 * An item's id.
 */
item: string, title: string, 
/**
 * Sentences.
 */
words: string, link?: string, };

export type PreinstallLeft = { item: ItemChecked, 
/**
 * One sentence.
 */
why: string, };

export type StartPreinstall = { plan: string, asked_by: PreinstallAskedBy, };

export type PreinstallAskedBy = "app" | "cli";

export type PreinstallNow = { "kind": "checking", done: number, of: number, } | { "kind": "installing" } & PreinstallRuns | { "kind": "done" } & PreinstallReceipt | { "kind": "other" };

export type PreinstallRuns = { 
/**
 * The plan's.
 */
id: string, since: string, 
/**
 * From 1; 0 before the first.
 */
step: number, steps: number, 
/**
 * The step in words, or what is done between steps.
 */
title: string, 
/**
 * The items of this step: ids.
 */
items: Array<string>, 
/**
 * The last line that a tool wrote.
 */
last_line?: string, 
/**
 * What it waits for, who holds it.
 */
waits?: string, 
/**
 * It ends after this step.
 */
cancelling: boolean, 
/**
 * A supervisor that ended in the middle had begun it.
 */
taken_up: boolean, };

export type PreinstallReceipt = { id: string, at: string, seconds: number, items: Array<PreinstallOutcome>, 
/**
 * What is left for somebody to do by hand.
 */
human: Array<HumanStep>, 
/**
 * What was asked for and is neither there nor was to be installed, as the plan had it.
 */
left: Array<PreinstallLeft>, 
/**
 * Why it ended before its end, one sentence.
 */
cut_short?: string, taken_up: boolean, };

export type PreinstallOutcome = { outcome: PreinstallEnd, 
/**
 * As it is now.
 */
item: ItemChecked, 
/**
 * Of one that failed: the command.
 */
command?: string, 
/**
 * Of one that failed: what its tool said last, though it may have ended well; of one that nobody
 * allowed: that.
 */
said?: string, };

export type PreinstallEnd = "installed" | "failed" | "not-begun" | "other";

export type PreinstallOutput = { 
/**
 * About 64 kB at most.
 */
text: string, 
/**
 * The place of the first byte; later than asked for where the rest was cut away.
 */
from: number, 
/**
 * Pass as `from` to go on.
 */
next: number, 
/**
 * No more is written yet.
 */
at_end: boolean, };

export type SoftwareReport = { made_at: string, 
/**
 * "Debian GNU/Linux 12 (bookworm)".
 */
system: string, 
/**
 * As Rust names it: `x86_64`.
 */
arch: string, jobs: PreinstallJobs, items: Array<ItemChecked>, };

export type AskExport = { format: PreinstallFormat, items: Array<string>, presets: Array<string>, };

export type PreinstallFormat = "brewfile" | "apt-list" | "ansible";

export type PreinstallExport = { text: string, 
/**
 * What that format cannot say, one sentence each.
 */
left_out: Array<string>, };

export type AskImport = { format: PreinstallFormat, text: string, 
/**
 * The preset's id.
 */
preset: string, };

export type PreinstallImport = { preset: PreinstallPreset, 
/**
 * Items that nobody knew and that are the owner's now.
 */
new: Array<string>, 
/**
 * Lines that are no packages, one sentence each.
 */
left_out: Array<string>, };

export type JobPath = { runner: RunnerName, 
/**
 * The user that jobs run as.
 */
user: string, 
/**
 * What the settings put first.
 */
first: Array<string>, 
/**
 * What the agent is started with, the settings' folders included.
 */
agent: Array<string>, 
/**
 * What jobs really find: of a job user, as its own login has it.
 */
found: Array<string>, 
/**
 * Why `found` could not be read, one sentence.
 */
unreadable?: string, };

export type SetJobPath = { 
/**
 * Whole paths, or ones that begin with `~/`.
 */
first: Array<string>, };

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
notices?: NoticesSeen, 
/**
 * The volumes that tasks fill; none where they were not looked at.
 */
volumes?: Array<Volume>, 
/**
 * The clean-up that runs now.
 */
cleanup?: CleanupRuns, 
/**
 * Working directories, the largest first, as they were last looked at.
 */
work_dirs?: Array<WorkDirShort>, 
/**
 * What jobs need is looked at or installed, or was installed last.
 */
preinstall?: PreinstallNow, };

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

