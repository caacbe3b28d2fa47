#!/bin/sh
# Builds the static binary and prints its path.
#
#   scripts/static.sh [TARGET [OPTION...]]     TARGET: a Rust target; default: this machine's
#                                              OPTION: cargo's, such as --no-default-features
#
# The binary is linked statically with the GNU C library, by the lld of the Rust toolchain on every
# machine: relative relocations are packed, which saves 80 KiB, identical functions are merged,
# which saves 10 KiB, the table of sections is left out, which saves 2 KiB and which only debuggers
# read, and scripts/static.c replaces what the server never uses of the C library, which saves 520
# KiB. The C compiler for another processor is Debian's (gcc-aarch64-linux-gnu,
# gcc-arm-linux-gnueabihf, gcc-x86-64-linux-gnu). The flags apply to the binary only, because
# macros, which the compiler loads, cannot be static; so a target is always named.
#
# The same sources, Rust toolchain and C library give the same bytes wherever the sources, the
# crates and the toolchain lie, and on whichever processor the compiler runs: the binary contains no
# path of the machine.
set -eu

cd "$(dirname "$0")/.."
host=$(rustc --print host-tuple)
target=${1:-$host}
[ $# = 0 ] || shift

fail() {
    echo "static.sh: $1" >&2
    exit 1
}

sysroot=$(rustc --print sysroot)
commit=$(rustc --version --verbose | sed -n 's/^commit-hash: //p')
lld=$sysroot/lib/rustlib/$host/bin/gcc-ld
[ -x "$lld/ld.lld" ] ||
    fail "$lld/ld.lld is missing; install the Rust toolchain with rustup, which includes it"

# Flags can contain spaces, in paths; this character separates them for cargo.
separator=$(printf '\037')
flags=
add_flag() { flags="${flags:+$flags$separator}$1"; }

add_flag -Ctarget-feature=+crt-static
add_flag "-Clink-arg=-B$lld"
add_flag -Clink-arg=-fuse-ld=lld
add_flag -Clink-arg=-Wl,-z,pack-relative-relocs,--icf=all
compiler=cc
if [ "$target" != "$host" ]; then
    processor=${target%%-*}
    [ "$processor" != armv7 ] || processor=arm
    compiler=$processor-linux-${target##*-}-gcc
    add_flag "-Clinker=$compiler"
fi
# If two prefixes match a path, the later one counts.
add_flag "--remap-path-prefix=$PWD=."
add_flag "--remap-path-prefix=${CARGO_TARGET_DIR:-$PWD/target}=target"
# The component rust-src makes the compiler name the toolchain's copy of the standard library.
add_flag "--remap-path-prefix=$sysroot/lib/rustlib/src/rust=/rustc/$commit"
# The crates must be unpacked before their directory can be named.
cargo fetch --quiet --locked --target "$target" >&2
for registry in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do
    add_flag "--remap-path-prefix=$registry=crates"
done
for flag in ${RUSTFLAGS-}; do
    add_flag "$flag"
done

output=${CARGO_TARGET_DIR:-target}/$target
mkdir -p "$output"
"$compiler" -c -std=c11 -Os -Wall -Wextra -Werror -ffreestanding -fPIE \
    -fno-asynchronous-unwind-tables -o "$output/static.o" scripts/static.c
rm -f "$output/libabsent.a"
ar rcsD "$output/libabsent.a" "$output/static.o"

CARGO_ENCODED_RUSTFLAGS=$flags cargo rustc --quiet --release --locked --target "$target" \
    --bin release-server "$@" -- "-Lnative=$output" -lstatic=absent >&2
binary=$output/release/release-server
# The table of sections is left out. The toolchain's own tool needs the toolchain's libraries.
LD_LIBRARY_PATH=$sysroot/lib "$sysroot/lib/rustlib/$host/bin/rust-objcopy" \
    --strip-sections "$binary"
# A program that needs a dynamic loader names it in the segment PT_INTERP.
headers=$(LC_ALL=C readelf --program-headers --wide "$binary")
case $headers in
    *INTERP*) fail "$binary is not static: it needs a dynamic loader" ;;
esac
echo "$binary"
