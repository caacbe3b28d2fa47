#!/bin/sh
# Checks everything: format, lints, all tests, and the parts that need tools beside Rust.
#
#   scripts/test.sh [--require-all]
#
# A part whose tool is missing is skipped and named at the end; with --require-all that is a
# failure. Exit code 0 if all parts that ran passed. Longer checks have scripts of their own:
# image-test.sh, chart-apiserver.sh, fuzz.sh, soak.sh, crowds.sh, faults.sh --long, tls-check.sh,
# nfs-test.sh, simulate.sh, bench.sh, scale.sh.
set -eu

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
failed=
skipped=

# Runs a part under a name. The other parts run after a failure too, so that one run shows all
# failures.
part() {
    name=$1
    shift
    echo "== $name"
    "$@" || failed="$failed
  failed:  $name"
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
        skipped="$skipped
  skipped: $1 (missing:$missing)"
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

# A static binary is within its budget and serves real clients. The largest number of bytes, then
# cargo's options.
static_binary() {
    bytes_max=$1
    shift
    binary=$(scripts/static.sh "$(rustc --print host-tuple)" "$@") || return 1
    bytes=$(wc -c <"$binary")
    echo "$binary has $bytes of at most $bytes_max bytes"
    [ "$bytes" -le "$bytes_max" ] || return 1
    tests/clients/run.sh "$binary"
}

part "format" cargo fmt --check
part "lints" cargo clippy --locked --all-targets -- -D warnings
part "tests" cargo test --locked --quiet
# Where the wire matters; the whole suite passes over TLS, too, and takes as long again.
part "tests over TLS" env TEST_TLS=1 cargo test --locked --quiet --test black_box -- \
    clients:: packages:: smuggling::direct operation::
part "tests without default features" cargo test --locked --quiet --no-default-features \
    --test black_box --test in_process
stores=${XDG_CACHE_HOME:-$HOME/.cache}/release-server-tools/stores
part_with "$stores/versitygw" "$stores/toxiproxy" curl python3 -- "packages in a bucket" \
    scripts/bucket-test.sh bucket::
part_with nginx -- "desync shapes through nginx" cargo test --locked --quiet \
    --test black_box smuggling::nginx
# shellcheck disable=SC2086 # an option or none
part_with strace unshare nsenter -- "crashes and disk faults" scripts/faults.sh $faults_option
part_with shellcheck -- "shell scripts" shellcheck scripts/*.sh tests/*/*.sh .ci/run
part_with cargo-deny -- "licences and sources of dependencies" \
    cargo deny --log-level error check bans licenses sources
part_with curl wget aria2c python3 node -- "round trips with real clients" \
    tests/clients/run.sh target/debug/release-server
part_with curl wget aria2c python3 node -- "the static binary" static_binary 4194304
part_with curl wget aria2c python3 node -- "the static binary without default features" \
    static_binary 2097152 --no-default-features
part_with openssl gnutls-cli curl wget python3 node go -- "clients over HTTPS" \
    tests/clients/https.sh target/debug/release-server openssl gnutls curl wget python node go
part_with curl go node python3 -- "GitHub's clients" \
    tests/clients/github.sh target/debug/release-server pygithub githubkit octokit go-github \
    octocrab self_update
# The environment that .ci/run makes, or one with specify-cli of PyPI.
tools=${XDG_CACHE_HOME:-$HOME/.cache}/release-server-tools
specify_environment=${SPECIFY_ENVIRONMENT-$tools/specify}
[ ! -x "$specify_environment/bin/specify" ] || export SPECIFY_ENVIRONMENT="$specify_environment"
part_with nginx caddy curl openssl python3 -- "behind the documents' proxies" \
    tests/proxies/run.sh target/debug/release-server
part_with "$specify_environment/bin/specify" -- "upstream's specify and the catalogs" \
    tests/catalogs/run.sh "$specify_environment" target/debug/release-server
part_with curl git python3 bash sha256sum -- "the documents' commands and pipelines" \
    tests/readme/run.sh target/debug/release-server
part_with chromium node npm -- "the page in a browser" tests/browser/run.sh \
    target/debug/release-server
part_with helm helm-unittest helm-docs promtool go python3 -- "the Helm chart" scripts/chart.sh
part "licenses" scripts/licenses.py --check
part "the scripts of a release" scripts/release-test.sh
part "the image's toolchain" same_toolchain
part_with hadolint -- "the Dockerfile" hadolint Dockerfile
part_with actionlint -- "workflows" actionlint
part_with systemd-analyze -- "the systemd unit" systemd_unit
part_with mandoc -- "the manual" mandoc -Tlint docs/release-server.1

[ -z "$failed$skipped" ] || printf '\nNot everything passed:%s%s\n' "$failed" "$skipped"
[ -z "$failed" ] || exit 1
[ "$require_all" = no ] || [ -z "$skipped" ] || exit 1
echo "test.sh: all that ran passed"
