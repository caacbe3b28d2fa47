#!/bin/sh
# Measures this server beside nginx and prints a table against the project's budgets.
#
#   scripts/bench.sh [--tls] [--rounds N] [--seconds N]
#
# With --tls both servers speak HTTPS with the same certificate, and openssl measures handshakes.
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
program=scripts/bench.py
if [ "${1-}" = --tls ]; then
    program=scripts/bench_tls.py
    shift
fi
exec python3 "$program" "$(scripts/static.sh)" "$@"
