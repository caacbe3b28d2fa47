#!/usr/bin/env python3
"""Completes an SBOM of crates (CycloneDX, JSON) with the parts of the binary that are not crates.

    scripts/sbom.py CRATES.cdx.json GLIBC_VERSION >SBOM.cdx.json

Adds Rust's standard library, of the version in rust-toolchain.toml, and the GNU C Library of the
given version, such as 2.36-9+deb12u13. The crates come from `cargo cyclonedx`. The same input gives
the same bytes: neither a serial number nor a time is kept.
"""

import json
import pathlib
import re
import sys


def library(name, version, license_id, purl):
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "licenses": [{"expression": license_id}],
        "purl": purl,
    }


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sbom = json.loads(pathlib.Path(sys.argv[1]).read_text())
    glibc = sys.argv[2]
    toolchain = pathlib.Path(__file__).resolve().parent.parent / "rust-toolchain.toml"
    rust = re.search(r'^channel = "([0-9.]+)"', toolchain.read_text(), re.M)[1]
    added = [
        library("std", rust, "MIT OR Apache-2.0", f"pkg:github/rust-lang/rust@{rust}#library/std"),
        library("glibc", glibc, "LGPL-2.1-or-later", f"pkg:generic/glibc@{glibc}"),
    ]
    sbom["components"] = sbom.get("components", []) + added
    program = sbom["metadata"]["component"]["bom-ref"]
    for dependency in sbom["dependencies"]:
        if dependency["ref"] == program:
            dependency["dependsOn"] = sorted(
                dependency.get("dependsOn", []) + [part["bom-ref"] for part in added]
            )
    sbom["dependencies"] += [{"ref": part["bom-ref"]} for part in added]
    sbom.pop("serialNumber", None)
    sbom["metadata"].pop("timestamp", None)
    json.dump(sbom, sys.stdout, indent=2, sort_keys=True)
    sys.stdout.write("\n")


main()
