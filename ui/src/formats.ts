/** Times, spans and sizes as a person says them; the reader's own zone, and nothing is read from the clock here. */
import { common } from "./messages/common";
import { LANGUAGE, number, spoken } from "./messages/say";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const clock = new Intl.DateTimeFormat(LANGUAGE, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const weekday = new Intl.DateTimeFormat(LANGUAGE, { weekday: "short" });
const longWeekday = new Intl.DateTimeFormat(LANGUAGE, { weekday: "long", day: "numeric", month: "long" });
const weekdayAlone = new Intl.DateTimeFormat(LANGUAGE, { weekday: "long" });
const dayAndMonth = new Intl.DateTimeFormat(LANGUAGE, { day: "numeric", month: "short" });
const two = new Intl.NumberFormat(LANGUAGE, { minimumIntegerDigits: 2 });
const whole = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 0 });
const names = new Intl.ListFormat(LANGUAGE);
const counts = new Intl.ListFormat(LANGUAGE, { type: "unit", style: "short" });
const oneDigit = new Intl.NumberFormat(LANGUAGE, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** "42 s", "4 min 12 s", "2 h 05 min": as exact as one wants while watching. */
export function elapsed(from: Date, now: Date): string {
  return span(now.getTime() - from.getTime());
}

/** The same of a number of milliseconds. A clock that was set back must not show "-3 s". */
export function span(milliseconds: number): string {
  const length = Math.max(0, milliseconds);
  const s = Math.floor((length % MINUTE) / SECOND);
  const m = Math.floor((length % HOUR) / MINUTE);
  const h = Math.floor(length / HOUR);
  if (h > 0) return common.hoursMinutes({ h, m: two.format(m) });
  if (m > 0) return common.minutesSeconds({ m, s: two.format(s) });
  return common.seconds({ s });
}

/** "under 1 min", "42 min", "15 h 20 min": what is left until then, in minutes begun. */
export function left(until: Date, now: Date): string {
  const m = Math.ceil((until.getTime() - now.getTime()) / MINUTE);
  if (m <= 1) return common.underAMinute();
  return m < 60 ? common.minutes({ m }) : common.hoursMinutes({ h: Math.floor(m / 60), m: two.format(m % 60) });
}

/** "40 s", "4 min", "0.4 h", "12 h": for sums, where what is finer does not matter. */
export function hours(milliseconds: number): string {
  const length = Math.max(0, milliseconds);
  if (length < MINUTE) return common.seconds({ s: Math.round(length / SECOND) });
  if (length < HOUR / 10) return common.minutes({ m: Math.round(length / MINUTE) });
  const h = length / HOUR;
  return common.hours({ h: h < 9.95 ? oneDigit.format(h) : whole.format(h) });
}

/** "17:30", "tomorrow 09:00", "Thu 09:00", "14 Mar 09:00": as short as the distance allows. */
export function moment(at: Date, now: Date): string {
  const time = clock.format(at);
  const days = daysBetween(now, at);
  if (days === 0) return time;
  if (days === 1) return common.tomorrowAt({ time });
  if (days === -1) return common.yesterdayAt({ time });
  const day = days > 1 && days < 7 ? weekday.format(at) : dayAndMonth.format(at);
  return common.dayAt({ day: spoken(day), time });
}

/** "17:30". */
export function timeOfDay(at: Date): string {
  return clock.format(at);
}

/** "Sunday": 1 is Monday, 7 is Sunday. */
export function dayOfWeek(day: number): string {
  // A Monday was the first of 2024.
  return spoken(weekdayAlone.format(new Date(2024, 0, day)));
}

/** "03:00": 0 to 23. */
export function onTheHour(hour: number): string {
  return clock.format(new Date(2024, 0, 1, hour));
}

/** "Mon". */
export function shortDay(at: Date): string {
  return spoken(weekday.format(at));
}

/** "Monday 2 March". */
export function longDay(at: Date): string {
  return spoken(longWeekday.format(at).replace(",", ""));
}

/** "2 Mar". */
export function dayOfMonth(at: Date): string {
  return spoken(dayAndMonth.format(at));
}

/** "2.1 GB": decimal units, as disks and desktops count. */
export function size(bytes: number): string {
  const units = [common.bytes, common.kB, common.MB, common.GB, common.TB] as const;
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? oneDigit : whole;
  return (units[unit] ?? common.TB)({ size: digits.format(value) });
}

/** "312": no more exact than anybody wants. */
export function rounded(n: number): string {
  return whole.format(n);
}

/** "web, api and ios". */
export function list(words: string[]): string {
  return inARow(names, words);
}

/** "1 busy, 2 idle": amounts that belong together. */
export function listOfCounts(words: string[]): string {
  return inARow(counts, words);
}

function inARow(by: Intl.ListFormat, words: string[]): string {
  const parts = by.formatToParts(words).map(({ type, value }) => (type === "literal" ? spoken(value) : value));
  return parts.join("");
}

export { number };

/** Calendar days, so that a change of daylight saving is no day. */
export function daysBetween(from: Date, to: Date): number {
  const day = (at: Date) => Date.UTC(at.getFullYear(), at.getMonth(), at.getDate());
  return Math.round((day(to) - day(from)) / DAY);
}
