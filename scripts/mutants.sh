#!/bin/sh
# Changes the source in one place at a time and checks that a test fails each time.
#
#   scripts/mutants.sh [--since COMMIT] [GLOB...]
#
# Examines the files that match GLOB (default: src/http, src/storage, src/app, src/server, and the
# modules beside them), or with --since only the lines that changed after COMMIT. Each mutant meets
# the tests that run in-process, which take seconds; a mutant that survives those meets the tests of
# the real binary. Needs cargo-mutants.
#
# tests/mutants.txt lists the accepted survivors, each with its reason. Exit codes: 0 where every
# other mutant was caught or timed out, 1 where one survived or an accepted one is caught by now, 2
# where nothing could be run.
set -eu

cd "$(dirname "$0")/.."
complain() { echo "mutants.sh: $1" >&2; exit 2; }

accepted=tests/mutants.txt
out=target/mutants
since=
if [ "${1-}" = --since ]; then
    [ $# -ge 2 ] || complain "--since takes a commit"
    since=$2
    shift 2
fi
case ${1-} in -*) complain "unknown option '$1'; it takes --since COMMIT and file patterns" ;; esac
[ $# -gt 0 ] || set -- 'src/http/**' 'src/storage/**' 'src/app/**' 'src/server/**' \
    src/pattern.rs src/version.rs src/date.rs src/text.rs 'src/log/**'
cargo mutants --version >/dev/null 2>&1 ||
    complain "cargo-mutants is missing; install it with cargo install cargo-mutants"

rm -rf "$out"
mkdir -p "$out"
for glob in "$@"; do
    printf -- '--file\n%s\n' "$glob" >>"$out/options"
done
if [ -n "$since" ]; then
    git diff "$since" -- src >"$out/diff"
    printf -- '--in-diff\n%s\n' "$out/diff" >>"$out/options"
    if [ ! -s "$out/diff" ] || [ -z "$(xargs -d '\n' cargo mutants --list <"$out/options")" ]; then
        echo "mutants: none in what changed after $since"
        exit 0
    fi
fi

# Runs the mutants that the lines of a file choose against some tests. Survivors and timeouts are no
# failure here; the lists tell.
examine() {
    name=$1 options=$2 tests=$3
    set --
    while IFS= read -r option; do
        set -- "$@" "$option"
    done <"$options"
    code=0
    # shellcheck disable=SC2086 # a list of words
    cargo mutants --no-shuffle --copy-target=true --output "$out/$name" --minimum-test-timeout 60 \
        "$@" -- --locked $tests || code=$?
    case $code in 0 | 2 | 3) ;; *) complain "cargo mutants ended with $code" ;; esac
    [ -f "$out/$name/mutants.out/missed.txt" ] || complain "cargo mutants examined nothing"
}

examine in-process "$out/options" "--test parsers --test in_process --test simulation"
survivors=$out/in-process/mutants.out/missed.txt
if [ -s "$survivors" ]; then
    # The names as patterns that stand for themselves.
    sed 's/[][().*+?^$|{}\\]/\\&/g; s/.*/--re\n^&$/' "$survivors" >"$out/survivors"
    examine black-box "$out/survivors" "--test black_box --test s3"
    survivors=$out/black-box/mutants.out/missed.txt
fi

# Without positions, which every edit moves.
places() { sed 's/:[0-9]*:[0-9]*:/:/' "$1" | sort -u; }
places "$survivors" >"$out/missed"
places "$out/in-process/mutants.out/caught.txt" >"$out/caught"
sed -n 's/^\(src\/[^#]*[^# ]\) *# .*/\1/p' "$accepted" | sort -u >"$out/accepted"
comm -23 "$out/missed" "$out/accepted" >"$out/new"
comm -12 "$out/caught" "$out/accepted" >"$out/stale"
comm -12 "$out/missed" "$out/accepted" >"$out/known"

total() { cat "$out"/*/mutants.out/"$1.txt" 2>/dev/null | grep -c . || :; }
echo "mutants: caught $(total caught), timed out $(total timeout), not viable $(total unviable)," \
    "accepted $(grep -c . "$out/known" || :), missed $(grep -c . "$out/new" || :)"
sed 's/^/missed: /' "$out/new"
sed 's/^/accepted in tests\/mutants.txt, but caught: /' "$out/stale"
[ ! -s "$out/new" ] && [ ! -s "$out/stale" ]
