/** Texts by key, each typed by its own {holes}; numbers and plurals by Intl. Nothing a person reads stands anywhere else. */

/** Chosen by `n`, as Intl.PluralRules has it. */
type Plural = { one: string; other: string };
type Holes<T extends string> = T extends `${string}{${infer Hole}}${infer Rest}` ? Hole | Holes<Rest> : never;
type Values<T extends string> = { [Hole in Holes<T>]: Hole extends "n" ? number : string | number };
type Said<T> = T extends string
  ? [Holes<T>] extends [never]
    ? () => string
    : (values: Values<T>) => string
  : T extends Plural
    ? (values: Values<T["other"]> & { n: number }) => string
    : never;

/** English as it is written here: days before months, 24 hours. */
export const LANGUAGE = "en-GB";
const plural = new Intl.PluralRules(LANGUAGE);
const numbers = new Intl.NumberFormat(LANGUAGE);

/** What is done to every text before its holes are filled; another language or the tests' pseudo-language. */
type Translate = (english: string) => string;
let translate: Translate = (english) => english;

/** For a window that is opened afterwards. */
export function speak(as: Translate): void {
  translate = as;
}

export function texts<const T extends Record<string, string | Plural>>(english: T): { readonly [Key in keyof T]: Said<T[Key]> } {
  const said = Object.entries(english).map(([key, text]) => [key, (values?: object) => fill(text, values ?? {})]);
  return Object.fromEntries(said);
}

/** A text that is no message but made of one by Intl, such as "2.1" or "Mon". */
export function spoken(text: string): string {
  return translate(text);
}

export function number(n: number): string {
  return numbers.format(n);
}

function fill(text: string | Plural, given: object): string {
  const values = given as { [hole: string]: unknown };
  const form = typeof text === "string" ? text : plural.select(values.n as number) === "one" ? text.one : text.other;
  return translate(form).replace(/\{(\w+)\}/g, (_, hole: string) => {
    const value = values[hole];
    return typeof value === "number" ? number(value) : String(value);
  });
}
