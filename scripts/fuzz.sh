#!/bin/sh
# Fuzzes the parsers and prints a table of the results.
#
#   scripts/fuzz.sh [SECONDS] [TARGET...]
#
# Runs each target of fuzz/fuzz_targets, or those named, for SECONDS (default 600), two at a time.
# Needs cargo-fuzz, a nightly toolchain and a C++ compiler. The corpora begin with the test tables
# and stay in fuzz/corpus for the next run. What the targets check is in tests/parsers/properties, a
# short form of it is part of the test suite.
#
# A target stops at its first finding; the input is kept in fuzz/artifacts/TARGET, and its line of
# the table is followed by the command that runs it again. Exit codes: 0 without a finding, 1 with
# one, 2 if nothing could be run.
set -eu

INPUT_BYTES_MAX=20480 # over the largest bound of a parser, the 16 KiB of a head
# An input that takes longer is a finding; a parser needs far less, even on a busy machine.
INPUT_SECONDS_MAX=25

cd "$(dirname "$0")/.."
complain() { echo "fuzz.sh: $1" >&2; exit 2; }

case ${1-600} in
    '' | *[!0-9]*) seconds=600 ;;
    *) seconds=${1-600}; shift $(($# > 0)) ;;
esac
[ "$seconds" -gt 0 ] || complain "SECONDS is '$seconds'; it takes a whole number from 1"
if [ $# -eq 0 ]; then
    for file in fuzz/fuzz_targets/*.rs; do
        set -- "$@" "$(basename "$file" .rs)"
    done
fi
for target in "$@"; do
    [ -f "fuzz/fuzz_targets/$target.rs" ] ||
        complain "there is no target '$target'; see fuzz/fuzz_targets"
done
cargo +nightly fuzz --version >/dev/null 2>&1 ||
    complain "cargo-fuzz or the nightly toolchain is missing; install both first"

cargo test --quiet --locked --test parsers -- --ignored \
    --exact corpus::corpora_are_written >/dev/null ||
    complain "the corpora cannot be written"
cargo +nightly fuzz build || complain "the targets do not build"

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
trap 'exit 2' HUP INT TERM

# A finding is no failure here, so that the targets that wait get their turn; the logs tell.
# shellcheck disable=SC2016 # the inner shell expands it
printf '%s\n' "$@" |
    xargs -P 2 -I TARGET sh -c 'cargo +nightly fuzz run TARGET -- "$@" >"$0/TARGET" 2>&1 || :' \
    "$logs" \
    "-max_total_time=$seconds" "-max_len=$INPUT_BYTES_MAX" "-timeout=$INPUT_SECONDS_MAX" \
    -print_final_stats=1

# The last number in a log that follows a word.
last() { sed -n "s/.*$1:* *\([0-9][0-9]*\).*/\1/p" "$logs/$2" | tail -n 1; }

code=0
printf '\n%-12s %8s %12s %9s %9s\n' target seconds executions coverage findings
for target in "$@"; do
    inputs=$(sed -n 's/.*Test unit written to //p' "$logs/$target")
    findings=$(printf '%s' "$inputs" | grep -c .) || :
    run=$(last 'Done .* in' "$target")
    printf '%-12s %8s %12s %9s %9s\n' "$target" "${run:--}" \
        "$(last stat::number_of_executed_units "$target")" \
        "$(last cov "$target")" "$findings"
    for input in $inputs; do
        echo "    cargo +nightly fuzz run $target $input"
    done
    if [ "$findings" -gt 0 ]; then
        code=1
    elif [ -z "$run" ]; then
        tail -n 20 "$logs/$target" >&2
        code=1
    fi
done
exit "$code"
