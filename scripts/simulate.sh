#!/bin/sh
# Simulates the server's connections for a long time, each run with another seed.
#
#   scripts/simulate.sh [SECONDS]
#
#   SECONDS     for how long (default: 3600)
#
# Clients split, pipeline, stall and leave at random, on a clock that is moved by hand, and a model
# says what each must see. The same test runs in the suite, for a few seconds. A failure names its
# seed; SIMULATION_SEED=SEED cargo test --test simulation repeats that run. Exit code 0 if none
# failed.
set -eu

cd "$(dirname "$0")/.."
seconds=${1:-3600}
case $seconds in
    '' | 0* | *[!0-9]*)
        echo "simulate.sh: '$seconds' is not understood; it takes a number of seconds" >&2
        exit 2
        ;;
esac
export SIMULATION_SECONDS="$seconds"
# Optimized, with the checks of a debug build, and built in a fraction of the time of a release.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
export CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=true
exec cargo test --quiet --release --locked --test simulation -- --nocapture
