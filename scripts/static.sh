#!/bin/sh
# Builds the static binary and prints its path.
#
#   scripts/static.sh [TARGET]     TARGET: a Rust target; default: the one of this machine
#
# With the GNU C library the binary is made static by a compiler flag. On x86_64 its relocations are packed, which saves
# 80 KiB; older linkers know that for no other processor. There Rust links with lld by itself, which keeps functions that
# are the same once and saves 10 KiB more. The flags are for the binary alone: macros that run in the
# compiler cannot be static, so a target is named. For another processor than this machine's, the linker is Debian's
# cross compiler (gcc-aarch64-linux-gnu, gcc-arm-linux-gnueabihf, gcc-x86-64-linux-gnu).
#
# The same toolchain makes the same bytes wherever the sources and the crates lie: no path of theirs is in the binary.
set -eu

cd "$(dirname "$0")/.."
host=$(rustc --print host-tuple)
target=${1:-$host}

# A flag may hold spaces, in a path; cargo takes this character between flags.
separator=$(printf '\037')
flags=
add_flag() { flags="${flags:+$flags$separator}$1"; }

add_flag -Ctarget-feature=+crt-static
case $target in
    x86_64-*) add_flag -Clink-arg=-Wl,-z,pack-relative-relocs,--icf=all ;;
esac
if [ "$target" != "$host" ]; then
    processor=${target%%-*}
    [ "$processor" != armv7 ] || processor=arm
    add_flag "-Clinker=$processor-linux-${target##*-}-gcc"
fi
# Of two prefixes that fit a path, the later one counts.
add_flag "--remap-path-prefix=$PWD=."
add_flag "--remap-path-prefix=${CARGO_TARGET_DIR:-$PWD/target}=target"
# The crates have to lie where they are compiled before that place can be named.
cargo fetch --quiet --locked --target "$target" >&2
for registry in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do
    add_flag "--remap-path-prefix=$registry=crates"
done
for flag in ${RUSTFLAGS-}; do
    add_flag "$flag"
done

CARGO_ENCODED_RUSTFLAGS=$flags cargo build --quiet --release --locked --target "$target" >&2
echo "${CARGO_TARGET_DIR:-target}/$target/release/release-server"
