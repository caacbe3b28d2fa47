// What the page shows of spec-kit's packages: rows, commands, and how to point `specify` here.
import assert from "node:assert/strict";
import { crc32 } from "node:zlib";

/** A ZIP archive of stored files, by path. */
function archive(files) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const [path, text] of Object.entries(files)) {
    const [name, content] = [Buffer.from(path), Buffer.from(text)];
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const end = Buffer.alloc(14);
    end.writeUInt32LE(offset, 10);
    const made = Buffer.from([20, 0]);
    directory.push(Buffer.from("PK\x01\x02"), made, common, end, name);
    const local = [Buffer.from("PK\x03\x04"), common, name, content];
    parts.push(...local);
    offset += local.reduce((sum, part) => sum + part.length, 0);
  }
  const records = Buffer.concat(directory);
  const last = Buffer.alloc(22);
  last.write("PK\x05\x06");
  last.writeUInt16LE(Object.keys(files).length, 8);
  last.writeUInt16LE(Object.keys(files).length, 10);
  last.writeUInt32LE(records.length, 12);
  last.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, records, last]);
}

const extension = (id, version, description) =>
  archive({
    "extension.yml": `schema_version: "1.0"
extension: {id: ${id}, name: Acme, version: "${version}", description: "${description}"}
requires: {speckit_version: ">=1.0"}
provides: {commands: [{name: speckit.${id}.hello, file: hello.md}]}
`,
    "hello.md": "Hello",
  });

export const PACKAGES = {
  "acme-docs-v1.0.0.zip": extension("acme-docs", "1.0.0", "Writes <b>documents</b>"),
  "acme-docs-v1.1.0.zip": extension("acme-docs", "1.1.0", "Writes <b>documents</b>"),
  "acme-bad-v1.0.0.zip": extension("Acme_Bad", "1.0.0", "Has a bad id"),
};

const text = (page, selector) => page.$eval(selector, (part) => part.textContent);

/** The texts of the row of a package. */
const row = (page, name) =>
  page.evaluate((name) => {
    const links = [...document.querySelectorAll("th[scope=row] a")];
    return links.find((link) => link.textContent === name).closest("tr").textContent;
  }, name);

/** Checks the rows of the packages above and the box; `inspect` checks a page as a whole. */
export async function catalogs(open, inspect, base) {
  const page = await open(`${base}/packages?q=acme`);
  assert.match(await row(page, "acme-docs-v1.1.0.zip"), /extension acme-docs 1\.1\.0: Writes <b>/);
  assert.match(await row(page, "acme-docs-v1.1.0.zip"), /specify extension add acme-docs(?! --)/);
  assert.match(await row(page, "acme-docs-v1.0.0.zip"), /add acme-docs --version 1\.0\.0/);
  const bad = /extension 1\.0\.0, not in the catalogs: extension\.id/;
  assert.match(await row(page, "acme-bad-v1.0.0.zip"), bad);
  const box = "details:has(.command + .command)";
  await page.click(`${box} summary`);
  const line = `specify extension catalog add ${base}/catalog.json --name ours --install-allowed`;
  assert.ok((await text(page, box)).includes(line));
  assert.ok(!(await text(page, box)).includes("needs https"), "the local machine may use http");
  for (const width of [320, 1280]) {
    await page.setViewport({ width, height: 900 });
    await inspect(page, `catalogs-${width}`);
  }

  // The same server by a name of another machine.
  const elsewhere = base.replace("127.0.0.1", "packages.example");
  const warned = await open(`${elsewhere}/packages?q=acme`);
  await warned.click(`${box} summary`);
  const visible = await warned.$$eval(`${box} p`, (parts) =>
    parts.filter((part) => part.checkVisibility()).map((part) => part.textContent),
  );
  assert.equal(visible[0], "specify needs https: set public_url to an https URL.");
  for (const width of [320, 1280]) {
    await warned.setViewport({ width, height: 900 });
    await inspect(warned, `catalogs-needs-https-${width}`);
  }
}
