// The harness in a real browser: serves it, opens each view, and hands the page over.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { createServer } from "vite";
import { VIEWS } from "./views.mjs";

export const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (it) => it !== undefined && existsSync(it),
);

/** Calls `look(page, view)` for each view whose name begins with one of `names`; gives the errors that pages had. */
export async function eachView({ width, height, colorScheme, query = "", names = [] }, look) {
  const errors = [];
  const { browser, at } = await start();
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, timezoneId: "Europe/Berlin" });
  const page = await context.newPage();
  page.on("pageerror", (error) => errors.push(`${page.url()}: ${error}`));
  for (const view of VIEWS) {
    if (names.length > 0 && !names.some((it) => view.name.startsWith(it))) continue;
    await page.goto(`${at}?${view.query}${query}`);
    await page.waitForSelector("h1", { state: "attached" });
    for (const act of view.acts ?? []) await act(page);
    await page.waitForTimeout(150);
    await look(page, view);
  }
  await context.close();
  return errors;
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
