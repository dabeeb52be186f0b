/** Every colour that text or a shape has can be read on every ground it stands on: WCAG 2.2, AA. */
import { describe, expect, test } from "vitest";
import css from "../src/theme.css?raw";

const [light, dark] = css.split("@media (prefers-color-scheme: dark)") as [string, string];
const themes = { light: tokens(light), dark: tokens(dark.slice(0, dark.indexOf("html {"))) };

const TEXT = ["ink", "quiet", "accent", "good", "warning", "bad"];
const GROUNDS = ["ground", "surface", "sunk"];

describe.each(Object.entries(themes))("%s", (_, colours) => {
  test.each(TEXT.flatMap((text) => GROUNDS.map((ground) => [text, ground] as const)))(
    "%s on %s",
    (text, ground) => expect(contrast(colours, text, ground)).toBeGreaterThanOrEqual(4.5),
  );

  test("a filled button", () => {
    expect(contrast(colours, "on-fill", "fill")).toBeGreaterThanOrEqual(4.5);
  });

  test("a button's edge", () => {
    expect(contrast(colours, "edge", "surface")).toBeGreaterThanOrEqual(3);
    expect(contrast(colours, "edge", "ground")).toBeGreaterThanOrEqual(3);
  });
});

function tokens(text: string): Map<string, string> {
  const found = text.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g);
  return new Map([...found].map(([, name, colour]) => [name as string, colour as string]));
}

function contrast(colours: Map<string, string>, one: string, other: string): number {
  const [lighter, darker] = [one, other]
    .map((name) => luminance(colours.get(name) ?? `no token --${name}`))
    .sort((a, b) => b - a) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
