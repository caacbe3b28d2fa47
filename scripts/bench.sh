#!/bin/sh
# Measures this server beside nginx and prints a table against the project's budgets.
#
#   scripts/bench.sh [--rounds N] [--seconds N]
#
# Needs wrk, nginx, curl and python3. Both servers get the same files, on the loopback interface, in
# turn, in one run; figures are medians of the rounds' ratios. Our server logs every request, as it
# does by default; nginx does not log.
set -eu

cd "$(dirname "$0")/.."
for tool in wrk nginx curl python3 sha256sum; do
    command -v "$tool" >/dev/null ||
        { echo "bench.sh: $tool is missing; install it first" >&2; exit 2; }
done
exec python3 scripts/bench.py "$(scripts/static.sh)" "$@"
