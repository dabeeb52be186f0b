// The harness in a real browser: serves it, opens each view, and hands the page over.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { createServer } from "vite";
import { VIEWS } from "./views.mjs";

export const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (it) => it !== undefined && existsSync(it),
);

/**
 * Calls `look(page, view)` once for each view whose name begins with one of `names`, at 900 x 600; a look may change size and
 * colours. Gives the errors that pages had.
 */
export async function eachView({ query = "", names = [] }, look) {
  const errors = [];
  const { browser, at } = await start();
  // Nothing moves, so that a look finds the colours that stay.
  const context = await browser.newContext({ reducedMotion: "reduce", timezoneId: "Europe/Berlin" });
  const page = await context.newPage();
  page.on("pageerror", (error) => errors.push(`${page.url()}: ${error}`));
  for (const view of VIEWS) {
    if (names.length > 0 && !names.some((it) => view.name.startsWith(it))) continue;
    await resize(page, 900, 600);
    await page.goto(`${at}?${view.query}${query}`);
    await page.waitForSelector("h1", { state: "attached" });
    for (const act of view.acts ?? []) await act(page);
    await page.waitForTimeout(150);
    await look(page, view);
  }
  await context.close();
  return errors;
}

/** Goes on once the page is laid out anew. */
export async function resize(page, width, height) {
  await page.setViewportSize({ width, height });
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

let running;

/** One server and one browser for as many as ask. */
async function start() {
  running ??= (async () => {
    const root = fileURLToPath(new URL("..", import.meta.url));
    const server = await createServer({ root, server: { port: 0, strictPort: false }, logLevel: "error" });
    await server.listen();
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    return { server, browser, at: `${server.resolvedUrls.local[0]}harness/` };
  })();
  return running;
}

export async function end() {
  if (!running) return;
  const { server, browser } = await running;
  await browser.close();
  await server.close();
}
