// How quick the package page is with thousands of packages.
//
//     node large.mjs SERVER_BINARY CHROMIUM
//
// Prints a table: the time from the request to the first paint and to a page that is ready, and
// from a key or a click to the next frame, as medians of some loads; with the processor as it is,
// and four times slower, as a phone's may be.
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withBrowser } from "./harness.mjs";

const [binary, chromium] = process.argv.slice(2);
const PACKAGES = 10_000;
const PACKAGES_PER_VERSION = 34;
const LOADS = 5;

/** Packages of many versions, each with its checksum. */
async function fill(data) {
  for (let at = 0; at < PACKAGES; at += 1) {
    const agent = `agent${Math.floor((at % PACKAGES_PER_VERSION) / 2)}`;
    const path = join(
      data,
      `spec-kit-template-${agent}-${at % 2 ? "ps" : "sh"}-` +
        `v1.${Math.floor(at / PACKAGES_PER_VERSION)}.0.zip`,
    );
    const content = `package ${at}`;
    await writeFile(path, content);
    await writeFile(`${path}.sha256`, createHash("sha256").update(content).digest("hex"));
  }
}

/** Milliseconds from an event to the frame that shows its effect. `act` runs in the page. */
const untilShown = (page, act, ...values) =>
  page.evaluate(
    async (source, values) => {
      const begun = performance.now();
      new Function(`return ${source}`)()(...values);
      await new Promise((resolve) => {
        requestAnimationFrame(() => {
          // The task after a frame's callbacks comes when the frame is painted.
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = resolve;
          port2.postMessage(undefined);
        });
      });
      return performance.now() - begun;
    },
    act.toString(),
    values,
  );

function type(text) {
  const filter = document.querySelector("#filter");
  filter.value = text;
  filter.dispatchEvent(new Event("input"));
}
const click = (selector) => document.querySelector(selector).click();

/** One load of the page: what was done, in milliseconds. */
async function load(browser, base, slowdown) {
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 800 });
  await page.emulateCPUThrottling(slowdown);
  await page.goto(`${base}/packages`);
  const times = await page.evaluate(() => ({
    "first paint": performance.getEntriesByName("first-contentful-paint")[0].startTime,
    ready: performance.getEntriesByType("navigation")[0].loadEventEnd,
  }));
  for (const text of ["a", "agent7", "agent7 sh v1.29", ""])
    times[`filter by "${text}"`] = await untilShown(page, type, text);
  for (const [at, name] of [
    [1, "name"],
    [2, "size"],
    [3, "time"],
  ]) {
    times[`sort by ${name}`] = await untilShown(page, click, `thead th:nth-child(${at}) button`);
  }
  times["fold all"] = await untilShown(page, click, "#fold");
  await page.close();
  return times;
}

async function measure({ browser, base }) {
  const bytes = (await (await fetch(`${base}/packages`)).arrayBuffer()).byteLength;
  console.log(
    `${PACKAGES} packages, a page of ${bytes} bytes\n\n` +
      "| | as it is | four times slower |\n|---|---|---|",
  );
  const columns = [];
  for (const slowdown of [1, 4]) {
    const loads = [];
    for (let at = 0; at < LOADS; at += 1) loads.push(await load(browser, base, slowdown));
    columns.push(
      (name) => loads.map((times) => times[name]).sort((a, b) => a - b)[Math.floor(LOADS / 2)],
    );
    if (slowdown === 1) columns.names = Object.keys(loads[0]);
  }
  for (const name of columns.names) {
    console.log(
      `| ${name} | ${columns.map((median) => `${Math.round(median(name))} ms`).join(" | ")} |`,
    );
  }
}

await withBrowser(binary, chromium, measure, fill);
