#!/bin/sh
# Runs scripts/crowds.sh in a virtual machine with version 2 of cgroups, whose memory limit also
# counts socket buffers.
#
#   scripts/crowds-machine.sh [OPTION...]      the options of crowds.sh
#
# The machine is emulated in software (no KVM is needed), so clients are slow: allow for five
# minutes. Its system is that of scripts/nfs-test.sh, which has to have run once. Needs
# qemu-system-x86_64, mke2fs and root. Prints the machine's output; exit code 0 if all attacks
# passed.
set -eu

cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin
for tool in qemu-system-x86_64 mke2fs; do
    command -v "$tool" >/dev/null ||
        { echo "crowds-machine.sh: $tool is missing; install it first" >&2; exit 2; }
done
system=${XDG_CACHE_HOME:-$HOME/.cache}/release-server-tools/nfs-system
[ -e "$system/complete" ] ||
    { echo "crowds-machine.sh: run scripts/nfs-test.sh first: it makes the system" >&2; exit 2; }
binary=${BINARY:-$(scripts/static.sh)}

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir "$place/disk"
cp scripts/crowds.py scripts/bench_*.py "$place/disk/"
cp "$binary" "$place/disk/release-server"
cat >"$place/disk/guest.sh" <<GUEST
mount -t tmpfs tmpfs /tmp
mount -t cgroup2 none /sys/fs/cgroup
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
ip link set lo up
ulimit -n 65536
python3 -B /mnt/crowds.py --binary /mnt/release-server $* && echo 'crowds-machine: passed'
echo o >/proc/sysrq-trigger
sleep 60
GUEST
mke2fs -q -F -t ext4 -d "$place/disk" "$place/disk.img" 64M
# The system's first process is a file of its own: its mount of this disk comes first.
mkdir "$place/init"
printf '#!/bin/sh\nmount /dev/vdb /mnt\nexec sh /mnt/guest.sh\n' >"$place/init/crowds-init"
chmod +x "$place/init/crowds-init"
mke2fs -q -F -t ext4 -d "$system" "$place/system.img" 2G
printf 'write %s crowds-init\nset_inode_field crowds-init mode 0100755\n' \
    "$place/init/crowds-init" | debugfs -w "$place/system.img" >/dev/null 2>&1

timeout 1200 qemu-system-x86_64 -accel tcg,thread=multi -smp 2 -m 1536 \
    -nodefaults -no-reboot -display none -serial stdio \
    -kernel "$system/vmlinuz" -initrd "$system/initrd.img" \
    -append "root=/dev/vda rw quiet console=ttyS0 panic=-1 init=/crowds-init" \
    -drive "file=$place/system.img,format=raw,if=virtio" \
    -drive "file=$place/disk.img,format=raw,if=virtio" | tee "$place/log"
grep -q '^crowds-machine: passed' "$place/log"
