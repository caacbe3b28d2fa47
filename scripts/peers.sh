#!/bin/sh
# Runs the same experiments on this server and its peers and prints one table of the results.
#
#   scripts/peers.sh [--rounds N] [--seconds N]
#
# Needs python3, curl, wrk, strace and openssl, and any of the peers in PATH; a missing peer is
# named and left out:
#
#   nginx        apt-get install nginx-light (it has the DAV module)
#   dufs         cargo install dufs
#   miniserve    cargo install miniserve
#   copyparty    pip install copyparty
#
# Each peer is configured for this job as its documentation recommends, with the options that give
# the better result (scripts/peer_servers.py). Each experiment on behaviour runs twice, and a cell
# says where the results differ; what is measured shows its interquartile range. As root it also
# fills a disk, a tmpfs of 8 MiB. Takes some eight minutes, and is not part of scripts/test.sh
# because of the tools it needs.
set -eu

cd "$(dirname "$0")/.."
for tool in python3 curl wrk strace openssl; do
    command -v "$tool" >/dev/null ||
        { echo "peers.sh: $tool is missing; install it first" >&2; exit 2; }
done
exec python3 -B scripts/peers.py "$(scripts/static.sh)" "$@"
