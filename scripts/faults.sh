#!/bin/sh
# Kills servers, breaks their disks and takes their power away, and checks that no acknowledged
# change is lost.
#
#   scripts/faults.sh [--require-all] [--long [KILLS]]
#
# Short: a sample of the system calls of each operation, another one for each commit, some states
# after a loss of power, and a few kills under load. Long: every call, up to 400 states at each
# moment, and KILLS kills under load (default 500) on each kind of temporary file. Each part prints
# its counts. FAULT_SAMPLE chooses the calls and FAULT_SEED the states; both are printed.
#
# Needs strace, and unshare, nsenter and the right to mount in a namespace of its own. A missing
# tool is named and its tests are skipped; with --require-all that is a failure.
set -eu

cd "$(dirname "$0")/.."
require_all=no
while [ $# -gt 0 ]; do
    case $1 in
        --require-all) require_all=yes ;;
        --long)
            FAULT_KILLS=500
            case ${2-} in
                '' | -*) ;;
                *[!0-9]*) echo "faults.sh: '$2' is no number of kills" >&2; exit 2 ;;
                *) FAULT_KILLS=$2; shift ;;
            esac
            export FAULT_KILLS
            ;;
        *) echo "faults.sh: unknown option '$1'; it takes --require-all and --long [KILLS]" >&2; \
            exit 2 ;;
    esac
    shift
done

skipped=
set -- # the tests to skip, by parts of their names
if ! strace -o /dev/null true 2>/dev/null; then
    skipped="$skipped
  skipped: errors and kills at system calls, durability (strace is missing or may not trace)"
    set -- "$@" --skip faults::every_call --skip faults::groups --skip faults::disk \
        --skip faults::durability --skip faults::power_loss
fi
if ! unshare -rm nsenter --version >/dev/null 2>&1; then
    skipped="$skipped
  skipped: full and read-only volumes, named temporary files (unshare or nsenter is missing or may \
      not mount)"
    set -- "$@" --skip faults::mounts --skip named_files
fi
if [ -n "$skipped" ]; then
    echo "faults.sh:$skipped"
    [ "$require_all" = no ] || exit 1
fi
# The commit's hash chooses the sample; without git it is the first one.
hash=$(git rev-parse --short=6 HEAD 2>/dev/null) || hash=0
FAULT_SAMPLE=${FAULT_SAMPLE:-$((0x$hash))}
FAULT_SEED=${FAULT_SEED:-$FAULT_SAMPLE}
export FAULT_SAMPLE FAULT_SEED
echo "faults.sh: FAULT_SAMPLE=$FAULT_SAMPLE FAULT_SEED=$FAULT_SEED"
exec cargo test --locked --quiet --test black_box faults:: -- --include-ignored --show-output "$@"
