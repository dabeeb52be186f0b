/** For each problem and refusal that can come up in a set-up: the verb that gets on from there. Its words come with it. */
import { claimStep as say } from "../messages/setup";

export type WayOut = "token" | "class" | "file" | "download" | "releases" | "job-user" | "clean-up" | "receipts" | "doctor" | "log" | "again" | "known";

const WAYS: { [code: string]: WayOut[] } = {
  "token-refused": ["token"],
  "token-missing": ["token"],
  "token-file-unusable": ["again", "token"],
  "token-not-stored": ["again", "file"],
  "token-not-moved": ["again"],
  "token-copied": ["again"],
  "keychain-locked": ["again", "file"],
  "keychain-waits": ["again", "file"],
  "keychain-absent": ["file", "again"],
  "keychain-refused": ["again", "file"],
  "agent-not-installed": ["download"],
  "agent-damaged": ["download"],
  "install-stopped": ["download"],
  "no-room": ["clean-up", "download", "doctor"],
  "releases-unreachable": ["download", "doctor"],
  "releases-refused": ["releases", "download"],
  "releases-untrusted": ["download", "doctor"],
  "proxy-unusable": ["doctor"],
  "release-not-offered": ["releases"],
  "release-unsound": ["download", "releases"],
  "agent-exits-at-start": ["log", "doctor"],
  "agent-crashed": ["log"],
  "cannot-start": ["log", "doctor"],
  "cannot-save": ["again", "doctor"],
  "after-task-refused": ["known"],
  "disk-nearly-full": ["clean-up", "doctor"],
  "cleanup-failed": ["receipts", "doctor"],
  "rotation-unfinished": ["token"],
  "rotation-unreadable": ["doctor"],
  "settings-unreadable": ["doctor"],
  "state-unreadable": ["doctor"],
  "state-newer": ["doctor"],
  "job-user-unusable": ["job-user", "again"],
  "claim-refused": ["token"],
  offline: ["doctor"],
  "server-troubled": ["doctor"],
  "not-visible-there": ["class"],
  "not-allowed-there": ["class"],
  "class-exists": ["class"],
  "organisation-needed": ["class"],
  "personal-token-refused": ["class"],
  "supervisor-absent": ["again"],
};

/** None where only waiting helps. */
export function waysOut(code: string): WayOut[] {
  return WAYS[code] ?? [];
}

const WORDS: Record<WayOut, () => string> = {
  token: say.wayToken,
  class: say.wayClass,
  file: say.wayFile,
  download: say.wayDownload,
  releases: say.wayReleases,
  "job-user": say.wayUser,
  "clean-up": say.wayCleanUp,
  receipts: say.wayReceipts,
  doctor: say.wayDoctor,
  log: say.wayLog,
  again: say.wayAgain,
  known: say.wayKnown,
};

export function verb(way: WayOut): string {
  return WORDS[way]();
}
