/** The recorded replies stand for the app: each call has one, and none holds a token. */
import { describe, expect, test } from "vitest";
import { recorded } from "../harness/replies";
import calls from "../src/calls.ts?raw";

const names = [...calls.matchAll(/^ {2}"?([a-z-]+)"?: Made</gm)].map(([, name]) => name);

describe("the recorded replies", () => {
  test("there is one for every call", () => {
    expect(names.length).toBeGreaterThan(30);
    expect(names.filter((name) => !recorded.some(([it]) => it === name))).toEqual([]);
  });

  test.each(recorded)("%s is of a call there is, done or refused with a way out", (_, { call, reply }) => {
    expect(names).toContain(call.call);
    if ("refused" in reply) expect(reply.refused.hint).toMatch(/\.$/);
    else expect(reply).toHaveProperty("ok");
  });

  test("no reply gives a token back", () => {
    for (const [name, { reply }] of recorded) expect(JSON.stringify(reply), name).not.toMatch(/not-a-real|"token"/);
  });
});
