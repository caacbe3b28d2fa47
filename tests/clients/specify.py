"""The requests of `specify init --template-url URL`, against a whole generated release.

Publishes one zip for each agent and script type, as a release has them, then for some of them takes
the steps of the CLI:

1. GET of the URL, with the `Authorization` of another service that the CLI takes from its
   environment.
2. The first asset whose name contains `spec-kit-template-{agent}-{script}` and ends in `.zip`.
3. GET of its `browser_download_url`, by pieces, with `Content-Length` for the progress bar.
4. Unpacking.

Beyond the CLI, the size and digest in the release object are compared with the download, and every
unpacked file with the original. Then the same after a newer zip was published, and after that one
was deleted.
"""

import hashlib
import io
import json
import pathlib
import random
import shutil
import urllib.parse
import urllib.request
import zipfile
from typing import Any

import common
from common import check

BASE, TOKEN, WORK = common.settings()
AGENTS = (
    "claude gemini copilot cursor-agent qwen opencode codex windsurf kilocode auggie roo codebuddy"
    " amp shai q bob qoder"
).split()
SCRIPTS = ("sh", "ps")
OLD, NEW = "v0.0.90", "v0.0.91"
FOREIGN = {"Authorization": "Bearer ghp_a-token-for-another-service"}
PIECE_BYTES = 8192

# The content of a zip: the path of each file and its bytes.
Files = dict[str, bytes]


def zip_name(agent: str, script: str, version: str) -> str:
    return f"spec-kit-template-{agent}-{script}-{version}.zip"


def template_files(name: str) -> Files:
    """The files of a package: text and noise, other ones for each name."""
    chance = random.Random(name)
    return {
        ".specify/templates/spec-template.md": f"# The specification of {name}\n".encode() * 50,
        ".specify/memory/constitution.md": "# Grundsätze\n".encode(),
        "commands/specify.md": chance.randbytes(chance.randrange(500, 20_000)),
    }


def packed(files: Files) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for path, content in files.items():
            # A fixed time, so that the same files give the same bytes.
            archive.writestr(
                zipfile.ZipInfo(path, (2026, 1, 6, 12, 0, 0)), content, zipfile.ZIP_DEFLATED
            )
    return memory.getvalue()


def write(method: str, name: str, body: bytes | None = None) -> None:
    """PUT or DELETE, with the server's own token."""
    url = f"{BASE}/assets/{urllib.parse.quote(name)}"
    request = urllib.request.Request(url, body, {"Authorization": f"Bearer {TOKEN}"}, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


def publish(name: str) -> None:
    write("PUT", name, packed(template_files(name)))


def read(url: str):
    return urllib.request.urlopen(urllib.request.Request(url, headers=FOREIGN), timeout=30)


def release() -> dict[str, Any]:
    with read(f"{BASE}/latest") as answer:
        check("status of the release object", answer.status, 200)
        return json.load(answer)


def choose(assets: list[dict[str, Any]], agent: str, script: str) -> dict[str, Any]:
    pattern = f"spec-kit-template-{agent}-{script}"
    for asset in assets:
        if pattern in asset["name"] and asset["name"].endswith(".zip"):
            return asset
    raise common.Difference(
        f"no asset matches '{pattern}' among {[asset['name'] for asset in assets]}"
    )


def download(asset: dict[str, Any], to: pathlib.Path) -> None:
    """By pieces, as for a progress bar; what came must be what both answers announced."""
    digest = hashlib.sha256()
    with read(asset["browser_download_url"]) as answer, to.open("wb") as file:
        announced = int(answer.headers["content-length"])
        while piece := answer.read(PIECE_BYTES):
            digest.update(piece)
            file.write(piece)
    received = to.stat().st_size
    check("received and announced bytes", (received, announced), (asset["size"], asset["size"]))
    check("digest", asset["digest"], f"sha256:{digest.hexdigest()}")


def unpack(archive: pathlib.Path, to: pathlib.Path) -> Files:
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(to)
    files = (path for path in to.rglob("*") if path.is_file())
    return {path.relative_to(to).as_posix(): path.read_bytes() for path in files}


def init(agent: str, script: str, expected: str) -> None:
    """The CLI's steps from the URL to a project directory; `expected`: the right zip's name."""
    directory = WORK / "specify"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    found = release()
    check("tag_name", found["tag_name"], "latest")
    asset = choose(found["assets"], agent, script)
    check("the asset taken", asset["name"], expected)
    archive = directory / asset["name"]
    download(asset, archive)
    check("the zip", archive.read_bytes() == packed(template_files(expected)), True)
    check("the unpacked files", unpack(archive, directory / "project"), template_files(expected))


def whole(names: list[str]) -> None:
    """The release object holds these zips, newest first."""
    assets = release()["assets"]
    check("names in the release", sorted(asset["name"] for asset in assets), sorted(names))
    times = [asset["updated_at"] for asset in assets]
    check("the order of times", times, sorted(times, reverse=True))


def main() -> None:
    report = common.Report()
    names = [zip_name(agent, script, OLD) for agent in AGENTS for script in SCRIPTS]
    newer = zip_name("claude", "sh", NEW)
    for name in names:
        with report.step("publishing", name):
            publish(name)
    with report.step("the release object", f"all {len(names)} packages"):
        whole(names)
    for agent, script in ("claude", "sh"), ("copilot", "ps"):
        expected = zip_name(agent, script, OLD)
        with report.step("init", expected):
            init(agent, script, expected)
    # The old one was the first of all, so that the two differ in time; otherwise their names would
    # decide.
    with report.step("publishing", newer):
        publish(newer)
    with report.step("the release object", f"all {len(names) + 1} packages"):
        whole([*names, newer])
    with report.step("init after a newer one was published", newer):
        init("claude", "sh", newer)
    with report.step("deleting", newer):
        write("DELETE", newer)
    with report.step("init after the newer one was deleted", names[0]):
        init("claude", "sh", names[0])
    for name in names:
        with report.step("deleting", name):
            write("DELETE", name)
    report.exit()


if __name__ == "__main__":
    main()
