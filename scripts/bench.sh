#!/bin/sh
# Measures this server beside nginx and prints tables, in Markdown, against the project's budgets.
#
#   scripts/bench.sh [--rounds N] [--seconds N] [--logging on|off|both] [--rows REGEX]
#                    [--also BINARY]
#   scripts/bench.sh --tls [--rounds N] [--seconds N]
#
# A complete run, for docs/benchmark.md, takes some 12 minutes:
#
#   scripts/bench.sh --rounds 9 --seconds 1
#
# and a look at a few rows some seconds: --rounds 3 --seconds 1 --logging off --rows "tiny|304".
# --also measures the program of another version in the same rounds. With --tls both servers speak
# HTTPS with the same certificate, and openssl measures handshakes.
#
# Needs wrk, ab (apache2-utils), nginx, curl and python3. The servers get the same files, on the
# loopback interface, in turn, in one run. nginx is measured in each of its configurations, and the
# best one of a row counts. Each ratio is the median of the rounds' ratios, with the interquartile
# range; a budget is met where the whole range is within it.
set -eu

cd "$(dirname "$0")/.."
for tool in wrk ab nginx curl python3 sha256sum; do
    command -v "$tool" >/dev/null ||
        { echo "bench.sh: $tool is missing; install it first" >&2; exit 2; }
done
program=scripts/bench.py
if [ "${1-}" = --tls ]; then
    program=scripts/bench_tls.py
    shift
fi
exec python3 "$program" "$(scripts/static.sh)" "$@"
