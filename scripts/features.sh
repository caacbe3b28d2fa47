#!/bin/sh
# Checks the build without default features: its tests, the size of its static binary, and real
# clients against that.
#
#   scripts/features.sh
#
# Exit code 0 if all passed. scripts/test.sh has its lints; the same checks with all features are
# there, too.
set -eu

BINARY_BYTES_MAX=2097152

cd "$(dirname "$0")/.."
cargo test --locked --quiet --no-default-features --test black_box --test in_process
binary=$(scripts/static.sh "$(rustc --print host-tuple)" --no-default-features)
bytes=$(wc -c <"$binary")
echo "$binary has $bytes of at most $BINARY_BYTES_MAX bytes"
[ "$bytes" -le "$BINARY_BYTES_MAX" ]
tests/clients/run.sh "$binary"
