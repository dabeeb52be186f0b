/** What axe finds wrong with the page, in words. */
import axe from "axe-core";
import { vi } from "vitest";

export async function violations(): Promise<string[]> {
  vi.useRealTimers();
  // Colours are measured in contrast.test.ts and in a browser: this page is never painted.
  const { violations } = await axe.run(document.body, { rules: { "color-contrast": { enabled: false } } });
  return violations.map((it) => `${it.id}: ${it.nodes.map((node) => node.html).join(" ")}`);
}
