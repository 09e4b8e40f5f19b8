// Goes through the list of flags of a report as a reader does: by keyboard, by button, by filter, and downloads the marks.
//
//   node review.mjs REPORT.html MODULES CHROMIUM [SCREENSHOTS]
//
// The arguments are those of check.mjs. Prints one line per complaint and ends with 1 when there is any; the last line is
// JSON with the CSV that was downloaded.
import { createRequire } from "node:module";
import { mkdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [page_path, modules, chromium_path, shots] = process.argv.slice(2);
const require = createRequire(join(realpathSync(modules), "package.json"));
const { chromium } = require("playwright-core");
const axe = require("axe-core");
const url = pathToFileURL(realpathSync(page_path)).href;
if (shots) mkdirSync(shots, { recursive: true });

const complaints = [];
const browser = await chromium.launch({ executablePath: chromium_path, args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"] });
const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true, reducedMotion: "reduce" });
const page = await context.newPage();
page.on("console", (message) => complaints.push(`says on the console: ${message.text()}`));
page.on("pageerror", (error) => complaints.push(`fails: ${error.message}`));
page.on("request", (request) => {
  const to = request.url();
  if (to !== url && !/^(data|blob):/.test(to)) complaints.push(`asks for ${to}`);
});
page.on("dialog", (dialog) => dialog.accept());
await page.goto(url);

const status = () => page.locator(".review-said").textContent();
const focused = () => page.evaluate(() => document.activeElement.closest("tr")?.dataset.row ?? document.activeElement.tagName);
const expect = (what, got, wanted) => { if (got !== wanted) complaints.push(`${what}: ${got} in place of ${wanted}`); };
const rows = page.locator("#review-list tbody tr");
const row = (i) => rows.nth(i).getAttribute("data-row");

// The list is reached by the tabulator alone.
await page.locator("#review-list").evaluate((table) => table.closest(".scroll").focus());
await page.keyboard.press("Tab");
expect("focus after Tab", await focused(), await row(0));
await page.keyboard.press("1");
await page.keyboard.press("2");
await page.keyboard.press("3");
expect("focus after three marks", await focused(), await row(3));
await page.keyboard.press("j");
await page.keyboard.press("ArrowDown");
await page.keyboard.press("k");
expect("focus after j, down, k", await focused(), await row(4));
await page.keyboard.press("1");
await page.keyboard.press("1");
await page.keyboard.press("ArrowUp");
await page.keyboard.press("0");
expect("focus after a removed mark", await focused(), await row(5));
if (!(await status()).includes("4 marked: 2 error, 1 true but unusual, 1 not sure")) complaints.push(`status: ${await status()}`);
await page.keyboard.press("?");
const help = page.locator("dialog.review-help");
if (!(await help.isVisible())) complaints.push("? shows no help");
if (shots) await page.screenshot({ path: join(shots, "help.png") });
await page.keyboard.press("Escape");
if (await help.isVisible()) complaints.push("Escape does not close the help");
expect("focus after the help", await focused(), await row(5));

// Keys elsewhere on the page do nothing.
await page.locator("nav a").first().focus();
await page.keyboard.press("1");
if (!(await status()).includes("4 marked")) complaints.push("a key outside the list marks a flag");

// A button marks as a key does, and unmarks.
const buttons = rows.nth(7).locator("button");
await buttons.nth(2).click();
expect("a pressed button", await buttons.nth(2).getAttribute("aria-pressed"), "true");
await buttons.nth(2).click();
expect("a button pressed twice", await buttons.nth(2).getAttribute("aria-pressed"), "false");

// Every filter leaves the rows with its value, and the keys skip the others.
const selects = page.locator(".review-tools select");
for (let i = 0; i < (await selects.count()); i++) {
  const select = selects.nth(i);
  const value = await select.locator("option").nth(1).getAttribute("value");
  await select.selectOption(value);
  const shown = await rows.evaluateAll((all) => all.filter((r) => !r.hidden).length);
  if (shown === 0 || shown === (await rows.count())) complaints.push(`filter ${i} by "${value}" leaves ${shown} rows`);
  await select.selectOption("");
}
await selects.last().selectOption("not sure");
expect("rows not sure", await rows.evaluateAll((all) => all.filter((r) => !r.hidden).map((r) => r.dataset.row).join()), await row(2));
await selects.last().selectOption("");

await page.evaluate(axe.source);
const found = await page.evaluate(() =>
  // eslint-disable-next-line no-undef
  axe.run(document.getElementById("review"), { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"] }));
for (const v of found.violations) complaints.push(`axe: ${v.id} (${v.impact}), first ${v.nodes[0].target.join(" ")}: ${v.nodes[0].failureSummary.replaceAll("\n", " ")}`);

const waits = page.waitForEvent("download", { timeout: 10_000 });
await page.getByRole("button", { name: "Download marks (CSV)" }).click();
let csv = "";
try {
  const download = await waits;
  expect("name of the download", download.suggestedFilename(), "marks.csv");
  csv = readFileSync(await download.path(), "utf8");
} catch (error) { complaints.push(`no download: ${error.message}`); }
if (shots) await page.screenshot({ path: join(shots, "marked.png") });

// Where the browser keeps marks, they are there again; where it does not, the help says so.
const keeps = !(await help.textContent()).includes("keeps no marks");
await page.reload();
const again = (await status()).includes("4 marked");
if (keeps !== again) complaints.push(`marks ${again ? "are" : "are not"} there after a reload, and the page says that they are ${keeps ? "" : "not "}kept`);
const total = await rows.count();
await browser.close();
for (const complaint of complaints) console.log(complaint);
console.log(JSON.stringify({ rows: total, keeps, csv, axe_rules_passed: found.passes.length, complaints: complaints.length }));
process.exit(complaints.length ? 1 : 0);
