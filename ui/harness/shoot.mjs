// Takes pictures of the views: node harness/shoot.mjs FOLDER [NAME...]; SIZES="900x600 640x480" SCHEMES="light dark".
import { mkdirSync } from "node:fs";
import { eachView, end } from "./browser.mjs";

const [folder = "screens", ...names] = process.argv.slice(2);
const sizes = (process.env.SIZES ?? "900x600 640x480").split(" ").map((it) => it.split("x").map(Number));
const schemes = (process.env.SCHEMES ?? "light dark").split(" ");
const query = process.env.QUERY ?? "";
mkdirSync(folder, { recursive: true });

const errors = [];
for (const [width, height] of sizes) {
  for (const colorScheme of schemes) {
    const look = (page, view) => page.screenshot({ path: `${folder}/${view.name}-${width}-${colorScheme}.png` });
    errors.push(...(await eachView({ width, height, colorScheme, query, names }, look)));
  }
}
await end();
for (const error of errors) console.error(error);
process.exitCode = errors.length > 0 ? 1 : 0;
