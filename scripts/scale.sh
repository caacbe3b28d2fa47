#!/bin/sh
# Measures the server over directories of 100, 10,000 and 100,000 packages and prints one table.
#
#   scripts/scale.sh [--counts N,N,…] [--rounds N]
#
# Needs python3; with strace it also counts the system calls of a publish, a delete and the read
# after each. Directories are made under TMPDIR, 200,000 small files for the largest, and removed at
# the end.
set -eu

cd "$(dirname "$0")/.."
command -v python3 >/dev/null ||
    { echo "scale.sh: python3 is missing; install it first" >&2; exit 2; }
exec python3 -B scripts/scale.py "$(scripts/static.sh)" "$@"
