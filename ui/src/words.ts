/** Times, spans and sizes as a person says them; the reader's own zone, and nothing is read from the clock here. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** "42 s", "4 min 12 s", "2 h 05 min": as exact as one wants while watching. */
export function elapsed(from: Date, now: Date): string {
  // A clock that was set back must not show "-3 s".
  const span = Math.max(0, now.getTime() - from.getTime());
  const seconds = Math.floor((span % MINUTE) / SECOND);
  const minutes = Math.floor((span % HOUR) / MINUTE);
  const hours = Math.floor(span / HOUR);
  if (hours > 0) return `${hours} h ${twoDigits(minutes)} min`;
  if (minutes > 0) return `${minutes} min ${twoDigits(seconds)} s`;
  return `${seconds} s`;
}

/** "17:30", "tomorrow 09:00", "Thu 09:00", "14 Mar 09:00": as short as the distance allows. */
export function moment(at: Date, now: Date): string {
  const time = `${twoDigits(at.getHours())}:${twoDigits(at.getMinutes())}`;
  const days = daysBetween(now, at);
  if (days === 0) return time;
  if (days === 1) return `tomorrow ${time}`;
  if (days === -1) return `yesterday ${time}`;
  if (days > 1 && days < 7) return `${WEEKDAYS[at.getDay()]} ${time}`;
  return `${at.getDate()} ${MONTHS[at.getMonth()]} ${time}`;
}

/** "2.1 GB": decimal units, as disks and desktops count. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** "1 process", "2 processes". */
export function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}

const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Calendar days, so that a change of daylight saving is no day. */
function daysBetween(from: Date, to: Date): number {
  const day = (at: Date) => Date.UTC(at.getFullYear(), at.getMonth(), at.getDate());
  return Math.round((day(to) - day(from)) / (24 * HOUR));
}

function twoDigits(n: number): string {
  return String(n).padStart(2, "0");
}
