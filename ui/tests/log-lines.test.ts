import { describe, expect, test } from "vitest";
import type { LogPage } from "../src/generated/protocol";
import { inert } from "../src/logs/inert";
import { level, passes } from "../src/logs/level";
import { chunk, join, LONGEST_LINE } from "../src/logs/lines";

describe("a line is inert", () => {
  test.each([
    ["\u001b[31mred\u001b[0m", "red"],
    ["\u001b[2J\u001b[1;1Hgone", "gone"],
    ["\u001b]0;a title\u0007shown", "shown"],
    ["\u001b]8;;https://example.com\u001b\\link\u001b]8;;\u001b\\", "link"],
    ["\u001bcreset", "reset"],
    ["a\tb", "a\tb"],
    ["bell\u0007", "bell\ufffd"],
    ["\u202etxt.exe\u202c", "\ufffdtxt.exe\ufffd"],
    ["\u009b31m", "\ufffd31m"],
    ["<b>bold</b>", "<b>bold</b>"],
    ["grün 漢字 🙂", "grün 漢字 🙂"],
  ])("%j", (text, shown) => expect(inert(text)).toBe(shown));

  test("an escape that never ends takes no time", () => {
    // In time that grew with the square of its length it would be ended as one that hangs.
    expect(inert(`\u001b]${"x".repeat(1_000_000)}`)).toBe("");
    expect(inert("\u001b[".repeat(200_000))).not.toContain("\u001b");
  });
});

describe("how bad a line is", () => {
  test.each([
    ['{"level":"error","msg":"push"}', "error"],
    ['{"msg":"x","level": "WARNING"}', "warn"],
    ['{"level":"info","msg":"no error here"}', "other"],
    ['ERRO[0151] error running task  error="x"', "error"],
    ["WARN[0003] slow", "warn"],
    ["06:00:08 a8093 1ms claim error=dial tcp: no such host", "error"],
    ["06:00:08 a8093 1ms claim mode=agent result=success", "other"],
    ["an error in free text", "other"],
  ] as const)("%s", (line, wanted) => expect(level(line)).toBe(wanted));

  test("errors are among warnings, and not the other way round", () => {
    expect(passes("error", "warnings")).toBe(true);
    expect(passes("warn", "errors")).toBe(false);
    expect(passes("other", "all")).toBe(true);
  });
});

describe("pages become lines", () => {
  const page = (part: Partial<LogPage>): LogPage => ({
    text: "",
    run: "r1",
    from: "r1:10",
    next: "r1:20",
    before: "r1:10",
    at_end: false,
    ended: false,
    missed: 0,
    ...part,
  });
  const texts = (of: { lines: { kind: string; text?: string }[] }) => of.lines.map((it) => it.text ?? it.kind);

  test("a line that two pages share is one line", () => {
    const [one, two] = [chunk(page({ text: "a\nhal" }), "all", "r1"), chunk(page({ text: "f\nb\n" }), "all", "r1")];
    join(one, two);
    expect([texts(one), texts(two)]).toEqual([["a", "half"], ["b"]]);
  });

  test("a line without an end over many pages is kept to a bound", () => {
    const one = chunk(page({ text: "x".repeat(LONGEST_LINE) }), "all", "r1");
    for (let n = 0; n < 3; n += 1) join(one, chunk(page({ text: "x".repeat(LONGEST_LINE) }), "all", "r1"));
    expect(texts(one)).toHaveLength(1);
    expect(texts(one)[0]).toHaveLength(LONGEST_LINE);
  });

  test("where a run begins and where something is deleted is said", () => {
    expect(texts(chunk(page({ text: "a\n", from: "r1:0" }), "all", "r1"))).toEqual(["run", "a"]);
    expect(texts(chunk(page({ text: "a\n", run: "r2", missed: 5 }), "all", "r1"))).toEqual(["missed", "run", "a"]);
  });

  test("what the filter leaves out is not kept", () => {
    const text = '{"level":"error","msg":"x"}\nquiet\n';
    expect(texts(chunk(page({ text }), "errors", "r1"))).toHaveLength(1);
  });
});
