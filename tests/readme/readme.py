"""What run.sh starts: takes the commands out of README.md, runs them and compares.

A block of shell is run command by command in one shell, as one types them, in a temporary copy of what a clone of the
repository holds; a block of output that follows it directly is what its commands print. Replaced are only the server's
address and, in the command that starts it, `cargo run --release` by the given binary. Times, sizes, checksums, versions
and numbers of the machine may differ from those shown.

`specify` cannot be installed everywhere: in its place stands a program that does what its `init` does with a URL.
"""

import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import typing

import pipelines
from pipelines import Difference, git

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60
RUN = ("Quick start", "API", "Storage")
# Blocks of shell that are not run here: how each begins, and why.
NOT_RUN = {
    "scripts/test.sh": "it runs this",
    "docker run": "needs a Docker Engine; scripts/image-test.sh runs the image with these options",
    "REGISTRY=": "needs buildx and a registry",
    "helm install": "needs a cluster; scripts/chart.sh and scripts/chart-apiserver.sh try the chart",
    "tar -xf release-server": "needs root and systemd as the first process",
    "gh attestation": "needs a release that is published on GitHub",
}
SPECIFY = '''#!/usr/bin/env python3
import io, json, sys, urllib.request, zipfile
command, project = sys.argv[1:3]
option = dict(zip(sys.argv[3::2], sys.argv[4::2]))
release = json.load(urllib.request.urlopen(option["--template-url"]))
start = f"spec-kit-template-{option['--ai']}-{option['--script']}"
asset = next(a for a in release["assets"] if start in a["name"] and a["name"].endswith(".zip"))
bytes_ = urllib.request.urlopen(asset["browser_download_url"]).read()
zipfile.ZipFile(io.BytesIO(bytes_)).extractall(project)
'''
# What may differ, and what stands for it in the comparison.
VARYING = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
    (r"\b[0-9a-f]{64}\b|\b[0-9a-f]+…", "SHA256"),
    (r"address=\S+", "address=ADDRESS"),
    (r"//localhost:\d+", "//SERVER"),
    (r"version=\S+", "version=VERSION"),
    (r"(workers|max_connections)=\d+", r"\1=NUMBER"),
    (r"(packages|bytes): \d+", r"\1: NUMBER"),
    (r"\(\d+ [KMG]?B\)", "(SIZE)"),
]


class Block(typing.NamedTuple):
    """A fenced block: where, of which language, with which text, and the output shown after it."""

    section: str
    line: int
    language: str
    text: str
    shown: "Block | None" = None


def read_blocks(readme: str) -> list[Block]:
    """All fenced blocks; output that directly follows a block of shell belongs to it."""
    blocks, section, inside, since_block = [], "", None, []
    for number, line in enumerate(readme.splitlines(), 1):
        if inside is not None and line == "```":
            block = Block(section, inside[0], inside[1], "".join(inside[2]))
            is_output = blocks and blocks[-1].language == "sh" and block.language in ("text", "json")
            if is_output and not any(since_block):
                blocks[-1] = blocks[-1]._replace(shown=block)
            else:
                blocks.append(block)
            inside, since_block = None, []
        elif inside is not None:
            inside[2].append(line + "\n")
        elif line.startswith("```"):
            inside = (number, line[3:], [])
        elif line.startswith("## "):
            section = line[3:]
        else:
            since_block.append(line)
    return blocks


def commands_of(block: Block) -> list[str]:
    joined = block.text.replace("\\\n", "\\\0")
    return [line.replace("\0", "\n") for line in joined.splitlines() if line.strip()]


def comparable(text: str, language: str) -> str:
    if language == "json":
        text = re.sub(r"\n *", "", text)
    for pattern, word in VARYING:
        text = re.sub(pattern, word, text)
    return text.strip()


def compare(block: Block, printed: str) -> None:
    if block.shown:
        wanted, got = (comparable(text, block.shown.language) for text in (block.shown.text, printed))
        if wanted != got:
            raise Difference(f"README.md:{block.shown.line}: shown is\n{wanted}\nprinted was\n{got}")


def make_clone(directory: pathlib.Path) -> pathlib.Path:
    """What a clone holds of what the commands use, as a repository with one commit."""
    directory.mkdir()
    for name in ("scripts", "templates"):
        shutil.copytree(ROOT / name, directory / name)
    git(directory, "init", "-q")
    git(directory, "add", ".")
    git(directory, "commit", "-q", "-m", "All")
    return directory


class User:
    """Somebody at a terminal with an empty home, and the server that he or she starts."""

    def __init__(self, binary: str, work: pathlib.Path):
        self.binary, self.work = binary, work
        self.server: subprocess.Popen[bytes] | None = None
        self.url = ""
        tools = work / "bin"
        tools.mkdir()
        (tools / "release-server").symlink_to(binary)
        (tools / "specify").write_text(SPECIFY)
        (tools / "specify").chmod(0o755)
        # Only the meter is left out: its numbers are of the moment.
        (work / ".curlrc").write_text("no-progress-meter\n")
        self.environment = {"HOME": str(work), "PATH": f"{tools}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}

    def start_server(self, block: Block, directory: pathlib.Path) -> None:
        command = block.text.replace("cargo run --release", f"exec '{self.binary}'")
        log = self.work / "log"
        with log.open("wb") as out:
            self.server = subprocess.Popen(
                ["sh", "-euc", command], cwd=directory, env={**self.environment, "PORT": "0"}, stdout=out, stderr=out
            )
        end = time.monotonic() + PATIENCE_SECONDS
        while not (listening := re.search(r"listening address=\S+:(\d+) .*\n", log.read_text())):
            if self.server.poll() is not None or time.monotonic() > end:
                raise Difference(f"README.md:{block.line}: the server does not listen: {log.read_text()}")
            time.sleep(0.01)
        print(f"$ {block.text}{log.read_text()}")
        compare(block, log.read_text())
        self.url = f"http://localhost:{listening[1]}"
        # Where a command names no server it means the usual port.
        self.environment["RELEASE_SERVER_URL"] = self.url

    def type(self, blocks: list[Block], directory: pathlib.Path, code: int = 0) -> None:
        """Types the commands of some blocks, one after the other, into one shell."""
        outputs = [[self.work / f"out-{b.line}-{i}" for i, _ in enumerate(commands_of(b))] for b in blocks]
        script = "set -eu\n"
        for block, paths in zip(blocks, outputs):
            for command, path in zip(commands_of(block), paths):
                command = command.replace("http://localhost:8000", self.url)
                script += f"exec >'{path}' 2>&1\n{command}\n"
        ended = subprocess.run(["sh", "-c", script], cwd=directory, env=self.environment, timeout=PATIENCE_SECONDS)
        for block, paths in zip(blocks, outputs):
            printed = [path.read_text() for path in paths if path.exists()]
            for command, text in zip(commands_of(block), printed):
                print(f"$ {command}\n{text}", end="" if text.endswith("\n") or not text else "\n")
            if len(printed) == len(paths):
                compare(block, "".join(printed))
        if ended.returncode != code:
            raise Difference(f"README.md:{blocks[0].line}: the last command above ended with {ended.returncode}")

    def check_refusals(self, blocks: list[Block]) -> None:
        """The server refused only what README.md shows as refused; a 416 tells curl that it has the whole file."""
        log = (self.work / "log").read_text()
        refused = [line for line in log.splitlines() if re.search(r" status=[45](?!16)\d\d", line)]
        shown = [block for block in blocks if block.shown and '"detail"' in block.shown.text]
        if len(refused) != len(shown):
            raise Difference(f"{len(shown)} refusals are shown, the server's log has these:\n" + "\n".join(refused))

    def stop_server(self) -> None:
        if self.server:
            self.server.send_signal(signal.SIGTERM)
            self.server.wait(PATIENCE_SECONDS)


def damaged_storage(directory: pathlib.Path) -> pathlib.Path:
    """A directory with a sound package, one without a checksum and one whose bytes have changed."""
    directory.mkdir()
    for name, checksummed in ("missing.zip", None), ("rotten.zip", b"before"), ("sound.zip", b"sound.zip"):
        (directory / name).write_text(name)
        if checksummed:
            (directory / f"{name}.sha256").write_text(hashlib.sha256(checksummed).hexdigest())
    return directory


def check_lists(blocks: list[Block]) -> None:
    """Each block of shell is run or listed, and each that is listed is there."""
    others = [block for block in blocks if block.language == "sh" and not runs(block)]
    for start, reason in NOT_RUN.items():
        if not any(block.text.startswith(start) for block in others):
            raise Difference(f"README.md has no block that begins with '{start}' any more")
        print(f"not run: {start} ...: {reason}")
    for block in others:
        if not block.text.startswith(tuple(NOT_RUN)):
            raise Difference(f"README.md:{block.line}: this block is neither run nor listed in readme.py")


def runs(block: Block) -> bool:
    return block.language == "sh" and block.section in RUN and not block.text.startswith(tuple(NOT_RUN))


def check(binary: str, work: pathlib.Path) -> None:
    blocks = read_blocks((ROOT / "README.md").read_text())
    check_lists(blocks)
    sections = {name: [block for block in blocks if runs(block) and block.section == name] for name in RUN}
    for name, found in sections.items():
        if not found:
            raise Difference(f"README.md has no commands under '{name}'")
    user = User(binary, work)
    try:
        print("\n== Quick start")
        clone = make_clone(work / "clone")
        start, *rest = sections["Quick start"]
        user.start_server(start, clone)
        user.type(rest, clone)
        if not (clone / "my-project/templates").is_dir():
            raise Difference("specify init made no project")
        print("\n== API")
        user.type(sections["API"], make_clone(work / "api"))
        user.check_refusals(sections["API"])
        print("\n== Storage")
        user.environment["STORAGE_PATH"] = str(damaged_storage(work / "damaged"))
        user.type(sections["Storage"], work, code=1)
        texts = [block.text for block in blocks if block.language == "yaml" and block.section == "API"]
        pipelines.check(texts, user.url, work, make_clone)
    finally:
        user.stop_server()
    print("\nreadme: everything that ran did what README.md shows")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="readme-") as directory:
        try:
            check(os.path.abspath(sys.argv[1]), pathlib.Path(directory))
        except Difference as difference:
            sys.exit(f"readme: {difference}")
