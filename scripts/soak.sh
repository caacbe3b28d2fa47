#!/bin/sh
# Loads the release build for a long time and prints the results.
#
#   scripts/soak.sh [--soak | --rivals | --killed | --readers | --publishers] [SECONDS]
#
#   --soak      mixed load on one server, with stalled and hostile clients (the default)
#   --rivals    1, 2 and 4 servers over one directory, whose clients want the same names
#   --killed    servers killed in the middle of uploads, beside others on the same directory
#   --readers   50 readers of a 50 MB file that is replaced and deleted all the time
#   --publishers  the rate of small publishes beside the disk's own rate of durable writes, and how
#               long readers wait while 64 clients publish on a slow or a locked disk
#   SECONDS     for how long (default: 900)
#
# The soak warms up first, for a third of the time, at most a minute. The same tests run in the
# suite, for a few seconds each. Exit code 0 if no fault was found.
set -eu

cd "$(dirname "$0")/.."
test=soak seconds=900
for argument do
    case $argument in
        --soak | --rivals | --killed | --readers | --publishers) test=${argument#--} ;;
        '' | 0* | *[!0-9]*)
            echo "soak.sh: '$argument' is not understood;" \
                "it takes --soak, --rivals, --killed, --readers or --publishers," \
                "and a number of seconds" >&2
            exit 2
            ;;
        *) seconds=$argument ;;
    esac
done
export LOAD_SECONDS="$seconds"
exec cargo test --quiet --release --locked --test load -- --nocapture "$test::"
