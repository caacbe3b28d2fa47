#!/bin/sh
# Checks the build without default features: its lints and tests, the size of its static binary, and
# real clients against that.
#
#   scripts/features.sh
#
# Exit code 0 if all passed. scripts/test.sh has the same checks with all features.
set -eu

BINARY_BYTES_MAX=2097152

cd "$(dirname "$0")/.."
# The stand-ins for what is left out have arguments and results that they do not need.
cargo clippy --locked --no-default-features -- -D warnings -A clippy::pedantic
cargo test --locked --quiet --no-default-features --test black_box --test in_process
binary=$(scripts/static.sh "$(rustc --print host-tuple)" --no-default-features)
bytes=$(wc -c <"$binary")
echo "$binary has $bytes of at most $BINARY_BYTES_MAX bytes"
[ "$bytes" -le "$BINARY_BYTES_MAX" ]
tests/clients/run.sh "$binary"
