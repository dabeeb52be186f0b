import { describe, expect, test } from "vitest";
import { elapsed, list, listOfCounts, moment, size } from "../src/formats";

const at = (text: string) => new Date(text);

describe("elapsed", () => {
  test.each([
    ["2026-03-02T16:42:12Z", "0 s"],
    ["2026-03-02T16:42:54Z", "42 s"],
    ["2026-03-02T16:46:24Z", "4 min 12 s"],
    ["2026-03-02T18:47:12Z", "2 h 05 min"],
    ["2026-03-04T18:47:12Z", "50 h 05 min"],
  ])("until %s it is %s", (now, words) => {
    expect(elapsed(at("2026-03-02T16:42:12Z"), at(now))).toBe(words);
  });

  test("a clock that was set back shows no negative time", () => {
    expect(elapsed(at("2026-03-02T16:42:12Z"), at("2026-03-02T16:00:00Z"))).toBe("0 s");
  });
});

describe("moment, in Berlin", () => {
  test.each([
    ["2026-03-02T16:30:00Z", "17:30"],
    ["2026-03-03T08:00:00Z", "tomorrow 09:00"],
    ["2026-03-01T08:00:00Z", "yesterday 09:00"],
    ["2026-03-05T08:00:00Z", "Thu 09:00"],
    ["2026-03-14T08:00:00Z", "14 Mar 09:00"],
  ])("%s is %s", (moment_, words) => {
    expect(moment(at(moment_), at("2026-03-02T12:00:00Z"))).toBe(words);
  });

  test("the night that is an hour short is still one night", () => {
    expect(moment(at("2026-03-29T07:00:00Z"), at("2026-03-28T22:30:00Z"))).toBe("tomorrow 09:00");
  });
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [12_400_000, "12 MB"],
  [999_600_000, "1.0 GB"],
  [2_140_000_000, "2.1 GB"],
])("%i bytes are %s", (bytes, words) => {
  expect(size(bytes)).toBe(words);
});

test.each([
  [[], "", ""],
  [["a"], "a", "a"],
  [["a", "b"], "a and b", "a, b"],
  [["a", "b", "c"], "a, b and c", "a, b, c"],
])("of %j people say %s, and of amounts %s", (words, names, counts) => {
  expect([list(words), listOfCounts(words)]).toEqual([names, counts]);
});
