#!/bin/sh
# Runs this server and its peers through the same experiments and prints one table of what happened.
#
#   scripts/peers.sh [--rounds N] [--seconds N]
#
# Needs python3, curl, wrk, strace and openssl, and of the peers those that are in PATH; a missing
# one is named and left out:
#
#   nginx        apt-get install nginx-light     (has the DAV module, as nginx-core and nginx-extras
#   have) dufs         cargo install dufs miniserve    cargo install miniserve copyparty    pip
#   install copyparty
#
# Each peer is set up for this job as its documentation says, with the option that gives the better
# outcome where there is one (scripts/peer_servers.py). As root it also fills a disk, a tmpfs of 8
# MiB. Takes some four minutes, and is no part of scripts/test.sh for all that it needs.
set -eu

cd "$(dirname "$0")/.."
for tool in python3 curl wrk strace openssl; do
    command -v "$tool" >/dev/null || { echo "peers.sh: $tool is missing; install it first" >&2; exit 2; }
done
exec python3 -B scripts/peers.py "$(scripts/static.sh)" "$@"
