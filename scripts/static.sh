#!/bin/sh
# Builds the static binary and prints its path.
#
#   scripts/static.sh [TARGET]     TARGET: a Rust target; default: the one of this machine
#
# With the GNU C library the binary is made static by a compiler flag, and its relocations are packed, which saves
# 80 KiB. Where Rust links with lld by itself, functions that are the same are kept once, which saves 10 KiB. The flags
# are for the binary alone: macros that run in the compiler cannot be static, so a target is named.
set -eu

cd "$(dirname "$0")/.."
target=${1:-$(rustc -vV | sed -n 's/^host: //p')}
same_once=
[ "$target" != x86_64-unknown-linux-gnu ] || same_once='-C link-arg=-Wl,--icf=all'
RUSTFLAGS="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs $same_once ${RUSTFLAGS:-}" \
    cargo build --quiet --release --locked --target "$target" >&2
echo "${CARGO_TARGET_DIR:-target}/$target/release/release-server"
