/** Everything that can be done now, from the view alone. What needs a word from the user leads to the page that asks for it. */
import { ask, call, type Ask, type PauseLength, type Seen } from "../bridge";
import type { Refusal, Reply } from "../calls";
import { cleaning, undoable } from "../cleanup/cleaning.svelte";
import { checkUp } from "../doctor/checkUp.svelte";
import { timeOfDay } from "../formats";
import type { PreferencesChange, Runner, Snapshot } from "../generated/protocol";
import { palette as say } from "../messages/palette";
import { ACTS, aTaskRuns } from "../overview/afterTask";
import { PAGES } from "../pages";
import { copyText } from "../parts/copying";
import { place } from "../place.svelte";
import { tools } from "../preinstall/tools.svelte";

/** What a command gives: why it was not done, or nothing. */
export type Command = { title: string; run: () => Promise<Refusal | undefined> };

export function commands(seen: Seen, typed: string, now: Date): Command[] {
  const snapshot = seen.kind === "live" ? seen.snapshot : undefined;
  const runners = snapshot?.runners ?? [];
  return [
    ...pauses(runners, typed, now),
    ...PAGES.map(({ page, title }) => went(say.goTo({ page: title() }), () => place.go(page))),
    ...runners.flatMap((runner) => ofRunner(runner, runners.length > 1)),
    ...(snapshot ? ofDisk(snapshot, now) : []),
    ...(snapshot ? ofTools(snapshot) : []),
    // Before what quits more than the app.
    wish(say.quit(), { do: "quit" }),
    ...(snapshot ? ofMachine(snapshot) : []),
    went(say.setUp(), () => place.go("set-up")),
    went(say.classes(), () => place.go("set-up")),
    went(say.atLogin(), () => place.go("settings")),
    went(say.checkMachine(), () => {
      place.go("doctor");
      void checkUp.look();
    }),
    ...(seen.kind === "absent" ? [wish(say.startSupervisor(), { do: "start-supervisor" })] : []),
    ...(snapshot ? [called(say.stopSupervisor(), () => call({ call: "stop-supervisor" }))] : []),
    called(say.docFaq(), () => call({ call: "open-doc", page: "runner-faq" })),
    called(say.docTokens(), () => call({ call: "open-doc", page: "personal-tokens" })),
    called(say.docRunners(), () => call({ call: "open-doc", page: "self-hosted-runners" })),
  ];
}

/** Those in whose title every word that was typed occurs, in the order they had. */
export function matching(all: Command[], typed: string): Command[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter(({ title }) => words.every((word) => title.toLowerCase().includes(word)));
}

const LENGTHS: { how_long: PauseLength; verb: () => string }[] = [
  { how_long: "quarter-hour", verb: say.pauseQuarter },
  { how_long: "hour", verb: say.pauseHour },
  { how_long: "until-tomorrow", verb: say.pauseTomorrow },
  { how_long: "until-resumed", verb: say.pauseForGood },
];

function pauses(runners: Runner[], typed: string, now: Date): Command[] {
  const groups = runners.map((runner) => ({ of: [runner], called: runner.name }));
  if (runners.length > 1) groups.unshift({ of: runners, called: say.allRunners() });
  const name = (verb: string, called: string) => (runners.length > 1 ? say.ofRunner({ verb, runner: called }) : verb);
  const until = momentIn(typed, now);
  return groups.flatMap(({ of, called: group }) => {
    const names = of.map((it) => it.name);
    const held = of.some((it) => it.pause_reasons.some(({ by }) => by === "you"));
    const resume = of.some((it) => it.state === "draining") ? say.resumeAfter() : say.resume();
    return [
      ...(until ? [called(name(say.pauseUntil({ time: timeOfDay(until) }), group), () => pauseEach(of, until))] : []),
      ...(held ? [wish(name(resume, group), { do: "resume", runners: names })] : []),
      ...LENGTHS.map(({ how_long, verb }) => wish(name(verb(), group), { do: "pause", runners: names, how_long })),
    ];
  });
}

/** The next time the clock on the wall shows what was typed, "17:30". */
function momentIn(typed: string, now: Date): Date | undefined {
  const found = /(?:^|\s)([01]?\d|2[0-3]):([0-5]\d)(?:\s|$)/.exec(typed);
  if (!found) return undefined;
  const at = new Date(now.getFullYear(), now.getMonth(), now.getDate(), Number(found[1]), Number(found[2]));
  if (at <= now) at.setDate(at.getDate() + 1);
  return at;
}

async function pauseEach(runners: Runner[], until: Date): Promise<Reply<null>> {
  let reply: Reply<null> = { ok: null };
  for (const { name } of runners) {
    const next = await call({ call: "pause", runner: name, until: until.toISOString() });
    if ("ok" in reply) reply = next;
  }
  return reply;
}

function ofRunner(runner: Runner, several: boolean): Command[] {
  const { name, task, install } = runner;
  const of = (verb: string) => (several ? say.ofRunner({ verb, runner: name }) : verb);
  return [
    ...(task?.link ? [wish(of(say.openTask()), { do: "open-task", runner: name })] : []),
    ...(task ? [went(of(say.cancelTask()), () => place.go("overview", name))] : []),
    went(of(say.showLog()), () => place.go("logs", name)),
    went(of(say.searchLog()), () => {
      place.go("logs", name);
      // Once the page is there.
      setTimeout(() => document.querySelector<HTMLInputElement>("input[type=search]")?.focus());
    }),
    went(of(say.change()), () => place.edit(name)),
    went(of(say.token()), () => place.go("settings", name, "token")),
    went(of(say.remove()), () => place.go("settings", name, "remove")),
    install
      ? called(of(say.stopInstall()), () => call({ call: "stop-install", runner: name }))
      : called(of(say.install()), () => call({ call: "install", runner: name })),
    copied(of(say.copySnippet()), () => call({ call: "snippet", runner: name })),
    copied(of(say.copyConfig()), () => call({ call: "agent-config", runner: name })),
  ];
}

/** What is on the disk because of tasks, and what becomes of it. */
function ofDisk({ work_dirs: directories = [], cleanup, preferences }: Snapshot, now: Date): Command[] {
  const weekly = preferences?.cleanup && (preferences.cleanup.weekly === undefined ? { day: 7, hour: 3 } : null);
  return [
    ...(cleanup ? [called(say.stopCleanup(), () => call({ call: "stop-cleanup" }))] : []),
    went(say.cleanUp(), () => place.go("clean-up", undefined, "plan")),
    went(say.presets(), () => place.go("clean-up")),
    called(say.putBack(), () => putBackLast(now)),
    ...(weekly === undefined
      ? []
      : [
          called(weekly ? say.weekly() : say.noWeekly(), () =>
            call({ call: "set-preferences", change: { cleanup: { weekly } } }),
          ),
        ]),
    ...directories.map(({ id, title }) => wish(say.openDirectory({ title, id }), { do: "open-directory", directory: id })),
  ];
}

/** What jobs need of the machine. Nothing is installed by a command: its plan is shown first. */
function ofTools({ preinstall: doing, runners }: Snapshot): Command[] {
  const runner = runners.length > 1 ? runners[0]?.name : undefined;
  return [
    ...(doing?.kind === "installing" ? [called(say.cancelPreinstall(), () => call({ call: "cancel-preinstall" }))] : []),
    went(say.essentials(), () => place.go("preinstall", undefined, "essentials")),
    went(say.checkTools(), () => {
      place.go("preinstall");
      void tools.look({ runner });
    }),
    went(say.jobPath(), () => place.go("preinstall")),
  ];
}

async function putBackLast(now: Date): Promise<Reply<unknown>> {
  await cleaning.readReceipts();
  const [last] = undoable(cleaning.receipts, now);
  if (!last) return { refused: { code: "nothing-to-undo", title: say.nothingToPutBack(), hint: say.undoHint() } };
  await cleaning.putBack(last.id);
  return cleaning.refusal ? { refused: cleaning.refusal } : { ok: null };
}

function ofMachine({ preferences, after_task: after, runners }: Snapshot): Command[] {
  // One that knows of no preferences knows of nothing that comes after a task.
  if (!preferences) return [];
  const change = (title: string, change: PreferencesChange) =>
    called(title, () => call({ call: "set-preferences", change }));
  const acts = ACTS.map(({ act, verb }) =>
    // Restarting asks once more, on its page.
    act === "restart"
      ? went(say.after({ act: verb() }), () => place.go("overview"))
      : called(say.after({ act: verb() }), () => call({ call: "after-task", act })),
  );
  const forget = called(say.afterForget(), () => call({ call: "forget-after-task" }));
  const { keep_awake: awake, notifications: told } = preferences;
  const tell = (what: string, is: boolean, notifications: PreferencesChange["notifications"]) =>
    change(is ? say.tellNot({ what }) : say.tell({ what }), { notifications: notifications ?? {} });
  return [
    ...(after ? [forget] : aTaskRuns(runners) ? acts : []),
    change(awake.on ? say.letSleep() : say.keepAwake(), { keep_awake: { on: !awake.on } }),
    went(say.battery(), () => place.go("settings")),
    tell(say.problems(), told.problems, { problems: !told.problems }),
    tell(say.pauses(), told.pause_ended, { pause_ended: !told.pause_ended }),
    tell(say.tasks(), told.tasks, { tasks: !told.tasks }),
  ];
}

function went(title: string, go: () => void): Command {
  return {
    title,
    run: () => {
      go();
      return Promise.resolve(undefined);
    },
  };
}

function wish(title: string, does: Ask): Command {
  return { title, run: () => ask(does).then(() => undefined) };
}

function called(title: string, make: () => Promise<Reply<unknown>>): Command {
  return {
    title,
    run: async () => {
      const reply = await make();
      return "refused" in reply ? reply.refused : undefined;
    },
  };
}

function copied(title: string, make: () => Promise<Reply<{ yaml: string }>>): Command {
  return called(title, async () => {
    const reply = await make();
    if ("ok" in reply) await copyText(reply.ok.yaml);
    return reply;
  });
}
