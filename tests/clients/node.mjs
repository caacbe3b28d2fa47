// Node's own fetch, FormData and Blob: the same way through everything as round_trips.py has for
// Python. Run by run.sh.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";

const { BASE, TOKEN, WORK, HERE } = process.env;
const AUTH = { authorization: `Bearer ${TOKEN}` };
const PIECE_BYTES = 50_000;
const PATIENCE_MS = 30_000;

let failed = false;

// --- Differences
// --------------------------------------------------------------------------------

class Difference extends Error {}

/** Says what differed, shortened where it is long. */
function check(what, got, expected) {
  if (!isDeepStrictEqual(got, expected)) {
    throw new Difference(`${what} is ${short(got)}, not ${short(expected)}`);
  }
}

function short(value) {
  const text = Buffer.isBuffer(value)
    ? `${value.length} bytes of sha256 ${sha256(value)}`
    : JSON.stringify(value);
  return text.length <= 300 ? text : `${text.slice(0, 300)}… (${text.length} characters)`;
}

function expect(answer, status, operation = "") {
  if (answer.status !== status) {
    const which = operation && ` (${operation})`;
    throw new Difference(
      `status${which} is ${answer.status}, not ${status}: ${answer.content.subarray(0, 200)}`,
    );
  }
}

/** A step whose failure is told, and the next one goes on. */
async function step(operation, name, test) {
  try {
    await test();
  } catch (error) {
    failed = true;
    const why =
      error instanceof Difference
        ? error.message
        : `${error}${error.cause ? `: ${error.cause}` : ""}`;
    console.log(`node: ${operation} of ${JSON.stringify(name)}: ${why}`);
  }
}

// --- Packages
// --------------------------------------------------------------------------------

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** A package from a file of run.sh's making; its name is the file's. */
async function load(file) {
  const content = await readFile(file);
  const name = path.basename(file);
  return {
    name,
    content,
    sha256: sha256(content),
    url: `${BASE}/assets/${encodeURIComponent(name)}`,
  };
}

/** The packages that can be sent in a way of this kind: "form" or "put". */
async function packages(kind) {
  const table = JSON.parse(await readFile(path.join(HERE, "names.json"), "utf-8"));
  const sendable = table.filter((entry) => kind === "put" || !("only_put" in entry));
  return Promise.all(sendable.map((entry) => load(path.join(WORK, "files", entry.name))));
}

function checkMetadata(metadata, pkg) {
  check("name", metadata.name, pkg.name);
  check("size", metadata.size, pkg.content.length);
  check("sha256", metadata.sha256, pkg.sha256);
  const served = new URL(metadata.download_url).pathname;
  check("the name in download_url", decodeURIComponent(served), `/assets/${pkg.name}`);
}

// --- Requests
// --------------------------------------------------------------------------------

/** One request; what came back, read to its end. */
async function send(method, url, headers = {}, body = undefined) {
  const streamed = body instanceof ReadableStream ? { duplex: "half" } : {};
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const answer = await fetch(url, { method, headers, body, signal, ...streamed });
  const content = Buffer.from(await answer.arrayBuffer());
  return {
    status: answer.status,
    headers: answer.headers,
    content,
    json: () => JSON.parse(content.toString()),
  };
}

/** The content in pieces, so that its length is not known before. */
function stream(content) {
  let start = 0;
  return new ReadableStream({
    pull(controller) {
      if (start >= content.length) {
        controller.close();
      } else {
        controller.enqueue(content.subarray(start, (start += PIECE_BYTES)));
      }
    },
  });
}

const ways = [
  {
    way: "form",
    kind: "form",
    status: 200,
    publish(pkg, query = "", headers = AUTH) {
      const form = new FormData();
      form.append("file", new Blob([pkg.content]), pkg.name);
      return send("POST", `${BASE}/upload${query}`, headers, form);
    },
  },
  {
    way: "PUT",
    kind: "put",
    status: 201,
    publish: (pkg, query = "", headers = AUTH) =>
      send("PUT", pkg.url + query, headers, pkg.content),
  },
  {
    way: "PUT of a Blob",
    kind: "put",
    status: 201,
    publish: (pkg, query = "", headers = AUTH) =>
      send("PUT", pkg.url + query, headers, new Blob([pkg.content])),
  },
  {
    way: "streamed PUT",
    kind: "put",
    status: 201,
    publish: (pkg, query = "", headers = AUTH) =>
      send("PUT", pkg.url + query, headers, stream(pkg.content)),
  },
];

// --- One package and back
// --------------------------------------------------------------------------------

async function publish(way, status, pkg, query) {
  const answer = await way.publish(pkg, query);
  expect(answer, status);
  checkMetadata(answer.json(), pkg);
}

async function download(pkg) {
  const answer = await send("GET", pkg.url);
  expect(answer, 200);
  check("the content", answer.content, pkg.content);
  if (!process.env.REDIRECTS) check("ETag", answer.headers.get("etag"), `"${pkg.sha256}"`);
  const head = await send("HEAD", pkg.url);
  check("status and body of HEAD", [head.status, head.content.length], [200, 0]);
  check("Content-Length of HEAD", head.headers.get("content-length"), String(pkg.content.length));
  const checksum = await send("GET", `${pkg.url}.sha256`);
  check("the checksum's line", checksum.content.toString(), `${pkg.sha256}  ${pkg.name}\n`);
}

/** fetch encodes a URL, except separators, existing encodings, and space around it. */
async function downloadByBareName(pkg) {
  if (/[%?#]| $/.test(pkg.name)) return;
  const answer = await send("GET", `${BASE}/assets/${pkg.name}`);
  expect(answer, 200);
  check("the content", answer.content, pkg.content);
}

async function ranges(pkg) {
  const size = pkg.content.length;
  const middle = Math.floor(size / 3);
  const rest = await send("GET", pkg.url, {
    range: `bytes=${middle}-`,
    "if-range": `"${pkg.sha256}"`,
  });
  expect(rest, 206, "the rest");
  check("Content-Range", rest.headers.get("content-range"), `bytes ${middle}-${size - 1}/${size}`);
  check("the rest", rest.content, pkg.content.subarray(middle));
  const beyond = await send("GET", pkg.url, { range: `bytes=${size}-` });
  expect(beyond, 416, "beyond the end");
}

async function conditions(pkg) {
  const { headers } = await send("HEAD", pkg.url);
  const tag = { "if-none-match": headers.get("etag") };
  const time = { "if-modified-since": headers.get("last-modified") };
  for (const condition of [tag, time]) {
    const answer = await send("GET", pkg.url, condition);
    check("status and body", [answer.status, answer.content.length], [304, 0]);
  }
}

async function remove(pkg) {
  expect(await send("DELETE", pkg.url), 401, "without the token");
  expect(await send("DELETE", pkg.url, AUTH), 204);
  expect(await send("GET", pkg.url), 404, "afterwards");
}

async function listed(expected) {
  const answer = await send("GET", `${BASE}/packages?format=json`);
  const listing = new Map(answer.json().map((metadata) => [metadata.name, metadata]));
  check("the list", [...listing.keys()].sort(), expected.map((pkg) => pkg.name).sort());
  for (const pkg of expected) checkMetadata(listing.get(pkg.name), pkg);
}

// --- All of it
// --------------------------------------------------------------------------------

/** All packages go there in one way, come back, and are deleted. */
async function roundTrips(way) {
  const all = await packages(way.kind);
  for (const pkg of all) {
    await step(way.way, pkg.name, () => publish(way, way.status, pkg));
  }
  await step(`${way.way}, then the list`, "all packages", () => listed(all));
  const tests = {
    download,
    "download by its bare name": downloadByBareName,
    range: ranges,
    "conditional download": conditions,
    DELETE: remove,
  };
  for (const [operation, test] of Object.entries(tests)) {
    for (const pkg of all) await step(`${way.way}, then ${operation}`, pkg.name, () => test(pkg));
  }
  await step(`${way.way} and DELETE, then the list`, "all packages", () => listed([]));
}

/** A file that is still being sent when the answer comes. */
async function large() {
  const big = await load(path.join(WORK, "big.bin"));
  const [form, put, , streamed] = ways;
  await step("streamed PUT", big.name, () => publish(streamed, 201, big));
  await step("range", big.name, () => ranges(big));
  for (const way of [form, put, streamed]) {
    await step(`${way.way} over an existing package`, big.name, async () => {
      const answer = await way.publish(big);
      expect(answer, 409);
      check("the sha256 in the answer", answer.json().sha256, big.sha256);
    });
    await step(`${way.way} with overwrite`, big.name, () =>
      publish(way, 200, big, "?overwrite=true"),
    );
    await step(`${way.way} with a wrong token`, big.name, async () => {
      const answer = await way.publish(big, "?overwrite=true", { authorization: "Bearer wrong" });
      expect(answer, 401);
    });
  }
  await step("refused uploads, then download", big.name, () => download(big));
  await step("DELETE", big.name, () => remove(big));
}

for (const way of ways) await roundTrips(way);
await large();
process.exitCode = failed ? 1 : 0;
