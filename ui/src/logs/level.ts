/** How bad a log line is, as far as its form tells: the task agent's JSON, the agent's spans, logrus's text. */

export type LogLevel = "error" | "warn" | "other";
export type LevelFilter = "all" | "warnings" | "errors";

const JSON_LEVEL = /"level"\s*:\s*"(\w+)"/;
const LOGRUS = /^(ERRO|FATA|PANI|WARN)\[/;
/** `error=` of a span that ended badly; `result=error` of one that was counted. */
const SPAN_ERROR = /^\d\d:\d\d:\d\d [0-9a-f]{5} .*\s(?:error=\S|result=error\b)/;
const SPAN_WARNING = /^\d\d:\d\d:\d\d [0-9a-f]{5} .*\swarning=\S/;
/** Longer lines are judged by their beginning. */
const LOOKED_AT = 4096;

export function level(line: string): LogLevel {
  const text = line.slice(0, LOOKED_AT);
  if (text.startsWith("{")) return named(JSON_LEVEL.exec(text)?.[1]?.toLowerCase());
  const logrus = LOGRUS.exec(text)?.[1];
  if (logrus !== undefined) return logrus === "WARN" ? "warn" : "error";
  if (SPAN_ERROR.test(text)) return "error";
  return SPAN_WARNING.test(text) ? "warn" : "other";
}

export function passes(level: LogLevel, filter: LevelFilter): boolean {
  return filter === "all" || level === "error" || (filter === "warnings" && level === "warn");
}

function named(level: string | undefined): LogLevel {
  if (level === "error" || level === "fatal" || level === "panic") return "error";
  return level === "warn" || level === "warning" ? "warn" : "other";
}
