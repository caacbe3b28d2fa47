#!/bin/sh
# Real clients against the real server: starts the binary, runs every installed client, prints a
# line for each.
#
#     run.sh [--require-all] [--install CACHE_DIRECTORY] SERVER_BINARY
#
# --require-all  a client that is not installed is a failure
# --install      puts the Python packages that are asked for into a virtualenv there, and uses its
#                interpreter
#
# Each client publishes files under every name of names.json in every way it supports, downloads,
# compares by SHA-256 and deletes. Always needed: python3 and sha256sum. PYTHON may name another
# interpreter. With REDIRECTS=yes the server may redirect downloads to a store, whose entity tags
# are its own.
set -eu

CLIENTS="curl wget aria2c requests httpx urllib http.client node specify"
# The time limit of each client, in seconds; single requests have shorter limits of their own.
PATIENCE=600

usage() {
    sed -n '5,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

REQUIRE_ALL=no CACHE='' BINARY=''
while [ $# -gt 0 ]; do
    case $1 in
    --require-all) REQUIRE_ALL=yes ;;
    --install)
        [ $# -gt 1 ] || usage
        CACHE=$2
        shift
        ;;
    -*) usage ;;
    *)
        [ -z "$BINARY" ] || usage
        BINARY=$1
        ;;
    esac
    shift
done
[ -x "$BINARY" ] || usage
BINARY=$(cd "$(dirname "$BINARY")" && pwd)/$(basename "$BINARY")
HERE=$(cd "$(dirname "$0")" && pwd)
PYTHON=${PYTHON:-python3}
if [ -n "$CACHE" ]; then
    "$PYTHON" -m venv "$CACHE/venv"
    PYTHON=$(cd "$CACHE/venv/bin" && pwd)/python
    "$PYTHON" -m pip install --quiet --disable-pip-version-check 'requests>=2.31,<3' \
        'httpx>=0.27,<1'
fi

WORK=$(mktemp -d)
TOKEN="a-test-token-of-$$"
SERVER='' RUNNING=''

# Ends the processes that this script started, however it ends.
clean_up() {
    [ -z "$RUNNING" ] || kill -TERM "$RUNNING" 2>/dev/null || true
    [ -z "$SERVER" ] || kill -KILL "$SERVER" 2>/dev/null || true
    rm -rf "$WORK"
}
trap clean_up EXIT
trap 'exit 130' HUP INT PIPE TERM

# Starts the server without the caller's settings; sets SERVER and BASE. Its log continues into
# $WORK/log.
start_server() {
    mkfifo "$WORK/stdout"
    (
        cd "$WORK"
        exec env -i AUTH_TOKEN="$TOKEN" STORAGE_PATH="$WORK/data" HOST=127.0.0.1 PORT=0 \
            CONFIG_PATH=/dev/null \
            MAX_PACKAGES=0 MAX_UPLOAD_SIZE=64MiB "$BINARY" >"$WORK/stdout"
    ) &
    SERVER=$!
    exec 4<"$WORK/stdout"
    # `read` takes no more than a line, so that all others are still there for the log.
    # shellcheck disable=SC2016 # variables of the inner shell
    timeout 30 sh -c 'while read -r line; do
            printf "%s\n" "$line"
            case $line in *\"message\":\"listening\"*) exit ;; esac
        done' <&4 >"$WORK/log" || true
    address=$(sed -n '/"message":"listening"/s/.*"address":"\([^"]*\)".*/\1/p' "$WORK/log")
    if [ -z "$address" ]; then
        echo "run.sh: the server does not listen; its log: $(cat "$WORK/log")" >&2
        exit 1
    fi
    cat <&4 >>"$WORK/log" &
    LOGGER=$!
    exec 4<&-
    BASE=http://$address
}

# Stops the server and checks how it ended; sets WRONG.
stop_server() {
    kill -TERM "$SERVER" 2>/dev/null || true
    status=0
    wait "$SERVER" || status=$?
    SERVER=''
    wait "$LOGGER"
    WRONG=''
    if [ "$status" != 0 ]; then
        WRONG="it ended with $status after SIGTERM"
    elif grep -qF -e "$TOKEN" -e ghp_ "$WORK/log"; then
        WRONG="a token is in its log"
    elif grep -qF '"level":"ERROR"' "$WORK/log"; then
        WRONG="an error is in its log: $(grep -F '"level":"ERROR"' "$WORK/log" | head -n 1)"
    fi
}

# Prints what a client lacks; nothing if it can run.
lacking() {
    case $1 in
    requests | httpx) "$PYTHON" -c "import $1" 2>/dev/null || echo "$1" ;;
    urllib | http.client | specify) ;;
    node) node -e 'process.exit(typeof fetch === "function" ? 0 : 1)' 2>/dev/null ||
        echo "node with fetch" ;;
    *) command -v "$1" >/dev/null || echo "$1" ;;
    esac
}

# Becomes the client's process.
become() {
    export CLIENT="$1"
    case $1 in
    curl | wget | aria2c) set -- sh "$HERE/$1.sh" ;;
    node) set -- node "$HERE/node.mjs" ;;
    specify) set -- "$PYTHON" "$HERE/specify.py" ;;
    *) set -- "$PYTHON" "$HERE/python_clients.py" ;;
    esac
    exec timeout "$PATIENCE" "$@"
}

# In the background, so that a signal to this script is handled at once.
run() {
    become "$1" &
    RUNNING=$!
    status=0
    wait "$RUNNING" || status=$?
    RUNNING=''
    return "$status"
}

FAILED=no
# result NAME OUTCOME
result() {
    printf '%s: %s\n' "$1" "$2"
    case $2 in FAILED*) FAILED=yes ;; esac
}

start_server
export BASE TOKEN WORK PYTHON HERE
# The same for every caller: the locale, and no proxy between client and server.
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY

"$PYTHON" "$HERE/common.py" "$WORK"
for client in $CLIENTS; do
    tool=$(lacking "$client")
    output=$WORK/$client.output
    if [ -n "$tool" ] && [ "$REQUIRE_ALL" = yes ]; then
        result "$client" "FAILED: no $tool"
    elif [ -n "$tool" ]; then
        result "$client" "skipped: no $tool"
    elif run "$client" >"$output" 2>&1; then
        result "$client" ok
    else
        # A client that ended without output was ended by `timeout`, or by itself.
        why=$(head -n 1 "$output")
        result "$client" "FAILED: ${why:-it ended with $status after at most $PATIENCE s}"
        cat "$output" >&2
        # Leftovers would disturb the next client; so would packages that cannot be deleted, which
        # is reported.
        CLIENT=run.sh "$PYTHON" "$HERE/judge.py" clear >&2 || true
    fi
done
stop_server
if [ -z "$WRONG" ]; then
    result server ok
else
    result server "FAILED: $WRONG"
fi
[ "$FAILED" = no ]
