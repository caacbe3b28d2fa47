#!/bin/sh
# Checks everything: format, lints, all tests, and the parts that need tools beside Rust.
#
#   scripts/test.sh [--require-all]
#
# A part whose tool is missing is skipped and named at the end; with --require-all that is a
# failure. Exit code 0 if all parts that ran passed. Longer checks have scripts of their own:
# features.sh, image-test.sh, chart-apiserver.sh, systemd-test.sh, fuzz.sh, soak.sh, crowds.sh,
# crowds-machine.sh, tls-check.sh, faults.sh --long, nfs-test.sh, simulate.sh, mutants.sh, bench.sh,
# scale.sh.
set -eu

BINARY_BYTES_MAX=4194304

cd "$(dirname "$0")/.."
require_all=no faults_option=
case ${1-} in
    --require-all)
        require_all=yes faults_option=--require-all
        # Read by tests that start other programs.
        export RELEASE_SERVER_REQUIRE_ALL=yes
        ;;
    '') ;;
    *) echo "test.sh: unknown option '$1'; it takes --require-all or nothing" >&2; exit 2 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'trap - TERM; kill -TERM 0; exit 130' HUP INT TERM
: >"$work/failed"
: >"$work/skipped"

# Runs a part under a name, and prints its output when it has ended, since others run beside it. The
# other parts run after a failure too, so that one run shows all failures.
part() {
    name=$1
    shift
    output=$(mktemp "$work/part.XXXXXX")
    began=$(date +%s)
    "$@" >"$output" 2>&1 || echo "  failed:  $name" >>"$work/failed"
    { echo "== $name ($(($(date +%s) - began)) s)" && cat "$output"; } >"$output.whole"
    cat "$output.whole"
    rm "$output" "$output.whole"
}

# Runs a part if its tools are installed: their names, then `--`, then the part as above.
part_with() {
    missing=
    while [ "$1" != -- ]; do
        command -v "$1" >/dev/null || missing="$missing $1"
        shift
    done
    shift
    if [ -n "$missing" ]; then
        echo "  skipped: $1 (missing:$missing)" >>"$work/skipped"
    else
        part "$@"
    fi
}

# The Dockerfile names the toolchain that rust-toolchain.toml names.
same_toolchain() {
    channel=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
    grep -q "^ARG BASE=.*/rust:$channel-" Dockerfile || {
        echo "the Dockerfile's base is not for Rust $channel"
        return 1
    }
}

# The unit requests no more than the network makes necessary, and systemd understands every line of
# it. `systemd-analyze verify` needs an existing program.
systemd_unit() {
    systemd-analyze security --offline=true --threshold=12 scripts/release-server.service \
        >/dev/null || return 1
    place=$(mktemp -d)
    sed "s,/usr/local/bin/release-server,$PWD/target/debug/release-server," \
        scripts/release-server.service \
        >"$place/release-server.service"
    verified=0
    systemd-analyze verify "$place/release-server.service" || verified=1
    rm -r "$place"
    return "$verified"
}

# The static binary is within its budget and serves real clients.
static_binary() {
    binary=$(scripts/static.sh) || return 1
    bytes=$(wc -c <"$binary")
    echo "$binary has $bytes of at most $BINARY_BYTES_MAX bytes"
    [ "$bytes" -le "$BINARY_BYTES_MAX" ] || return 1
    tests/clients/run.sh "$binary"
}

server=target/debug/release-server
# The environment that .ci/run makes, or one with specify-cli of PyPI.
tools=${XDG_CACHE_HOME:-$HOME/.cache}/release-server-tools
specify_environment=${SPECIFY_ENVIRONMENT-$tools/specify}
[ ! -x "$specify_environment/bin/specify" ] || export SPECIFY_ENVIRONMENT="$specify_environment"

# The parts that follow run in lanes beside each other: most of them wait more than they compute.

tests_lane() {
    part "tests" cargo test --locked --quiet
    # Where the wire matters; the whole suite passes over TLS, too, and takes as long again.
    part "tests over TLS" env TEST_TLS=1 cargo test --locked --quiet --test black_box -- \
        clients:: packages:: smuggling::direct operation::
    part_with "$tools/stores/versitygw" "$tools/stores/toxiproxy" curl python3 -- \
        "packages in a bucket" scripts/bucket-test.sh bucket::
    part_with nginx -- "desync shapes through nginx" cargo test --locked --quiet \
        --test black_box smuggling::nginx
}

faults_lane() {
    # shellcheck disable=SC2086 # an option or none
    part_with strace unshare nsenter -- "crashes and disk faults" \
        scripts/faults.sh $faults_option
}

# The static binary has its own directory of build results, so it does not wait for the other build.
static_lane() {
    part_with curl wget aria2c python3 node -- "the static binary" static_binary
}

clients_lane() {
    part_with openssl gnutls-cli curl wget python3 node go -- "clients over HTTPS" \
        tests/clients/https.sh "$server" openssl gnutls curl wget python node go
    part_with curl go node python3 -- "GitHub's clients" tests/clients/github.sh "$server" \
        pygithub githubkit octokit go-github octocrab self_update
    part_with nginx caddy curl openssl python3 -- "behind the documents' proxies" \
        tests/proxies/run.sh "$server"
}

documents_lane() {
    part_with "$specify_environment/bin/specify" -- "upstream's specify and the catalogs" \
        tests/catalogs/run.sh "$specify_environment" "$server"
    part_with curl git python3 bash sha256sum -- "the documents' commands and pipelines" \
        tests/readme/run.sh "$server"
    part_with chromium node npm -- "the page in a browser" tests/browser/run.sh "$server"
    part_with helm helm-unittest helm-docs promtool go python3 -- "the Helm chart" scripts/chart.sh
    part_with systemd-analyze -- "the systemd unit" systemd_unit
}

# What needs no build.
files_lane() {
    part "format" cargo fmt --check
    part_with shellcheck -- "shell scripts" shellcheck scripts/*.sh tests/*/*.sh .ci/run
    part_with cargo-deny -- "licences and sources of dependencies" \
        cargo deny --log-level error check bans licenses sources
    part "licenses" scripts/licenses.py --check
    part "the scripts of a release" scripts/release-test.sh
    part "the image's toolchain" same_toolchain
    part_with hadolint -- "the Dockerfile" hadolint Dockerfile
    part_with actionlint -- "workflows" actionlint
    part_with mandoc -- "the manual" mandoc -Tlint docs/release-server.1
}

static_lane &
files_lane &
part "lints" cargo clippy --locked --all-targets -- -D warnings
# The stand-ins for what is left out have arguments and results that they do not need.
part "lints without default features" cargo clippy --locked --no-default-features -- -D warnings \
    -A clippy::pedantic
part "build" cargo test --locked --no-run
tests_lane &
faults_lane &
clients_lane &
documents_lane &
wait

if [ -s "$work/failed" ] || [ -s "$work/skipped" ]; then
    printf '\nNot everything passed:\n'
    cat "$work/failed" "$work/skipped"
fi
[ ! -s "$work/failed" ] || exit 1
[ "$require_all" = no ] || [ ! -s "$work/skipped" ] || exit 1
echo "test.sh: all that ran passed"
