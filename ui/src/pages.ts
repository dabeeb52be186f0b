/** The pages there are, in the order of the rail and of the keys Ctrl/Cmd 1-8. A page without its engine is not here. */
import type { Page } from "./bridge";
import { shell } from "./messages/shell";

export const PAGES: { page: Exclude<Page, "set-up">; title: () => string }[] = [
  { page: "overview", title: shell.overview },
  { page: "directories", title: shell.directories },
  { page: "clean-up", title: shell.cleanUp },
  { page: "preinstall", title: shell.preinstall },
  { page: "history", title: shell.history },
  { page: "logs", title: shell.logs },
  { page: "doctor", title: shell.doctor },
  { page: "settings", title: shell.settings },
];
