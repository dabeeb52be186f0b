/** The day or week that is looked at: local calendar days, whatever the clocks do. */
import { dayOfMonth, longDay } from "../formats";
import { history as say } from "../messages/history";

export type Length = "day" | "week";

/** The first day and the last, both at local midnight. */
export type Span = { length: Length; from: Date; to: Date };

/** The span that ends today, moved back by so many of its lengths. */
export function span(length: Length, back: number, now: Date): Span {
  const days = length === "day" ? 1 : 7;
  const to = new Date(now.getFullYear(), now.getMonth(), now.getDate() - back * days);
  const from = new Date(to.getFullYear(), to.getMonth(), to.getDate() - (days - 1));
  return { length, from, to };
}

/** "2026-11-24", of the local calendar. */
export function date(at: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** The first moment that is not in it any more. */
export function end({ to }: Span): Date {
  return new Date(to.getFullYear(), to.getMonth(), to.getDate() + 1);
}

export function title(span: Span): string {
  if (span.length === "day") return longDay(span.from);
  return say.weekOf({ from: dayOfMonth(span.from), to: dayOfMonth(span.to) });
}

/** The reader's IANA time zone. */
export function zone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
