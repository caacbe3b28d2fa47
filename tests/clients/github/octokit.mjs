// @octokit/rest, as its users write it. Run by github.sh, from a directory with its package.

import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { deepStrictEqual as same, rejects } from "node:assert";

const { BASE, TOKEN, WORK, NODE_PACKAGES } = process.env;
const found = createRequire(`${NODE_PACKAGES}/`).resolve.paths("@octokit/rest")[0];
const { main, exports } = JSON.parse(await readFile(`${found}/@octokit/rest/package.json`, "utf8"));
const entry = exports?.["."]?.import ?? exports?.["."]?.default ?? main;
const { Octokit } = await import(pathToFileURL(`${found}/@octokit/rest/${entry}`));

const NAME = "tool-v1.2.0-x86_64-unknown-linux-gnu.tar.gz";
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const expected = sha256(await readFile(`${WORK}/${NAME}`));

const { rest, paginate } = new Octokit({ baseUrl: `${BASE}/api/v3`, auth: TOKEN });
const repository = { owner: "any", repo: "tool" };

const listed = await paginate(rest.repos.listReleases, { ...repository, per_page: 2 });
same(
  listed.map((release) => release.tag_name),
  ["v2.0.0-rc.1", "v1.2.0", "v1.1.0", "unversioned"],
);
const { data: latest, headers } = await rest.repos.getLatestRelease(repository);
same(latest.tag_name, "v1.2.0");
const again = rest.repos.getLatestRelease({
  ...repository,
  headers: { "if-none-match": headers.etag },
});
await rejects(again, { status: 304 });
const { data: tagged } = await rest.repos.getReleaseByTag({ ...repository, tag: "v1.2.0" });
same(tagged, latest);
const { data: one } = await rest.repos.getRelease({ ...repository, release_id: latest.id });
same(one, latest);
const assets = await paginate(rest.repos.listReleaseAssets, {
  ...repository,
  release_id: latest.id,
  per_page: 1,
});
same(assets, latest.assets);
const asset = latest.assets.find(({ name }) => name === NAME);
const download = await rest.repos.getReleaseAsset({
  ...repository,
  asset_id: asset.id,
  headers: { accept: "application/octet-stream" },
});
same(sha256(Buffer.from(download.data)), expected);
const content = randomBytes(100_000);
// `upload_url` is where its own upload goes once it is told.
const { data: uploaded } = await rest.repos.uploadReleaseAsset({
  url: latest.upload_url,
  ...repository,
  release_id: latest.id,
  name: "new-v1.2.0.bin",
  data: content,
  headers: { "content-type": "application/octet-stream" },
});
same(uploaded.digest, `sha256:${sha256(content)}`);
const { data: made } = await rest.repos.createRelease({ ...repository, tag_name: "v3.0.0" });
same(made.tag_name, "v3.0.0");
const deleted = await rest.repos.deleteReleaseAsset({ ...repository, asset_id: uploaded.id });
same(deleted.status, 204);
await rejects(rest.repos.getReleaseByTag({ ...repository, tag: "v9.9.9" }), { status: 404 });
