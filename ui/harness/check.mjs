// What only a browser can tell of every view: contrast and the rest of axe in light and dark, and that words two fifths longer fit.
import { createRequire } from "node:module";
import { eachView, end, executablePath, resize } from "./browser.mjs";

if (!executablePath) {
  console.error("There is no Chromium here; name one in CHROMIUM.");
  process.exit(2);
}
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const names = process.argv.slice(2);
const wrong = [];
let looked = 0;

const colours = await eachView({ names }, async (page, { name }) => {
  await page.addScriptTag({ path: axe });
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await page.evaluate(() => window.axe.run());
    looked += 1;
    for (const { id, nodes } of violations) {
      wrong.push(`${name}, ${colorScheme}: ${id}: ${nodes.map((it) => it.html.slice(0, 160)).join("\n    ")}`);
    }
  }
});

const words = await eachView({ query: "&language=pseudo", names }, async (page, { name }) => {
  for (const [width, height] of [[900, 600], [640, 480]]) {
    await resize(page, width, height);
    looked += 1;
    for (const it of await page.evaluate(tooLong)) wrong.push(`${name}, ${width}x${height}, longer words: ${it}`);
  }
});
wrong.push(...colours, ...words);
await end();

for (const it of wrong) console.error(it);
console.log(`${looked} looks, ${wrong.length} wrong`);
// Where nothing was looked at, nothing was shown.
process.exitCode = wrong.length > 0 || looked === 0 ? 1 : 0;

/** In the page: what is cut off or stands outside. What is meant to be cut says so by an ellipsis or a scroll bar. */
function tooLong() {
  const found = [];
  const scrolls = (it) => ["auto", "scroll"].includes(getComputedStyle(it).overflowX);
  const isMeant = (it) => it.closest(".one-line, .task, pre, .list, .unseen, [role=log], svg, select, .found ul, .wide-table") !== null;
  if (document.documentElement.scrollWidth > innerWidth) found.push("the page is wider than the window");
  for (const it of document.querySelectorAll("body *")) {
    if (isMeant(it) || !it.checkVisibility()) continue;
    const words = (it.textContent ?? "").trim().slice(0, 60);
    const box = it.getBoundingClientRect();
    if (box.width === 0) continue;
    if (box.right > innerWidth + 1) found.push(`<${it.tagName.toLowerCase()}> stands outside: ${words}`);
    const isText = [...it.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim() !== "");
    if ((isText || scrolls(it)) && it.clientWidth > 0 && it.scrollWidth > it.clientWidth + 1) {
      found.push(`<${it.tagName.toLowerCase()} class="${it.className}"> is too narrow: ${words}`);
    }
  }
  return [...new Set(found)];
}
