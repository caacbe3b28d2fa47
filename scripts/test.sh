#!/bin/sh
# Checks everything: format, lints, all tests, and the parts that need tools beside Rust.
#
#   scripts/test.sh [--require-all]
#
# A part whose tool is missing is skipped and named at the end; with --require-all that is a failure. Exit code 0 when
# all that ran passed.
set -eu

cd "$(dirname "$0")/.."
require_all=no
case ${1-} in
    --require-all) require_all=yes ;;
    '') ;;
    *) echo "test.sh: unknown option '$1'; it takes --require-all or nothing" >&2; exit 2 ;;
esac
failed=
skipped=

# Runs a part under a name. The parts go on after a failure, so that one run shows all there is to mend.
part() {
    name=$1
    shift
    echo "== $name"
    "$@" || failed="$failed
  failed:  $name"
}

# Runs a part if its tools are there: their names, then `--`, then the part as above.
part_with() {
    missing=
    while [ "$1" != -- ]; do
        command -v "$1" >/dev/null || missing="$missing $1"
        shift
    done
    shift
    if [ -n "$missing" ]; then
        skipped="$skipped
  skipped: $1 (missing:$missing)"
    else
        part "$@"
    fi
}

part "format" cargo fmt --check
part "lints" cargo clippy --locked --all-targets -- -D warnings
part "tests" cargo test --locked --quiet
part_with shellcheck -- "shell scripts" shellcheck scripts/*.sh tests/*/*.sh .ci/run
part_with cargo-deny -- "licences and sources of dependencies" \
    cargo deny --log-level error check bans licenses sources
part_with curl wget aria2c python3 node -- "round trips with real clients" \
    tests/clients/run.sh target/debug/release-server
part_with chromium node npm -- "the page in a browser" tests/browser/run.sh target/debug/release-server

[ -z "$failed$skipped" ] || printf '\nNot everything passed:%s%s\n' "$failed" "$skipped"
[ -z "$failed" ] || exit 1
[ "$require_all" = no ] || [ -z "$skipped" ] || exit 1
echo "test.sh: all that ran passed"
