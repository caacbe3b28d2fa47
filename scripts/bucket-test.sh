#!/bin/sh
# Runs the black-box tests with packages in a bucket of a real store: those that FILTER names, or
# all but those of tests/black_box/bucket/directory-only.txt, which has the reasons.
#
#   scripts/bucket-test.sh [--store versitygw|minio] [--long] [FILTER…]
#
# With --long a store is away for a minute, and servers are killed for ten.
#
# The store is installed by scripts/bucket-stores.sh, runs on a free port of the loopback address
# for as long as the tests, and keeps its objects in a temporary directory. Tests of faults reach it
# by way of toxiproxy.
set -eu

cd "$(dirname "$0")/.."
store=versitygw
while :; do
    case ${1:-} in
        --store)
            store=$2
            shift 2
            ;;
        --long)
            export TEST_OUTAGE_SECONDS=60 TEST_KILLS_SECONDS=600 TEST_PACKAGES_EACH=50
            shift
            ;;
        *) break ;;
    esac
done
sh scripts/bucket-stores.sh "$store" toxiproxy
stores=${XDG_CACHE_HOME:-$HOME/.cache}/release-server-tools/stores
program=$stores/$store

folder=$(mktemp -d)
pids=
finish() {
    # shellcheck disable=SC2086 # a list of words
    [ -z "$pids" ] || kill $pids
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 1' INT TERM

free_port() {
    python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}
port=$(free_port)
key=test-access-key secret=test-secret-key
mkdir "$folder/objects"
case $store in
    versitygw)
        export TEST_BUCKET_FOLDER="$folder/objects"
        ROOT_ACCESS_KEY_ID=$key ROOT_SECRET_ACCESS_KEY=$secret \
            "$program" --quiet --port "127.0.0.1:$port" posix "$folder/objects" \
            >"$folder/log" 2>&1 &
        ;;
    minio)
        MINIO_ROOT_USER=$key MINIO_ROOT_PASSWORD=$secret MINIO_BROWSER=off \
            "$program" server --quiet --address "127.0.0.1:$port" "$folder/objects" \
            >"$folder/log" 2>&1 &
        ;;
    *)
        echo "bucket-test.sh: '$store' is not versitygw or minio" >&2
        exit 2
        ;;
esac
pid=$! pids=$!
proxy_port=$(free_port)
"$stores/toxiproxy" -host 127.0.0.1 -port "$proxy_port" >"$folder/proxy-log" 2>&1 &
pids="$pids $!"
create() {
    curl --silent --fail --output /dev/null --aws-sigv4 aws:amz:us-east-1:s3 \
        --user "$key:$secret" --header "x-amz-content-sha256: UNSIGNED-PAYLOAD" \
        --request PUT "http://127.0.0.1:$port/test"
}
tries=0
until create; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ] || ! kill -0 "$pid"; then
        echo "bucket-test.sh: $store does not answer" >&2
        cat "$folder/log" >&2
        exit 1
    fi
    sleep 0.1
done

TEST_BUCKET_ENDPOINT=http://127.0.0.1:$port TEST_BUCKET_KEYS=$key:$secret
TEST_TOXIPROXY=127.0.0.1:$proxy_port
export TEST_BUCKET_ENDPOINT TEST_BUCKET_KEYS TEST_TOXIPROXY
if [ $# -eq 0 ]; then
    while read -r name; do
        case $name in
            '' | '#'*) ;;
            *) set -- "$@" --skip "$name" ;;
        esac
    done <tests/black_box/bucket/directory-only.txt
fi
cargo test --locked --test black_box -- "$@"
