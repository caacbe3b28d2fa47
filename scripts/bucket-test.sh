#!/bin/sh
# Runs the black-box tests with packages in a bucket of a real store: those that FILTER names, or
# all but those of tests/black_box/bucket/directory-only.txt, which has the reasons.
#
#   scripts/bucket-test.sh [--store versitygw|minio|garage] [--long] [FILTER…]
#   scripts/bucket-test.sh [--store versitygw|minio|garage] --clients BINARY
#
# With --long a store is away for a minute, and servers are killed for ten. With --clients the
# clients of tests/clients and the catalogs' `specify` use the binary over the bucket, once in each
# mode of downloads; all of their tools must be installed. Garage ignores conditions, so the tests
# of rivals (`--skip many_publishers`) and of several publishers (`--skip kills`) cannot pass there.
#
# The store is installed by scripts/bucket-stores.sh, runs on a free port of the loopback address
# for as long as the tests, and keeps its objects in a temporary directory. Tests of faults reach it
# by way of toxiproxy.
set -eu

cd "$(dirname "$0")/.."
store=versitygw binary=
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
        --clients)
            binary=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
            shift 2
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
request=PUT
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
    garage)
        # It ignores conditions, so that one server publishes, and creates its bucket itself.
        export TEST_BUCKET_CREATE=check
        request=GET
        key=GK$(seq -s '' 100000 100003) secret=$(seq -s '' 10000000 10000007)
        cat >"$folder/garage.toml" <<EOF
metadata_dir = "$folder/objects/meta"
data_dir = "$folder/objects/data"
db_engine = "sqlite"
replication_factor = 1
rpc_bind_addr = "127.0.0.1:$(free_port)"
rpc_secret = "$secret"
[s3_api]
s3_region = "us-east-1"
api_bind_addr = "127.0.0.1:$port"
EOF
        GARAGE_DEFAULT_ACCESS_KEY=$key GARAGE_DEFAULT_SECRET_KEY=$secret \
            GARAGE_DEFAULT_BUCKET=test \
            "$program" -c "$folder/garage.toml" server --single-node --default-bucket \
            >"$folder/log" 2>&1 &
        ;;
    *)
        echo "bucket-test.sh: '$store' is not versitygw, minio or garage" >&2
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
        --request "$request" "http://127.0.0.1:$port/test"
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

# Writes a program that is the server over the bucket. Servers over one directory share a prefix.
write_server() {
    cat >"$folder/release-server" <<EOF
#!/bin/sh
set -eu
mkdir -p "\$STORAGE_PATH"
[ -e "\$STORAGE_PATH/prefix" ] || echo "\$\$-$1" >"\$STORAGE_PATH/prefix"
read -r prefix <"\$STORAGE_PATH/prefix"
export BUCKET="s3://test/\$prefix" BUCKET_ENDPOINT="http://127.0.0.1:$port" \\
    AWS_ACCESS_KEY_ID="$key" AWS_SECRET_ACCESS_KEY="$secret" BUCKET_DOWNLOADS="$1"
exec "$binary" "\$@"
EOF
    chmod +x "$folder/release-server"
}

run_clients() {
    failed=0
    tools=${XDG_CACHE_HOME:-$HOME/.cache}/release-server-tools
    for downloads in serve redirect; do
        write_server "$downloads"
        [ "$downloads" = serve ] || export REDIRECTS=yes
        echo "== bucket_downloads=$downloads"
        tests/clients/run.sh --require-all "$folder/release-server" || failed=1
        tests/clients/github.sh "$folder/release-server" pygithub githubkit octokit go-github \
            octocrab self_update || failed=1
        tests/catalogs/run.sh "${SPECIFY_ENVIRONMENT-$tools/specify}" "$folder/release-server" ||
            failed=1
    done
    return "$failed"
}

if [ -n "$binary" ]; then
    run_clients
    exit
fi
if [ $# -eq 0 ]; then
    while read -r name; do
        case $name in
            '' | '#'*) ;;
            *) set -- "$@" --skip "$name" ;;
        esac
    done <tests/black_box/bucket/directory-only.txt
fi
cargo test --locked --test black_box -- "$@"
