#!/bin/sh
# Writes the licenses of the libraries in the program to THIRD-PARTY-LICENSES.txt.
#
#   scripts/licenses.sh [--check]
#
#   --check  writes nothing, fails if the file is stale: run it after a change of Cargo.lock
#
# Needs cargo-about: cargo install --locked cargo-about@0.8.4 --features cli
set -eu

cd "$(dirname "$0")/.."
file=THIRD-PARTY-LICENSES.txt
made=$(mktemp)
trap 'rm -f "$made"' EXIT

cargo about generate --locked --fail about.hbs >"$made"
case ${1-} in
    '') cat "$made" >"$file" ;;
    --check)
        diff -u "$file" "$made" >&2 || {
            echo "licenses.sh: $file is stale; run scripts/licenses.sh" >&2
            exit 1
        }
        ;;
    *)
        echo "licenses.sh: unknown option '$1'; the option is --check" >&2
        exit 2
        ;;
esac
