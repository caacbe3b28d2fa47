#!/bin/sh
# Runs in the virtual machine of scripts/nfs-test.sh, as its first process: exports a directory over
# NFSv4.2, mounts it twice as two clients, and runs the tests over the two mounts.
#
#   guest.sh SECONDS
set -u

seconds=$1
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH HOME=/root

finish() {
    echo "nfs-test: $1"
    sync
    echo o >/proc/sysrq-trigger
    sleep 60
}

# Repeats a command until it succeeds, for some 20 s.
eventually() {
    tries=0
    until "$@" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 40 ] || finish "failed: $*"
        sleep 0.5
    done
}

mount -t tmpfs tmpfs /tmp
mkdir -p /tmp/mounts/a /tmp/mounts/b
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/rpc_pipefs
mount -t tmpfs tmpfs /var/lib/nfs
mkdir -p /var/lib/nfs/rpc_pipefs /var/lib/nfs/v4recovery /var/lib/nfs/nfsdcld /var/lib/nfs/sm
touch /var/lib/nfs/etab /var/lib/nfs/rmtab
modprobe nfsd || finish "failed: no module nfsd"
modprobe nfs
mount -t nfsd nfsd /proc/fs/nfsd
mount -t rpc_pipefs rpc_pipefs /var/lib/nfs/rpc_pipefs
ip link set lo up

# Each client has a network of its own, so that the kernel keeps nothing in common for them.
number=0
for client in a b; do
    number=$((number + 1))
    ip netns add $client
    ip link add to-$client type veth peer name eth0 netns $client
    ip addr add 10.9.$number.1/24 dev to-$client
    ip link set to-$client up
    ip -n $client addr add 10.9.$number.2/24 dev eth0
    ip -n $client link set eth0 up
    ip -n $client link set lo up
    # Both have the same host name: without this they are one client to the server.
    ip netns exec $client sh -c "echo $client >/sys/fs/nfs/net/nfs_client/identifier" ||
        finish "failed: no identifier of an NFS client"
done

# On the disk, whose file system has file handles that last.
mkdir /mnt/export
chmod 777 /mnt/export
echo 10 >/proc/fs/nfsd/nfsv4leasetime
echo 10 >/proc/fs/nfsd/nfsv4gracetime
nfsdcld
rpc.mountd -N 3
exportfs -o rw,sync,no_root_squash,no_subtree_check,fsid=0 '10.9.0.0/16:/mnt/export'
rpc.nfsd -N 3 8 || finish "failed: rpc.nfsd"
number=0
for client in a b; do
    number=$((number + 1))
    eventually nsenter --net=/run/netns/$client \
        mount -t nfs4 10.9.$number.1:/ /tmp/mounts/$client
done
grep ' nfs4 ' /proc/mounts

# Whether a lock of one client, on its standard input, excludes the other.
report_exclusion() {
    if flock -n -x 0; then
        echo "nfs-test: flock on a $1 does not exclude the other client"
    else
        echo "nfs-test: flock on a $1 excludes the other client"
    fi
}
touch /mnt/export/locked
(flock -x 0; sleep 5) </tmp/mounts/a &
sleep 2
report_exclusion directory </tmp/mounts/b
wait
(flock -x 0; sleep 5) <>/tmp/mounts/a/locked &
sleep 2
report_exclusion file <>/tmp/mounts/b/locked
wait
rm /mnt/export/locked

cd /mnt/nfs-test || finish "failed: no tests"
LOAD_MOUNTS=/mnt/export:/tmp/mounts/a:/tmp/mounts/b
LOAD_SECONDS=$seconds
LOAD_STOP='rpc.nfsd 0'
LOAD_GO_ON='rpc.nfsd -N 3 8'
export LOAD_MOUNTS LOAD_SECONDS LOAD_STOP LOAD_GO_ON
# The server is where the tests were built to find it.
program=$(cat program)
mount -t tmpfs tmpfs "/$(echo "$program" | cut -d/ -f2)" 2>/dev/null
mkdir -p "$(dirname "$program")" && cp release-server "$program"

outcome=passed
# Not `killed::uploads_survive`: it locks without a pause, and a client of NFS asks for a lock that
# another one holds about once a second.
for test in stopped:: killed::leftovers rivals::; do
    echo "== $test"
    ./load --test-threads=1 --nocapture "$test" || outcome="failed: $test"
done
finish "$outcome"
