#!/bin/sh
# Installs the server under a real systemd, in a virtual machine, with the commands of README.md and
# of docs/deployment.md: publishes and fetches, kills the server, takes its token away for a while,
# stores packages in another directory, serves HTTPS.
#
#   scripts/systemd-test.sh
#
# The machine is emulated in software (no KVM is needed): allow for five minutes. Needs Debian or
# Ubuntu on amd64, Rust or BINARY, a static binary, and root or sudo: missing packages are
# installed. The machine's system, some 500 MB, is made once and kept in
# ~/.cache/release-server-tools. Prints the machine's output; exit code 0 if all checks passed.
set -eu

cd "$(dirname "$0")/.."
# shellcheck source=scripts/version.sh
. scripts/version.sh
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

system=${XDG_CACHE_HOME:-$HOME/.cache}/release-server-tools/systemd-system
if [ ! -e "$system/complete" ]; then
    $as_root rm -rf "$system"
    $as_root debootstrap --variant=minbase \
        --include=linux-image-cloud-amd64,systemd-sysv,curl,openssl bookworm "$system" >/dev/null
    $as_root touch "$system/complete"
fi
binary=${BINARY:-$(scripts/static.sh)}

# block DOCUMENT LINE: the fenced block of a document that has this line.
block() {
    awk -v line="$2" '
        /^```/ { if (found) exit; inside = !inside; text = ""; next }
        inside { text = text $0 "\n"; if ($0 == line) found = 1 }
        END { printf "%s", text; exit !found }' "$1" || fail "$1 has no block with '$2'"
}

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
release=release-server-$version-linux-amd64
mkdir -p "$place/disk/$release"
cp "$binary" "$place/disk/$release/release-server"
cp scripts/release-server.service docs/release-server.1 "$place/disk/$release"
tar --create --gzip --directory "$place/disk" --file "$place/disk/$release.tar.gz" "$release"
rm -r "${place:?}/disk/$release"
cp tests/systemd/guest.sh "$place/disk/"
block README.md 'sudo install release-server /usr/local/bin/' >"$place/disk/install.sh"
block docs/deployment.md 'systemctl stop release-server' >"$place/disk/move.sh"
block docs/deployment.md 'ReadWritePaths=/srv/packages' >"$place/disk/move.conf"
# The lines for HTTPS in the unit's comment.
sed -n '/^# For HTTPS/,/^$/s/^#   //p' scripts/release-server.service >"$place/disk/https.conf"
mke2fs -q -F -t ext4 -d "$place/disk" "$place/disk.img" 64M
$as_root mke2fs -q -F -t ext4 -d "$system" "$place/system.img" 2G
cat >"$place/guest.service" <<'UNIT'
[Service]
ExecStart=/bin/sh -c 'mount /dev/vdb /mnt && exec sh /mnt/guest.sh >/dev/ttyS0 2>&1'
UNIT
printf '%s\n' "write $place/guest.service etc/systemd/system/guest.service" \
    'symlink etc/systemd/system/multi-user.target.wants/guest.service ../guest.service' |
    $as_root debugfs -w "$place/system.img" >/dev/null 2>&1

timeout 1200 qemu-system-x86_64 -accel tcg,thread=multi -smp 2 -m 1024 \
    -nodefaults -no-reboot -display none -serial stdio \
    -kernel "$system/vmlinuz" -initrd "$system/initrd.img" \
    -append "root=/dev/vda rw quiet console=ttyS0 panic=-1 systemd.firstboot=off \
systemd.getty_auto=no systemd.show_status=no" \
    -drive "file=$place/system.img,format=raw,if=virtio" \
    -drive "file=$place/disk.img,format=raw,if=virtio" | tee "$place/log"
grep -q '^systemd-test: passed' "$place/log"
