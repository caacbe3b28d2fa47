#!/usr/bin/env python3
"""Writes the licenses of the libraries in the program to THIRD-PARTY-LICENSES.txt.

    scripts/licenses.py [--check]

With --check, nothing is written, and a stale file is an error: Cargo.lock has changed since. The
texts are the files in the sources of the crates; the MIT license is chosen where a crate offers a
choice. Needs cargo, and no network once the crates are fetched. (cargo-about does the same, but
builds some hundred crates for it.)
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILE = ROOT / "THIRD-PARTY-LICENSES.txt"
TARGETS = [
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "armv7-unknown-linux-gnueabihf",
]

HEAD = """Third-party licenses
====================

release-server is licensed under the MIT license; see the file LICENSE. Its program contains the
libraries below, each group with the text of its license.

The program also contains:

- the Rust standard library, copyright The Rust Project contributors, under the MIT license or the
  Apache License, Version 2.0; this project chooses the MIT license;
- the GNU C Library (glibc), copyright the Free Software Foundation and others, under the GNU
  Lesser General Public License, version 2.1 or later; its text is in the file LGPL-2.1.txt. The
  program is linked with it statically. The sources of every release can be linked with a modified
  version of the library: scripts/static.sh uses the one that is installed.
"""

# The text that every use of the license shares, without a line of copyright.
MIT = """MIT License

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES
OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."""


def packages(target):
    """The packages in the program for a target, without build and development dependencies."""
    command = ["cargo", "metadata", "--locked", "--format-version=1", "--filter-platform", target]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    metadata = json.loads(done.stdout)
    by_id = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    found, pending = {}, [root]
    while pending:
        for dependency in nodes[pending.pop()]["deps"]:
            package = by_id[dependency["pkg"]]
            is_linked = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            is_macro = any("proc-macro" in item["kind"] for item in package["targets"])
            if is_linked and not is_macro and package["id"] not in found:
                found[package["id"]] = package
                pending.append(package["id"])
    return found


def texts(package):
    """The text of each license under which the program uses a package."""
    folder = pathlib.Path(package["manifest_path"]).parent
    pattern = re.compile(r"(licen[cs]e|copying|unlicense|notice)", re.I)
    files = sorted(path for path in folder.iterdir() if pattern.match(path.name) and path.is_file())
    alternatives = re.split(r"\s+OR\s+|/", package["license"] or "")
    if "MIT" in [one.strip(" ()") for one in alternatives]:
        mit = [path for path in files if re.search(r"mit", path.name, re.I)]
        mit = mit or [path for path in files if "permission is hereby granted" in lower(path)]
        if files and not mit:
            # The package names its holders and leaves the license itself out.
            return [path.read_text().strip("\n") for path in files] + [MIT]
        files = mit
    if not files:
        name, license = package["name"], package["license"]
        sys.exit(f"licenses.py: {name} has no file with the text of {license}")
    return [path.read_text().strip("\n") for path in files]


def lower(path):
    return " ".join(path.read_text().lower().split())


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    users = {}
    found = {}
    for target in TARGETS:
        found |= packages(target)
    for package in found.values():
        for text in texts(package):
            users.setdefault(text, set()).add(f"{package['name']} {package['version']}")
    made = HEAD
    for text, names in sorted(users.items(), key=lambda item: sorted(item[1])):
        made += "\n" + "-" * 80 + "\n" + "\n".join(sorted(names)) + "\n\n" + text + "\n"
    if not sys.argv[1:]:
        FILE.write_text(made)
    elif FILE.read_text() != made:
        sys.exit(f"licenses.py: {FILE.name} is stale; run scripts/licenses.py")
    print(f"{len(found)} crates, {len(users)} texts")


main()
