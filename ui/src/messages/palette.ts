/** The command palette's texts: everything the tray and `runnerctl` can do. */
import { texts } from "./say";

export const palette = texts({
  title: "Commands",
  search: "What do you want to do?",
  list: "Commands",
  none: "No command is called that. A time pauses until then: 17:30.",
  count: { one: "{n} command", other: "{n} commands" },
  ofRunner: "{verb}: {runner}",
  working: "Working…",

  goTo: "Go to {page}",
  setUp: "Set up a runner",
  checkMachine: "Check this machine",

  pauseQuarter: "Pause for 15 minutes",
  pauseHour: "Pause for 1 hour",
  pauseTomorrow: "Pause until tomorrow 09:00",
  pauseForGood: "Pause until I resume",
  pauseUntil: "Pause until {time}",
  resume: "Resume",
  resumeAfter: "Resume after this task",
  allRunners: "all runners",

  openTask: "Open the task in CircleCI",
  cancelTask: "Cancel the task…",
  showLog: "Show the log",
  searchLog: "Search the log",
  change: "Change the runner…",
  token: "Replace, move or forget the token…",
  remove: "Remove the runner…",
  install: "Install the agent now",
  stopInstall: "Stop the agent’s download",
  copySnippet: "Copy lines for .circleci/config.yml",
  copyConfig: "Copy the agent’s configuration",

  cleanUp: "Clean up now…",
  stopCleanup: "Stop the clean-up",
  putBack: "Put back what was deleted last",
  nothingToPutBack: "There is nothing to put back.",
  undoHint: "What is deleted by hand can be put back for ten minutes.",
  weekly: "Clean up every week",
  noWeekly: "Do not clean up every week",
  openDirectory: "Open the working directory {title}, {id}",

  after: "After this task: {act}",
  afterForget: "After this task: nothing more",

  keepAwake: "Keep this machine awake while a task runs",
  letSleep: "Let this machine sleep while a task runs",
  tell: "Notify me: {what}",
  tellNot: "Do not notify me: {what}",
  problems: "problems",
  pauses: "pauses that end",
  tasks: "every task that has ended",

  startSupervisor: "Start the supervisor",
  stopSupervisor: "Stop the supervisor; agents and tasks go on",
  docFaq: "Read CircleCI’s runner FAQ",
  docTokens: "Open personal API tokens at CircleCI",
  docRunners: "Open self-hosted runners at CircleCI",
});
