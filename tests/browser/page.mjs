// What a person sees: the package page in a real browser.
//
//     node page.mjs SERVER_BINARY CHROMIUM [SCREENSHOT_DIRECTORY]
//
// Starts the server on an empty directory, looks at the empty page, publishes packages with
// ordinary and with hostile names, and uses the page as a person would: filter, sort, fold, copy,
// download, by keyboard, on a phone. Every page is checked by axe-core, and whatever the browser
// reports against the page's own policy, or on its console, is a failure.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { PACKAGES as OF_SPEC_KIT, catalogs } from "./catalogs.mjs";
import { TOKEN, withBrowser } from "./harness.mjs";

const [binary, chromium, screenshots] = process.argv.slice(2);
const AGENTS = [
  "windsurf",
  "shai",
  "roo",
  "qwen",
  "q",
  "opencode",
  "kilocode",
  "gemini",
  "cursor-agent",
  "copilot",
  "codex",
  "codebuddy",
  "claude",
  "bob",
  "auggie",
  "amp",
];
const PACKAGES = 4 + 2 * 2 * AGENTS.length;
const axeSource = await readFile(
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  "utf8",
);
const complaints = [];

async function publish(base, name, content) {
  const url = `${base}/assets/${encodeURIComponent(name)}`;
  const answer = await fetch(url, {
    method: "PUT",
    body: content,
    headers: { Authorization: `Bearer ${TOKEN}` },
  });
  assert.equal(answer.status, 201, name);
}

async function publishAll(base) {
  await publish(base, "<script>document.title='run'</script>.zip".replaceAll("/", "."), "a");
  await publish(base, "\"quotes\" & 'more' <b>.zip", "b");
  await publish(base, "turned \u202egnp.zip", "c");
  await publish(base, "größe 日本.zip", "large ".repeat(1_000_000));
  for (const version of ["v2.17.0", "v2.17.1"]) {
    for (const [at, agent] of AGENTS.entries()) {
      for (const script of ["sh", "ps"]) {
        await publish(
          base,
          `spec-kit-template-${agent}-${script}-${version}.zip`,
          "x".repeat(61_000 + 997 * at),
        );
      }
    }
  }
}

/** A page whose every complaint is kept. */
async function open(browser, url) {
  const page = await browser.newPage();
  page.on("console", (message) => complaints.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(`script: ${error}`));
  page.on("requestfailed", (request) => {
    // What is downloaded is taken away from the page: that is no failure.
    if (request.failure().errorText !== "net::ERR_ABORTED")
      complaints.push(`request failed: ${request.url()}`);
  });
  page.on("request", (request) => {
    if (!/^(http:\/\/(127\.0\.0\.1|packages\.example):|data:)/.test(request.url()))
      complaints.push(`request elsewhere: ${request.url()}`);
  });
  await page.evaluateOnNewDocument(() => {
    globalThis.violations = [];
    addEventListener("securitypolicyviolation", (event) =>
      globalThis.violations.push(event.violatedDirective),
    );
  });
  await page.goto(url);
  return page;
}

/** What axe-core finds, the policy reports and a screenshot shows. */
async function inspect(page, name) {
  // A row out of sight has an estimated size; every row is to be judged by its own.
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("tbody, tbody tr { content-visibility: visible !important; }");
    document.adoptedStyleSheets.push(sheet);
  });
  const found = await page.evaluate(
    `${axeSource};
    axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] })`,
  );
  const rules = found.violations.map(
    ({ id, nodes }) => `${id}: ${nodes[0].html} ${nodes[0].failureSummary}`,
  );
  assert.deepEqual(rules, [], `axe on ${name}`);
  assert.deepEqual(await page.evaluate(() => globalThis.violations), [], `the policy on ${name}`);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${name} is ${overflow} pixels too wide`);
  const cut = await page.$$eval(
    "td *",
    (parts) => parts.filter((part) => part.getBoundingClientRect().right > innerWidth).length,
  );
  assert.equal(cut, 0, `${name} cuts what its cells hold`);
  await page.evaluate(() => scrollTo(0, 0));
  if (screenshots) await page.screenshot({ path: join(screenshots, `${name}.png`) });
  console.log(`${name}: axe passed ${found.passes.length} rules, found 0`);
}

/** Inspects a page in the light theme and in the dark one. */
async function inThemes(page, name) {
  for (const value of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
    await page.reload();
    await inspect(page, `${name}-${value}`);
  }
}

/** Names of the packages that are shown, in order. */
const shown = (page) =>
  page.$$eval("th[scope=row] a", (links) =>
    links.filter((link) => link.checkVisibility()).map((link) => link.textContent),
  );

/** Uses a control as the keyboard does. */
async function press(page, control) {
  const element = typeof control === "string" ? await page.$(control) : control;
  await element.focus();
  await page.keyboard.press("Enter");
}

async function filter(page, base) {
  await page.type("#filter", "gemini SH 17.1");
  assert.deepEqual(await shown(page), ["spec-kit-template-gemini-sh-v2.17.1.zip"]);
  assert.equal(await page.$eval("#said", (said) => said.textContent), `1 of ${PACKAGES} shown`);
  assert.equal(page.url(), `${base}/packages?q=gemini+SH+17.1`);
  await page.reload();
  assert.equal((await shown(page)).length, 1, "the filter is in the URL");
  await page.$eval("#filter", (input) => input.select());
  // The page holds only what the server selected: it is asked for the rest.
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Backspace")]);
  assert.equal((await shown(page)).length, PACKAGES);
  assert.equal(page.url(), `${base}/packages`);
}

async function sort(page) {
  const newestFirst = await shown(page);
  const head = (at) => `thead th:nth-child(${at}) button`;
  await press(page, head(1));
  assert.deepEqual(await shown(page), [...newestFirst].sort(), "by name");
  await press(page, head(1));
  assert.deepEqual(await shown(page), [...newestFirst].sort().reverse(), "by name, backwards");
  await press(page, head(2));
  assert.equal((await shown(page))[0], "größe 日本.zip", "the largest first");
  assert.equal(await page.$eval("thead th:nth-child(2)", (cell) => cell.ariaSort), "descending");
  await press(page, head(3));
  assert.deepEqual(await shown(page), newestFirst, "as it came");
  await press(page, head(1));
  await page.reload();
  assert.deepEqual(await shown(page), [...newestFirst].sort(), "the order is remembered");
  await press(page, head(3));
  assert.deepEqual(await shown(page), newestFirst);
}

async function fold(page) {
  const heading = "tbody:nth-of-type(2) [aria-expanded]";
  const before = (await shown(page)).length;
  const inGroup = await page.$$eval("tbody:nth-of-type(2) th[scope=row]", (rows) => rows.length);
  await press(page, heading);
  assert.equal((await shown(page)).length, before - inGroup);
  await press(page, heading);
  await press(page, "#fold");
  assert.equal((await shown(page)).length, 0, "all folded");
  await press(page, "#fold");
  assert.equal((await shown(page)).length, before);
}

/** What the clipboard holds after the button of this title in a package's row was pressed. */
async function copied(page, name, title) {
  const button = await page.evaluateHandle(
    (name, title) => {
      const link = [...document.querySelectorAll("th[scope=row] a")].find(
        (link) => link.textContent === name,
      );
      return link.closest("tr").querySelector(`button[title="Copy ${title}"]`);
    },
    name,
    title,
  );
  await press(page, button);
  await page.waitForFunction(
    (button) =>
      button.textContent === "copied" &&
      document.querySelector("#copied").textContent.startsWith("Copied: "),
    {},
    button,
  );
  const text = await page.evaluate(() => navigator.clipboard.readText());
  await page.waitForFunction((button) => button.textContent !== "copied", {}, button);
  return text;
}

async function copy(page, base) {
  const name = "spec-kit-template-claude-sh-v2.17.0.zip";
  const command = `curl -fo '${name}' '${base}/assets/${name}'`;
  assert.equal(await copied(page, name, "the curl command"), command);
  const checksum = await (await fetch(`${base}/assets/${name}.sha256`)).text();
  assert.equal(await copied(page, name, "the whole SHA-256"), checksum.slice(0, 64));
}

async function download(page, work) {
  const client = await page.createCDPSession();
  await client.send("Browser.setDownloadBehavior", {
    behavior: "allow",
    downloadPath: work,
    eventsEnabled: true,
  });
  const done = new Promise((resolve) => {
    client.on("Browser.downloadProgress", (event) => event.state === "completed" && resolve());
  });
  const link = await page.evaluateHandle(() =>
    [...document.querySelectorAll("th[scope=row] a")].find((link) =>
      link.textContent.includes("größe"),
    ),
  );
  await press(page, link);
  await done;
  assert.equal((await readFile(join(work, "größe 日本.zip"))).length, 6_000_000);
}

async function hostileNames(page) {
  const names = await shown(page);
  assert.ok(names.includes("<script>document.title='run'<.script>.zip"));
  assert.ok(names.includes("\"quotes\" & 'more' <b>.zip"));
  assert.ok(
    names.includes("turned [U+202E]gnp.zip"),
    "a name that turns the direction is shown as it is",
  );
  assert.equal(await page.title(), "Packages");
}

async function run({ browser, base, work }) {
  await browser
    .defaultBrowserContext()
    .overridePermissions(base, ["clipboard-read", "clipboard-write", "clipboard-sanitized-write"]);
  const empty = await open(browser, `${base}/`);
  assert.match(
    await empty.$eval("section", (section) => section.textContent),
    new RegExp(`${base}/upload`),
  );
  await inspect(empty, "empty");
  await publishAll(base);

  const page = await open(browser, `${base}/packages`);
  await page.setViewport({ width: 1280, height: 800 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
  await inspect(page, "light");
  await hostileNames(page);
  await filter(page, base);
  await sort(page);
  await fold(page);
  await copy(page, base);
  await download(page, work);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
  await inspect(page, "dark");
  for (const width of [320, 360]) {
    await page.setViewport({ width, height: 640 });
    await inThemes(page, `phone-${width}`);
    const rows = await page.$$eval("tr:has(th[scope=row])", (rows) =>
      rows.filter((row) => row.checkVisibility()).map((row) => row.getBoundingClientRect().height),
    );
    // The longest names take a line more.
    const usual = rows.sort((one, other) => one - other)[Math.floor(rows.length / 2)];
    assert.ok(width < 360 || usual < 75, `a package takes two lines, and not ${usual} pixels`);
  }
  for (const width of [1200, 1600]) {
    await page.setViewport({ width, height: 900 });
    await inThemes(page, `width-${width}`);
  }
  const release = await open(browser, `${base}/o/r/releases/tag/v2.17.1`);
  assert.equal((await shown(release)).length, 2 * AGENTS.length);
  for (const width of [360, 1200, 1600]) {
    await release.setViewport({ width, height: 900 });
    await inThemes(release, `release-${width}`);
  }

  await page.setJavaScriptEnabled(false);
  await page.reload();
  assert.equal((await page.$$("th[scope=row] a")).length, PACKAGES, "all is there without scripts");
  assert.equal(await page.$eval("#tools", (tools) => tools.checkVisibility()), false);

  const missing = await browser.newPage();
  assert.equal((await missing.goto(`${base}/no-such-page`)).status(), 404);
  assert.match(await missing.$eval("p", (sentence) => sentence.textContent), /^Not Found: /);
  await missing.evaluate(() => {
    globalThis.violations = [];
  });
  await inspect(missing, "error");

  for (const [name, content] of Object.entries(OF_SPEC_KIT)) await publish(base, name, content);
  await catalogs((url) => open(browser, url), inspect, base);
  assert.deepEqual(complaints, []);
}

await withBrowser(binary, chromium, run);
