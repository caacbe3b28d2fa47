#!/bin/sh
# Kills servers and breaks their disks, and checks that no acknowledged change is lost.
#
#   scripts/faults.sh [--require-all] [--long [KILLS]]
#
# Short: a sample of the system calls of each operation, and a few kills under load. Long: every
# call, and KILLS kills under load (default 500) on each kind of temporary file. Each part prints
# its counts.
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
    set -- "$@" --skip faults::every_call --skip faults::disk --skip faults::durability
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
exec cargo test --locked --quiet --test black_box faults:: -- --include-ignored --show-output "$@"
