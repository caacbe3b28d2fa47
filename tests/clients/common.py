"""Shared by all clients: the packages that they send, and the report of a difference.

Run as a program it prepares a work directory for the clients outside Python:

    common.py WORK

- `WORK/files/NAME`: one file for each name of `names.json`, with content that differs between names
  and is the same in every run;
- `WORK/names-put.tsv`, `WORK/names-form.tsv`: id, percent-encoded name and name, of all names and
  of those that a form can carry;
- `WORK/big.bin`: a file that does not fit any buffer;
- `WORK/huge.bin`: a sparse file over the server's limit.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import random
import sys
import urllib.parse
from collections.abc import Iterator
from typing import Any, NamedTuple

BIG_BYTES = 8 * 1024 * 1024 + 12_345
# Over the MAX_UPLOAD_SIZE that run.sh sets.
HUGE_BYTES = 65 * 1024 * 1024
# Whether the server redirects downloads to a store, whose entity tags are its own.
REDIRECTS = "REDIRECTS" in os.environ
# Every file ends like a form: only a delimiter after the file's own boundary may end it.
TAIL = b"\r\n--\r\n"


class Package(NamedTuple):
    """A file to publish, and what is known of it before."""

    id: str
    name: str
    path: pathlib.Path

    @property
    def encoded(self) -> str:
        return urllib.parse.quote(self.name, safe="")

    @property
    def content(self) -> bytes:
        return self.path.read_bytes()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def packages(work: pathlib.Path, kind: str) -> list[Package]:
    """The packages that can be sent in a way of this kind: "form" or "put"."""
    table = json.loads(pathlib.Path(__file__).with_name("names.json").read_text("utf-8"))
    return [
        Package(entry["id"], entry["name"], work / "files" / entry["name"])
        for entry in table
        if kind == "put" or "only_put" not in entry
    ]


def big(work: pathlib.Path) -> Package:
    """The package that fits no buffer."""
    return Package("big", "big.bin", work / "big.bin")


def prepare(work: pathlib.Path) -> None:
    """Writes everything that the head of this module names."""
    (work / "files").mkdir()
    for number, package in enumerate(packages(work, "put")):
        noise = random.Random(package.id).randbytes(1 + 997 * number)
        package.path.write_bytes(noise + TAIL)
    for kind in ("put", "form"):
        rows = (f"{p.id}\t{p.encoded}\t{p.name}\n" for p in packages(work, kind))
        (work / f"names-{kind}.tsv").write_text("".join(rows), "utf-8")
    big(work).path.write_bytes(random.Random("big").randbytes(BIG_BYTES))
    with (work / "huge.bin").open("wb") as file:
        file.truncate(HUGE_BYTES)


class Difference(Exception):
    """Something came out other than it should have."""


def check(what: str, got: Any, expected: Any) -> None:
    """Says what differed, shortened where it is long."""
    if got != expected:
        raise Difference(f"{what} is {short(got)}, not {short(expected)}")


def short(value: Any) -> str:
    if isinstance(value, bytes) and len(value) > 100:
        return f"{len(value)} bytes of sha256 {hashlib.sha256(value).hexdigest()}"
    text = ascii(value)
    return text if len(text) <= 300 else f"{text[:300]}… ({len(text)} characters)"


class Report:
    """The failures of one client; each names client, operation, package and difference."""

    def __init__(self) -> None:
        self.client = os.environ["CLIENT"]
        self.failures = 0

    @contextlib.contextmanager
    def step(self, operation: str, name: str) -> Iterator[None]:
        """A step whose failure is told, and the next one goes on."""
        try:
            yield
        except Exception as error:  # every client has errors of its own kinds
            self.failures += 1
            kind = "" if isinstance(error, Difference) else f"{type(error).__name__}: "
            print(f"{self.client}: {operation} of {ascii(name)}: {kind}{error}")

    def exit(self) -> None:
        """Ends the program; with 1 where anything differed."""
        sys.exit(1 if self.failures else 0)


def check_metadata(metadata: dict[str, Any], package: Package) -> None:
    """What the server says of a package, in the answer to its upload and in the list."""
    check("name", metadata["name"], package.name)
    check("size", metadata["size"], len(package.content))
    check("sha256", metadata["sha256"], package.sha256)
    path = urllib.parse.urlsplit(metadata["download_url"]).path
    check("the name in download_url", urllib.parse.unquote(path), f"/assets/{package.name}")


def check_listing(listing: list[dict[str, Any]], expected: list[Package]) -> None:
    """The list holds exactly these packages."""
    names = sorted(metadata["name"] for metadata in listing)
    wanted = sorted(package.name for package in expected)
    missing, surplus = set(wanted) - set(names), set(names) - set(wanted)
    if names != wanted:
        raise Difference(f"{ascii(missing)} not listed, {ascii(surplus)} listed instead")
    by_name = {metadata["name"]: metadata for metadata in listing}
    for package in expected:
        check_metadata(by_name[package.name], package)


def checksum_line(package: Package) -> bytes:
    """What `/assets/NAME.sha256` holds."""
    return f"{package.sha256}  {package.name}\n".encode()


def settings() -> tuple[str, str, pathlib.Path]:
    """What run.sh tells every client: the server's URL, its token, the work directory."""
    return os.environ["BASE"], os.environ["TOKEN"], pathlib.Path(os.environ["WORK"])


if __name__ == "__main__":
    prepare(pathlib.Path(sys.argv[1]))
