#!/bin/sh
# Attacks the static binary in a memory cgroup of 32 MiB, and prints how much memory each attack
# took and how an honest client was served meanwhile.
#
#   scripts/crowds.sh [--limit MIB] [--seconds N] [--connections N] [--binary FILE]
#
# The attacks: requests for invented owners and long hosts; readers of invented repositories that do
# not read; parts of heads, and small answers that nobody reads. Each attack meets a server of its
# own. Needs python3, and root, which makes the cgroup. Version 1 of cgroups counts socket buffers
# apart from other memory, and the script adds them; scripts/crowds-machine.sh runs the attacks
# under version 2. Exit code 0 if each attack took at most 16 MiB above the idle server, socket
# buffers included, the kernel killed nothing, and the honest client got every answer.
set -eu

cd "$(dirname "$0")/.."
command -v python3 >/dev/null ||
    { echo "crowds.sh: python3 is missing; install it first" >&2; exit 2; }
case " $* " in
    *' --binary '* | *' --help '*) ;;
    *) set -- --binary "$(scripts/static.sh)" "$@" ;;
esac
exec python3 -B scripts/crowds.py "$@"
