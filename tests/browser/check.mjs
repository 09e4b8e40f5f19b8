// Opens a report in Chromium as readers do: light, dark, printed and on a 390-pixel screen, with and without
// JavaScript. Complains about whatever a reader would.
//
//   node check.mjs REPORT.html MODULES CHROMIUM [SCREENSHOTS]
//
// MODULES is a folder in which `npm ci` installed package.json beside this file. Prints one line per complaint and
// ends with 1 when there is any, with a summary as JSON on the last line.
import { createRequire } from "node:module";
import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [page_path, modules, chromium_path, shots] = process.argv.slice(2);
const require = createRequire(join(realpathSync(modules), "package.json"));
const { chromium } = require("playwright-core");
const axe = require("axe-core");
const url = pathToFileURL(realpathSync(page_path)).href;
if (shots) mkdirSync(shots, { recursive: true });

const complaints = [];
const summary = { modes: 0, figures: 0, tables: 0, axe_rules_passed: 0, requests: 0 };

const WIDE = { width: 1280, height: 900 };
const MODES = [
  { name: "light", viewport: WIDE, colorScheme: "light" },
  { name: "dark", viewport: WIDE, colorScheme: "dark" },
  { name: "print", viewport: { width: 1000, height: 1400 }, colorScheme: "light", media: "print" },
  { name: "narrow", viewport: { width: 390, height: 844 }, colorScheme: "light" },
];

const browser = await chromium.launch({ executablePath: chromium_path, args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"] });
for (const mode of MODES) {
  for (const script of [true, false]) {
    const name = `${mode.name}${script ? "" : "-without-javascript"}`;
    const complain = (text) => complaints.push(`${name}: ${text}`);
    const context = await browser.newContext({
      viewport: mode.viewport,
      colorScheme: mode.colorScheme,
      javaScriptEnabled: script,
      reducedMotion: "reduce",
    });
    const page = await context.newPage();
    page.on("request", (request) => {
      summary.requests += 1;
      const to = request.url();
      if (to !== url && !to.startsWith("data:")) complain(`asks for ${to}`);
    });
    page.on("console", (message) => complain(`says on the console: ${message.text()}`));
    page.on("pageerror", (error) => complain(`fails: ${error.message}`));
    if (mode.media) await page.emulateMedia({ media: mode.media, colorScheme: mode.colorScheme });
    await page.goto(url);
    await page.waitForTimeout(100);
    await layout(page, mode, complain);
    // Without scripts in the page, promises never settle and axe-core cannot end; it sees the same elements with them.
    if (script) await accessible(page, mode, complain);
    if (shots) {
      await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
      if (mode.media === "print" && script) await page.pdf({ path: join(shots, "print.pdf"), format: "A4" });
    }
    if (script && !mode.media) await interact(page, mode, complain);
    summary.modes += 1;
    await context.close();
  }
}
await browser.close();
for (const complaint of complaints) console.log(complaint);
console.log(JSON.stringify({ ...summary, complaints: complaints.length }));
process.exit(complaints.length ? 1 : 0);

/** Every figure is seen, has its table, and nothing pushes the page wider than the screen. */
async function layout(page, mode, complain) {
  const seen = await page.evaluate((print) => {
    const faults = [];
    const figures = [...document.querySelectorAll("figure")];
    for (const figure of figures) {
      const svg = figure.querySelector("svg[role=img]");
      const title = figure.querySelector("figcaption")?.textContent.trim();
      if (!svg) { faults.push(`figure "${title}" has no drawing`); continue; }
      const box = svg.getBoundingClientRect();
      const style = getComputedStyle(svg);
      if (box.width < 100 || box.height < 20 || style.visibility !== "visible" || !svg.checkVisibility())
        faults.push(`figure "${title}" is not visible (${box.width} × ${box.height})`);
      const named = (svg.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id));
      if (named.length < 2 || named.some((n) => !n?.textContent.trim())) faults.push(`figure "${title}" has no title and description`);
      if (!figure.querySelector("table tbody tr")) faults.push(`figure "${title}" has no table`);
      // What is not cut off may run a little into the margin.
      const slack = style.overflowX === "visible" ? 16 : 3;
      for (const text of svg.querySelectorAll("text")) {
        const size = text.getBoundingClientRect();
        if (Math.max(size.right - box.right, box.left - size.left, size.bottom - box.bottom, box.top - size.top) > slack)
          faults.push(`figure "${title}": "${text.textContent}" leaves the drawing`);
      }
    }
    const wide = document.scrollingElement;
    if (!print && wide.scrollWidth > wide.clientWidth + 1)
      faults.push(`the page is ${wide.scrollWidth} px wide on a screen of ${wide.clientWidth}`);
    for (const section of document.querySelectorAll("section[id]"))
      if (section.getBoundingClientRect().height < 40) faults.push(`section ${section.id} is not to be seen`);
    for (const link of document.querySelectorAll("nav a"))
      if (!document.querySelector(link.getAttribute("href"))) faults.push(`menu entry ${link.textContent} leads nowhere`);
    return { faults, figures: figures.length, tables: document.querySelectorAll("table").length };
  }, mode.media === "print");
  seen.faults.forEach(complain);
  if (!seen.figures) complain("there is no figure");
  summary.figures = seen.figures;
  summary.tables = seen.tables;
}

/** axe-core finds nothing serious, with closed tables opened. */
async function accessible(page, mode, complain) {
  await page.evaluate(() => document.querySelectorAll("details").forEach((d, i) => { if (i % 7 === 0) d.open = true; }));
  await page.evaluate(axe.source);
  // Nobody points at paper.
  const rules = mode.media === "print" ? { "target-size": { enabled: false } } : {};
  const found = await page.evaluate((rules) =>
    // eslint-disable-next-line no-undef
    axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"], rules }), rules);
  summary.axe_rules_passed = Math.max(summary.axe_rules_passed, found.passes.length);
  for (const v of found.violations.filter((v) => ["serious", "critical"].includes(v.impact)))
    complain(`axe: ${v.id} (${v.impact}), ${v.nodes.length} times, first ${v.nodes[0].target.join(" ")}: ${v.nodes[0].failureSummary.replaceAll("\n", " ")}`);
  await page.evaluate(() => document.querySelectorAll("details").forEach((d) => { if (!d.hasAttribute("data-open")) d.open = d.matches(".section, .part"); }));
}

/** Sorting, filtering, copying, collapsing, tooltips and the keyboard. */
async function interact(page, mode, complain) {
  const table = page.locator("#outliers table.filterable").first();
  if (await table.count()) {
    const column = (k) => table.locator("tbody tr:not([hidden])").evaluateAll((rows, k) => rows.map((r) => r.cells[k].textContent.trim()), k);
    const number = (s) => parseFloat(s.replace(/[,<≥\s]/g, "").replace("−", "-"));
    const head = table.locator("thead button").nth(1);
    const before = await column(1);
    await head.focus();
    await page.keyboard.press("Enter");
    const up = (await column(1)).map(number);
    await page.keyboard.press("Enter");
    const down = (await column(1)).map(number);
    const sorted = (v, sign) => v.every((x, i) => i === 0 || sign * (x - v[i - 1]) >= 0);
    if (!sorted(up, 1) || !sorted(down, -1) || up.length !== before.length) complain("sorting does not sort");
    if ((await table.locator("thead th").nth(1).getAttribute("aria-sort")) !== "descending") complain("sorting is not announced");
    const filter = page.locator("#outliers input[type=search]").first();
    const wanted = (await column(0))[0];
    await filter.fill(wanted);
    const left = await column(0);
    if (!left.includes(wanted) || (before.length > 15 && left.length >= before.length)) complain(`filtering by "${wanted}" leaves ${left.length} of ${before.length} rows`);
    await filter.fill("");
    if ((await column(0)).length !== before.length) complain("an emptied filter does not bring the rows back");
  }
  const tables = await page.locator("main table:not(#review-list):has(thead)").count();
  const buttons = await page.locator("button.copy").count();
  if (tables !== buttons) complain(`${tables} tables, ${buttons} buttons to copy them`);
  const csv = await page.evaluate(() => {
    const caught = [];
    const select = getSelection();
    try { navigator.clipboard.writeText = async (text) => { caught.push(text); }; } catch { return null; }
    document.querySelector("#comparison button.copy, #summary button.copy")?.click();
    select.removeAllRanges();
    return caught[0] ?? null;
  });
  if (csv !== null) {
    const lines = csv.trimEnd().split("\n");
    if (lines.length < 2 || /[↕↑↓]/.test(csv)) complain(`the copied CSV reads ${JSON.stringify(lines[0])}`);
  } else complain("nothing was copied");
  const section = page.locator("details.section").first();
  await section.locator("> summary").focus();
  await page.keyboard.press("Enter");
  if (await section.evaluate((d) => d.open)) complain("a section does not collapse by keyboard");
  await page.keyboard.press("Enter");
  const link = page.locator("nav a").last();
  await link.focus();
  await page.keyboard.press("Enter");
  await page.waitForTimeout(50);
  const target = await link.getAttribute("href");
  const top = await page.locator(target).evaluate((s) => s.getBoundingClientRect().top);
  if (top > mode.viewport.height) complain(`the menu entry ${target} does not lead there`);
  const hot = page.locator("svg[data-hot]").first();
  if (await hot.count()) {
    await hot.scrollIntoViewIfNeeded();
    const at = await hot.evaluate((svg) => {
      const [x0, y0, x1, y1] = svg.dataset.hot.split(";")[0].split(" ").map(Number);
      const box = svg.getBoundingClientRect();
      const scale = box.width / svg.viewBox.baseVal.width;
      // Wide drawings scroll on a narrow screen: the mark's visible end.
      const x = Math.min(box.left + scale * (x0 + x1) / 2, innerWidth - 40);
      return [x, box.top + scale * (y0 + y1) / 2];
    });
    await page.mouse.move(at[0], at[1]);
    await page.waitForTimeout(50);
    const tip = page.locator("#tip");
    if (!(await tip.count()) || !(await tip.isVisible()) || !(await tip.textContent()).includes(":")) complain("no tooltip over a mark");
  } else complain("no figure has tooltips");
}
