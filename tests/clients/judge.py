"""Tells the clients outside Python whether the server has stored their uploads.

    judge.py published OPERATION KIND ANSWERS
        every package of the kind ("form" or "put") is listed, and nothing else; its checksum is
        served; ANSWERS/ID.json holds the answer to its upload
    judge.py empty OPERATION
        nothing is listed
    judge.py publish
        publishes all packages and big.bin, for a client that only reads
    judge.py clear
        deletes all packages, for the next client

It uses connections of its own, so that a client's mistake in reading cannot hide one in writing.
"""

import json
import pathlib
import sys
import urllib.parse
import urllib.request

import common

BASE, TOKEN, WORK = common.settings()


def fetch(path: str, method: str = "GET", body: bytes | None = None) -> bytes:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    request = urllib.request.Request(BASE + path, body, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def listing() -> list[dict]:
    return json.loads(fetch("/packages?format=json"))


def published(report: common.Report, operation: str, kind: str, answers: pathlib.Path) -> None:
    expected = common.packages(WORK, kind)
    with report.step(f"{operation}, then the list", "all packages"):
        common.check_listing(listing(), expected)
    for package in expected:
        with report.step(f"answer to {operation}", package.name):
            answer = (answers / f"{package.id}.json").read_text("utf-8")
            common.check_metadata(json.loads(answer), package)
        with report.step(f"{operation}, then the checksum", package.name):
            line = fetch(f"/assets/{package.encoded}.sha256")
            common.check("the checksum's line", line, common.checksum_line(package))


def main() -> None:
    report = common.Report()
    match sys.argv[1:]:
        case ["published", operation, kind, answers]:
            published(report, operation, kind, pathlib.Path(answers))
        case ["empty", operation]:
            with report.step(f"{operation}, then the list", "all packages"):
                common.check_listing(listing(), [])
        case ["publish"]:
            for package in [*common.packages(WORK, "put"), common.big(WORK)]:
                with report.step("publishing", package.name):
                    fetch(f"/assets/{package.encoded}", "PUT", package.content)
        case ["clear"]:
            for metadata in listing():
                with report.step("clearing up", metadata["name"]):
                    fetch(f"/assets/{urllib.parse.quote(metadata['name'], safe='')}", "DELETE")
        case _:
            sys.exit(__doc__)
    report.exit()


if __name__ == "__main__":
    main()
