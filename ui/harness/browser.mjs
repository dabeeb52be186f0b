// The harness in a real browser: builds and serves it, opens each view, and hands the page over.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { build, preview } from "vite";
import { VIEWS } from "./views.mjs";

export const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (it) => it !== undefined && existsSync(it),
);

const AT_ONCE = 2;

/**
 * Calls `look(page, view)` once for each view whose name begins with one of `names`, at 900 x 600; a look may change size and
 * colours. Gives the errors that pages had.
 */
export async function eachView({ query = "", names = [] }, look) {
  const errors = [];
  const { browser, at } = await start();
  const views = VIEWS.filter((view) => names.length === 0 || names.some((it) => view.name.startsWith(it)));
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      // Nothing moves, so that a look finds the colours that stay.
      const context = await browser.newContext({ reducedMotion: "reduce", timezoneId: "Europe/Berlin" });
      const page = await context.newPage();
      page.on("pageerror", (error) => errors.push(`${page.url()}: ${error}`));
      for (let view = views.shift(); view; view = views.shift()) {
        try {
          await resize(page, 900, 600);
          await page.goto(`${at}?${view.query}${query}`);
          await page.waitForSelector("h1", { state: "attached" });
          for (const act of view.acts ?? []) await act(page);
          await page.waitForTimeout(150);
          await look(page, view);
        } catch (error) {
          errors.push(`${view.name}: ${error}`);
        }
      }
      await context.close();
    }),
  );
  return errors;
}

/** Goes on once the page is laid out anew. */
export async function resize(page, width, height) {
  await page.setViewportSize({ width, height });
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

let running;

/** One server and one browser for as many as ask. Built once: a page in one piece opens sooner than one of many files. */
async function start() {
  running ??= (async () => {
    const root = fileURLToPath(new URL("..", import.meta.url));
    const outDir = mkdtempSync(join(tmpdir(), "runner-tray-harness-"));
    const page = join(root, "harness/index.html");
    await build({ root, build: { outDir, rolldownOptions: { input: page } }, logLevel: "error" });
    const server = await preview({ root, build: { outDir }, preview: { port: 0 }, logLevel: "error" });
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    return { outDir, server, browser, at: `${server.resolvedUrls.local[0]}harness/index.html` };
  })();
  return running;
}

export async function end() {
  if (!running) return;
  const { outDir, server, browser } = await running;
  await browser.close();
  await server.close();
  rmSync(outDir, { recursive: true });
}
