#!/bin/sh
# Runs two and more servers over real NFSv4.2: a virtual machine exports a directory, mounts it as
# two clients with the default options, and runs the tests of rivals and of kills over both mounts,
# and one that stops the file server for a while.
#
#   scripts/nfs-test.sh [SECONDS]
#
# SECONDS is the duration of each test, default 60. The machine is emulated in software (no KVM is
# needed), so everything is slow: allow for some 10 minutes. Needs Debian or Ubuntu on amd64, Rust,
# and root or sudo: missing packages are installed. The machine's system, some 700 MB, is made once
# and kept in ~/.cache/release-server-tools. Prints the machine's output; exit code 0 if all tests
# passed.
set -eu

cd "$(dirname "$0")/.."
case ${1-60} in
    '' | *[!0-9]*) echo "nfs-test.sh: '$1' is not a number of seconds" >&2; exit 2 ;;
    *) seconds=${1-60} ;;
esac
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
PATH=$PATH:/usr/sbin:/sbin

packages=
for pair in qemu-system-x86_64:qemu-system-x86 debootstrap:debootstrap mke2fs:e2fsprogs; do
    command -v "${pair%%:*}" >/dev/null || packages="$packages ${pair##*:}"
done
if [ -n "$packages" ]; then
    $as_root apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends $packages >/dev/null
fi

system=${XDG_CACHE_HOME:-$HOME/.cache}/release-server-tools/nfs-system
if [ ! -e "$system/complete" ]; then
    $as_root rm -rf "$system"
    $as_root debootstrap --variant=minbase --include=linux-image-amd64,nfs-kernel-server,\
nfs-common,kmod,iproute2,procps,e2fsprogs,util-linux bookworm "$system" >/dev/null
    printf '#!/bin/sh\nmount /dev/vdb /mnt\n%s\n' \
        "exec sh /mnt/nfs-test/guest.sh \"\$(cat /mnt/nfs-test/seconds)\"" |
        $as_root tee "$system/nfs-init" >/dev/null
    $as_root chmod +x "$system/nfs-init"
    $as_root touch "$system/complete"
fi

# The tests run in another system, so they bring their libraries.
target=x86_64-unknown-linux-gnu
built=$(RUSTFLAGS='-C target-feature=+crt-static' \
    cargo test --locked --no-run --target $target --test load 2>&1) || {
    echo "$built" >&2
    exit 1
}
tests=$(echo "$built" | sed -n 's/.*Executable.*(\(.*\))$/\1/p')
target_directory=${tests%%/"$target"/*}
program=$(realpath "$target_directory/$target/debug/release-server")

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir -p "$place/disk/nfs-test"
cp tests/nfs/guest.sh "$place/disk/nfs-test/"
cp "$tests" "$place/disk/nfs-test/load"
cp "$program" "$place/disk/nfs-test/release-server"
echo "$program" >"$place/disk/nfs-test/program"
echo "$seconds" >"$place/disk/nfs-test/seconds"
$as_root mke2fs -q -F -t ext4 -d "$system" "$place/system.img" 3G
mke2fs -q -F -t ext4 -d "$place/disk" "$place/disk.img" 1G

# The kernel's command line cannot quote, so the system's own first process finds the rest.
timeout $((seconds * 6 + 1200)) qemu-system-x86_64 -accel tcg,thread=multi -smp 2 -m 2560 \
    -nodefaults -no-reboot -display none -serial stdio \
    -kernel "$system/vmlinuz" -initrd "$system/initrd.img" \
    -append "root=/dev/vda rw quiet console=ttyS0 panic=-1 init=/nfs-init" \
    -drive "file=$place/system.img,format=raw,if=virtio" \
    -drive "file=$place/disk.img,format=raw,if=virtio" | tee "$place/log"
grep -q '^nfs-test: passed' "$place/log"
