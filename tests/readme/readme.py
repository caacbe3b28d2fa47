"""What run.sh starts: takes the commands out of the documents, runs them and compares.

A block of shell is run command by command in one shell, as a user types them, in a temporary copy
of what a clone of the repository holds. A block of output that directly follows is what its
commands print. Only the server's address is replaced and, in the command that starts it, `cargo run
--release` by the given binary. Times, sizes, checksums, versions and numbers of the machine may
differ from those shown.

Upstream's `specify` is the one of the virtual environment in SPECIFY_ENVIRONMENT; without it, its
commands do nothing. The fork cannot be installed: a program that does what its `init` does with a
URL takes its place.
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
RUN = ("README.md", "docs/api.md", "docs/storage.md")
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
)
# Blocks of shell that are not run here: how each begins, and why.
NOT_RUN = {
    "scripts/test.sh": "it runs this",
    "docker run": "needs a Docker Engine; scripts/image-test.sh runs the image with these options",
    "REGISTRY=": "needs buildx and a registry",
    "helm install": "needs a cluster; scripts/chart.sh and chart-apiserver.sh try the chart",
    "tar -xf release-server": "needs systemd; scripts/systemd-test.sh runs it in a machine",
    "systemctl stop": "needs systemd; scripts/systemd-test.sh runs it in a machine",
    "rsync --archive": "needs another machine",
    "STORAGE_PATH=/var/lib": "needs an installed service; tests run `verify` elsewhere",
    "gh attestation": "needs a release that is published on GitHub",
    "release-server token new": "prints another token each time; tests/black_box/tokens runs it",
    "certbot certonly": "needs a name that the internet resolves",
    "openssl req -x509": "tests/tls serves and asks with pairs of its own",
    "git archive --output acme": "needs an extension; tests/catalogs publishes one of each kind",
    "URL=https": "tests/catalogs adds these catalogs to specify",
    "export SPECKIT_": "tests/catalogs starts a project with these variables",
}
SPECIFY = """#!/usr/bin/env python3
import io, json, os, sys, urllib.request, zipfile
if "--template-url" not in sys.argv:
    upstream = os.environ.get("SPECIFY_ENVIRONMENT")
    if not upstream:
        sys.exit(0)
    program = f"{upstream}/bin/specify"
    os.execv(program, [program, *sys.argv[1:]])
words = [word for word in sys.argv[1:] if word != "--ignore-agent-tools"]
command, project = words[:2]
option = dict(zip(words[2::2], words[3::2]))
release = json.load(urllib.request.urlopen(option["--template-url"]))
start = f"spec-kit-template-{option['--ai']}-{option['--script']}"
asset = next(a for a in release["assets"] if start in a["name"] and a["name"].endswith(".zip"))
bytes_ = urllib.request.urlopen(asset["browser_download_url"]).read()
zipfile.ZipFile(io.BytesIO(bytes_)).extractall(project)
"""
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
    (r'"size":\d+', '"size":NUMBER'),
]


class Block(typing.NamedTuple):
    """A fenced block: its place, its language, its text, and the output shown after it."""

    document: str
    line: int
    language: str
    text: str
    shown: "Block | None" = None

    def place(self) -> str:
        return f"{self.document}:{self.line}"


def read_blocks(document: str) -> list[Block]:
    """All fenced blocks; output that directly follows a block of shell belongs to it."""
    blocks, inside, since_block = [], None, []
    for number, line in enumerate((ROOT / document).read_text().splitlines(), 1):
        if inside is not None and line == "```":
            block = Block(document, inside[0], inside[1], "".join(inside[2]))
            is_output = (
                blocks and blocks[-1].language == "sh" and block.language in ("text", "json")
            )
            if is_output and not any(since_block):
                blocks[-1] = blocks[-1]._replace(shown=block)
            else:
                blocks.append(block)
            inside, since_block = None, []
        elif inside is not None:
            inside[2].append(line + "\n")
        elif line.startswith("```"):
            inside = (number, line[3:], [])
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
        wanted, got = (
            comparable(text, block.shown.language) for text in (block.shown.text, printed)
        )
        if wanted != got:
            raise Difference(f"{block.shown.place()}: shown is\n{wanted}\nprinted was\n{got}")


def make_clone(directory: pathlib.Path) -> pathlib.Path:
    """The folders of a clone that the commands use, as a repository with one commit."""
    directory.mkdir()
    for name in ("scripts", "examples"):
        shutil.copytree(ROOT / name, directory / name)
    git(directory, "init", "-q")
    git(directory, "add", ".")
    git(directory, "commit", "-q", "-m", "All")
    return directory


class User:
    """A user at a terminal with an empty home, and the server that this user starts."""

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
        self.environment = {
            "HOME": str(work),
            "PATH": f"{tools}:{os.environ['PATH']}",
            "LC_ALL": "C.UTF-8",
            "SPECIFY_ENVIRONMENT": os.environ.get("SPECIFY_ENVIRONMENT", ""),
        }

    def start_server(self, block: Block, directory: pathlib.Path) -> None:
        command = block.text.replace("cargo run --release", f"exec '{self.binary}'")
        log = self.work / "log"
        with log.open("wb") as out:
            self.server = subprocess.Popen(
                ["sh", "-euc", command],
                cwd=directory,
                env={**self.environment, "PORT": "0"},
                stdout=out,
                stderr=out,
            )
        end = time.monotonic() + PATIENCE_SECONDS
        while not (listening := re.search(r"listening address=\S+:(\d+) .*\n", log.read_text())):
            if self.server.poll() is not None or time.monotonic() > end:
                raise Difference(f"{block.place()}: the server does not listen: {log.read_text()}")
            time.sleep(0.01)
        print(f"$ {block.text}{log.read_text()}")
        compare(block, log.read_text())
        self.url = f"http://localhost:{listening[1]}"
        # Where a command names no server it means the usual port.
        self.environment["RELEASE_SERVER_URL"] = self.url

    def type(self, blocks: list[Block], directory: pathlib.Path, code: int = 0) -> None:
        """Types the commands of some blocks, one after the other, into one shell."""
        outputs = [
            [self.work / f"out-{b.line}-{i}" for i, _ in enumerate(commands_of(b))] for b in blocks
        ]
        script = "set -eu\n"
        for block, paths in zip(blocks, outputs):
            for command, path in zip(commands_of(block), paths):
                command = command.replace("http://localhost:8000", self.url)
                script += f"exec >'{path}' 2>&1\n{command}\n"
        ended = subprocess.run(
            ["sh", "-c", script], cwd=directory, env=self.environment, timeout=PATIENCE_SECONDS
        )
        for block, paths in zip(blocks, outputs):
            printed = [path.read_text() for path in paths if path.exists()]
            for command, text in zip(commands_of(block), printed):
                print(f"$ {command}\n{text}", end="" if text.endswith("\n") or not text else "\n")
            if len(printed) == len(paths):
                compare(block, "".join(printed))
        if ended.returncode != code:
            raise Difference(
                f"{blocks[0].place()}: the last command above ended with {ended.returncode}"
            )

    def check_refusals(self, blocks: list[Block]) -> None:
        """The server refused only what the document shows as refused, and a 416, by which curl
        learns that it has the whole file.
        """
        log = (self.work / "log").read_text()
        refused = [line for line in log.splitlines() if re.search(r" status=[45](?!16)\d\d", line)]
        shown = [block for block in blocks if block.shown and '"detail"' in block.shown.text]
        if len(refused) != len(shown):
            raise Difference(
                f"{len(shown)} refusals are shown, the server's log has these:\n"
                + "\n".join(refused)
            )

    def stop_server(self) -> None:
        if self.server:
            self.server.send_signal(signal.SIGTERM)
            self.server.wait(PATIENCE_SECONDS)


def damaged_storage(directory: pathlib.Path) -> pathlib.Path:
    """A directory with a sound package, one without a checksum and one whose bytes have changed."""
    directory.mkdir()
    for name, checksummed in (
        ("missing.zip", None),
        ("rotten.zip", b"before"),
        ("sound.zip", b"sound.zip"),
    ):
        (directory / name).write_text(name)
        if checksummed:
            (directory / f"{name}.sha256").write_text(hashlib.sha256(checksummed).hexdigest())
    return directory


def check_lists(blocks: list[Block]) -> None:
    """Each block of shell is run or listed, and each that is listed is there."""
    others = [block for block in blocks if block.language == "sh" and not runs(block)]
    for start, reason in NOT_RUN.items():
        if not any(block.text.startswith(start) for block in others):
            raise Difference(f"no document has a block that begins with '{start}' any more")
        print(f"not run: {start} ...: {reason}")
    for block in others:
        if not block.text.startswith(tuple(NOT_RUN)):
            raise Difference(f"{block.place()}: this block is neither run nor listed in readme.py")


def runs(block: Block) -> bool:
    return (
        block.language == "sh"
        and block.document in RUN
        and not block.text.startswith(tuple(NOT_RUN))
    )


def check(binary: str, work: pathlib.Path) -> None:
    blocks = [block for document in DOCUMENTS for block in read_blocks(document)]
    check_lists(blocks)
    commands = {
        name: [block for block in blocks if runs(block) and block.document == name] for name in RUN
    }
    for name, found in commands.items():
        if not found:
            raise Difference(f"{name} has no commands")
    user = User(binary, work)
    try:
        print("\n== README.md")
        clone = make_clone(work / "clone")
        start, *rest = commands["README.md"]
        user.start_server(start, clone)
        user.type(rest, clone)
        if not (clone / "from-template/.specify/templates").is_dir():
            raise Difference("the fork's specify init made no project")
        extension = clone / "my-project/.specify/extensions/sample/extension.yml"
        if not user.environment["SPECIFY_ENVIRONMENT"]:
            print("not run: upstream's specify; SPECIFY_ENVIRONMENT is not set")
        elif not extension.is_file():
            raise Difference("specify did not install the sample extension")
        print("\n== docs/api.md")
        user.type(commands["docs/api.md"], make_clone(work / "api"))
        user.check_refusals(commands["docs/api.md"])
        print("\n== docs/storage.md")
        user.environment["STORAGE_PATH"] = str(damaged_storage(work / "damaged"))
        user.type(commands["docs/storage.md"], work, code=1)
        texts = [
            block.text
            for block in blocks
            if block.language == "yaml" and block.document == "docs/api.md"
        ]
        pipelines.check(texts, user.url, work, make_clone)
    finally:
        user.stop_server()
    print("\nreadme: everything that ran did what the documents show")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="readme-") as directory:
        try:
            check(os.path.abspath(sys.argv[1]), pathlib.Path(directory))
        except Difference as difference:
            sys.exit(f"readme: {difference}")
