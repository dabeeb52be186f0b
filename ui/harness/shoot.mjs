// Takes pictures of the views: node harness/shoot.mjs FOLDER [NAME...]; SIZES="900x600 640x480" SCHEMES="light dark".
import { mkdirSync } from "node:fs";
import { eachView, end, resize } from "./browser.mjs";

const [folder = "screens", ...names] = process.argv.slice(2);
const sizes = (process.env.SIZES ?? "900x600 640x480").split(" ").map((it) => it.split("x").map(Number));
const schemes = (process.env.SCHEMES ?? "light dark").split(" ");
const query = process.env.QUERY ?? "";
mkdirSync(folder, { recursive: true });

let pictures = 0;
const errors = await eachView({ query, names }, async (page, view) => {
  for (const [width, height] of sizes) {
    await resize(page, width, height);
    for (const colorScheme of schemes) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${folder}/${view.name}-${width}-${colorScheme}.png` });
      pictures += 1;
    }
  }
});
await end();
for (const error of errors) console.error(error);
console.log(`${pictures} pictures in ${folder}`);
process.exitCode = errors.length > 0 || pictures === 0 ? 1 : 0;
