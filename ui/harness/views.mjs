// Every page, step and problem worth a look, and what is clicked first. Read by the pictures and by the checks in a browser.
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const click = (name) => (page) => page.getByRole("button", { name }).first().click();
const planTools = (page) => page.locator("main .panel li .row > button").first().click();
const unfold = (page) => page.evaluate(() => document.querySelectorAll("main details").forEach((it) => (it.open = true)));

/** A scene that nobody has drawn a page for is seen at least here. */
const { module: drawn } = await runnerImport(fileURLToPath(new URL("scenes.ts", import.meta.url)));
const OVERVIEW = drawn.scenes.map(([scene]) => ({
  name: `overview-${scene}`,
  query: `scene=${scene}`,
  acts: scene === "every-problem" ? [unfold] : [],
}));

export const VIEWS = [
  ...OVERVIEW,
  { name: "overview-cancel", query: "scene=busy", acts: [click(/^Cancel task|^Ćáá/)] },
  { name: "directories", query: "scene=busy&page=directories" },
  { name: "directories-several", query: "scene=several&page=directories&reply=cleanup-receipts:cleanup-receipts-undo" },
  {
    name: "directories-chosen",
    query: "scene=idle&page=directories",
    acts: [(page) => page.locator("main section > label input").check()],
  },
  { name: "directories-measuring", query: "scene=measuring&page=directories&reply=work-dirs:work-dirs-unmeasured" },
  { name: "directories-low", query: "scene=low-disk&page=directories" },
  { name: "directories-empty", query: "scene=idle&page=directories&reply=work-dirs:work-dirs-empty" },
  { name: "directories-left", query: "scene=idle&page=directories&reply=work-dirs:work-dirs-left" },
  { name: "directories-hostile", query: "scene=hostile&page=directories&reply=work-dirs:work-dirs-hostile" },
  { name: "clean-up", query: "scene=idle&page=clean-up" },
  { name: "clean-up-plan", query: "scene=several&page=clean-up", acts: [(page) => page.locator("main header button").click()] },
  {
    name: "clean-up-opened",
    query: "scene=idle&page=clean-up",
    acts: [(page) => page.locator("main header button").click(), (page) => page.locator("main table button").nth(1).click()],
  },
  { name: "clean-up-nothing", query: "scene=idle&page=clean-up&reply=plan-cleanup:plan-cleanup-empty", acts: [(page) => page.locator("main header button").click()] },
  {
    name: "clean-up-receipt",
    query: "scene=idle&page=clean-up",
    acts: [(page) => page.locator("main header button").click(), (page) => page.locator("main .act button").first().click()],
  },
  { name: "clean-up-running", query: "scene=cleaning&page=clean-up&reply=cleanup-receipts:cleanup-receipts-undo" },
  {
    name: "clean-up-below",
    query: "scene=idle&page=clean-up",
    acts: [
      (page) => page.locator("main details summary").last().click(),
      (page) => page.locator("main details summary").nth(2).click(),
      (page) => page.locator("main").evaluate((it) => it.scrollTo(0, it.scrollHeight)),
    ],
  },
  { name: "clean-up-low", query: "scene=low-disk&page=clean-up", acts: [(page) => page.locator("main header button").click()] },
  { name: "preinstall", query: "scene=idle&page=preinstall" },
  { name: "preinstall-ready", query: "scene=idle&page=preinstall&reply=check-preinstall:check-preinstall-ready" },
  { name: "preinstall-opened", query: "scene=several&page=preinstall", acts: [(page) => page.locator("main [aria-expanded]").nth(2).click()] },
  { name: "preinstall-plan", query: "scene=idle&page=preinstall", acts: [planTools] },
  { name: "preinstall-plan-below", query: "scene=idle&page=preinstall", acts: [planTools, (page) => page.locator("main").evaluate((it) => it.scrollTo(0, 420))] },
  { name: "preinstall-hostile", query: "scene=idle&page=preinstall&reply=plan-preinstall:plan-preinstall-hostile", acts: [planTools] },
  { name: "preinstall-refused", query: "scene=idle&page=preinstall&reply=start-preinstall:start-preinstall-refused", acts: [planTools, (page) => page.locator("main .act button").first().click()] },
  { name: "preinstall-looking", query: "scene=looking&page=preinstall" },
  { name: "preinstall-running", query: "scene=installing&page=preinstall" },
  { name: "preinstall-output", query: "scene=installing-waits&page=preinstall", acts: [(page) => page.locator("main summary").first().click()] },
  { name: "preinstall-receipt", query: "scene=installed&page=preinstall" },
  { name: "preinstall-path", query: "scene=idle&page=preinstall", acts: [(page) => page.locator("main").evaluate((it) => it.scrollTo(0, it.scrollHeight))] },
  { name: "history-week", query: "scene=several&page=history" },
  { name: "history-day", query: "scene=busy&page=history", acts: [(page) => page.getByRole("combobox").first().selectOption("day")] },
  { name: "history-table", query: "scene=busy&page=history", acts: [(page) => page.locator("summary").first().click()] },
  { name: "history-empty", query: "scene=idle&page=history&reply=history:history-empty" },
  { name: "logs", query: "scene=busy&page=logs" },
  { name: "logs-hostile", query: "scene=busy&page=logs&reply=logs:logs-hostile" },
  { name: "logs-empty", query: "scene=idle&page=logs&reply=logs:logs-empty" },
  {
    name: "logs-search",
    query: "scene=several&page=logs",
    acts: [
      async (page) => {
        await page.keyboard.press("/");
        await page.keyboard.type("no such host");
        await page.keyboard.press("Enter");
      },
    ],
  },
  { name: "doctor", query: "scene=busy&page=doctor" },
  { name: "doctor-well", query: "scene=busy&page=doctor&reply=doctor:doctor-well", acts: [(page) => page.locator("summary").first().click()] },
  { name: "doctor-refused", query: "scene=busy&page=doctor&reply=doctor:doctor-refused" },
  { name: "settings", query: "scene=several&page=settings" },
  { name: "settings-older-supervisor", query: "scene=older-supervisor&page=settings" },
  { name: "settings-not-awake", query: "scene=not-awake&page=settings" },
  { name: "settings-token", query: "scene=busy&page=settings", acts: [(page) => page.locator("button[aria-expanded]").nth(0).click()] },
  { name: "settings-remove", query: "scene=idle&page=settings", acts: [(page) => page.locator("button[aria-expanded]").nth(1).click()] },
  { name: "setup-1-machine", query: "scene=no-runner&page=set-up" },
  { name: "setup-2-tools", query: "scene=no-runner&page=set-up&step=tools" },
  { name: "setup-2-tools-plan", query: "scene=no-runner&page=set-up&step=tools", acts: [(page) => page.locator(".form > .row button").first().click()] },
  { name: "setup-3-token", query: "scene=no-runner&page=set-up&step=token" },
  {
    name: "setup-3-personal",
    query: "scene=no-runner&page=set-up&step=token&way=personal",
    acts: [
      async (page) => {
        await page.locator("input[type=password]").fill("personal");
        await page.locator("fieldset button").nth(1).click();
      },
    ],
  },
  { name: "setup-4-naming", query: "scene=no-runner&page=set-up&step=naming" },
  {
    name: "setup-5-user",
    query: "scene=no-runner&page=set-up&step=job-user",
    acts: [(page) => page.locator("fieldset button").first().click()],
  },
  { name: "setup-6-install", query: "scene=updating&page=set-up&step=install&way=keep" },
  {
    name: "setup-6-installing",
    query: "scene=updating&page=set-up&step=install&way=keep",
    acts: [(page) => page.locator("footer button").last().click(), (page) => page.locator("nav li button").nth(5).click()],
  },
  {
    name: "setup-6-refused",
    query: "scene=no-runner&page=set-up&step=install&way=keep&reply=set-up:set-up-refused",
    acts: [(page) => page.locator("footer button").last().click()],
  },
  { name: "setup-7-works", query: "scene=idle&page=set-up&step=claim&way=keep" },
  { name: "setup-7-trouble", query: "scene=problem&page=set-up&step=claim&way=keep" },
  { name: "setup-8-pipeline", query: "scene=idle&page=set-up&step=pipeline&way=keep" },
  { name: "setup-edit", query: "scene=busy&edits=mac-mini-01" },
  { name: "commands", query: "scene=several&commands=1" },
];
