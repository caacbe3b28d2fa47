#!/bin/sh
# The proxies of docs/deployment.md in front of the real server: each runs the document's lines and
# passes on requests under its path prefix, over TLS.
#
#     run.sh [--require-all] [--long] SERVER_BINARY [PROXY...]
#
# --require-all  nginx and caddy have to be there; so it is with RELEASE_SERVER_REQUIRE_ALL set
# --long         upstream's CLI runs every command through each proxy, and not only the one that
#                installs packages of several kinds
#
# Proxies: nginx caddy traefik; without a name, all that are installed. Needed in any case: curl,
# openssl, python3. The checks are in checks.py, and in tests/clients/specify.py, which does the
# work of the fork's CLI. With SPECIFY_ENVIRONMENT, a virtual environment with `specify-cli` of
# PyPI, upstream's CLI runs through each proxy too (tests/catalogs/acceptance.py).
set -eu

usage() {
    sed -n '5,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

REQUIRE_ALL=${RELEASE_SERVER_REQUIRE_ALL:+yes}
ACCEPTANCE=--short
while :; do
    case ${1-} in
    --require-all) REQUIRE_ALL=yes ;;
    --long) ACCEPTANCE='' ;;
    *) break ;;
    esac
    shift
done
[ -x "${1-}" ] || usage
BINARY=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
shift
[ $# -gt 0 ] || set -- nginx caddy traefik
HERE=$(cd "$(dirname "$0")" && pwd)
CLIENTS=$HERE/../clients
WORK=$(mktemp -d)
TOKEN=a-test-token-of-$$
PIDS='' FAILED=no

# Ends what this script started, whatever way it ends.
clean_up() {
    for pid in $PIDS; do kill -KILL "$pid" 2>/dev/null || true; done
    wait
    rm -rf "$WORK"
}
trap clean_up EXIT
trap 'exit 130' HUP INT PIPE TERM

# result NAME OUTCOME
result() {
    printf '%s: %s\n' "$1" "$2"
    case $2 in FAILED*) FAILED=yes ;; esac
}

# await PID COMMAND...: until the command succeeds; fails where the process ends before, or after
# half a minute.
await() {
    pid=$1 tries=0
    shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] && kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.1
    done
}

# Sets SERVER and SERVER_PORT.
start_server() {
    : >"$WORK/server.log"
    env -i AUTH_TOKEN="$TOKEN" STORAGE_PATH="$WORK/data" HOST=127.0.0.1 PORT=0 \
        CONFIG_PATH=/dev/null MAX_PACKAGES=0 \
        TRUST_FORWARDED=true MAX_UPLOAD_SIZE=65MiB "$BINARY" >"$WORK/server.log" &
    SERVER=$!
    PIDS=$SERVER
    await "$SERVER" grep -q '"message":"listening"' "$WORK/server.log" || {
        echo "run.sh: the server does not listen; its log: $(cat "$WORK/server.log")" >&2
        exit 1
    }
    port_of='/"message":"listening"/s/.*"address":"[^"]*:\([0-9]*\)".*/\1/p'
    SERVER_PORT=$(sed -n "$port_of" "$WORK/server.log")
}

# Becomes the proxy, with nothing of the caller's own settings.
become() {
    case $1 in
    nginx) set -- nginx -p "$WORK" -c "$WORK/nginx.conf" -e "$WORK/nginx.error.log" ;;
    caddy) set -- caddy run --adapter caddyfile --config "$WORK/caddy.conf" ;;
    traefik) set -- traefik --configFile="$WORK/traefik.conf.yaml" ;;
    esac
    exec env -i PATH="$PATH" HOME="$WORK" "$@"
}

# Upstream's `specify` through the proxy at BASE. Both versions are published again for each proxy,
# as the same bytes.
upstream() {
    SPECIFY=$SPECIFY_ENVIRONMENT/bin/specify timeout 600 \
        "$SPECIFY_ENVIRONMENT/bin/python" "$HERE/../catalogs/acceptance.py" \
        ${ACCEPTANCE:+"$ACCEPTANCE"} "$BASE"
}

# Everything through one proxy, which ends before this does.
through() {
    free_port='import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])'
    port=$(python3 -c "$free_port")
    python3 "$HERE/configure.py" "$1" "$SERVER_PORT" "$port" "$WORK"
    become "$1" >"$WORK/$1.log" 2>&1 &
    proxy=$!
    PIDS="$SERVER $proxy"
    BASE=https://localhost:$port/packages-of-ours
    export BASE CLIENT="$1"
    status=0
    if await "$proxy" curl --silent --fail "$BASE/healthz"; then
        timeout 600 python3 "$HERE/checks.py" || status=1
        timeout 60 python3 "$CLIENTS/specify.py" || status=1
        [ -z "${SPECIFY_ENVIRONMENT-}" ] || upstream || status=1
    else
        echo "$1 does not answer" && status=1
    fi
    [ "$status" = 0 ] || tail -n 20 "$WORK/$1.log"
    kill -TERM "$proxy" 2>/dev/null || true
    wait "$proxy" || true
    PIDS=$SERVER
    return "$status"
}

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout "$WORK/key.pem" -out "$WORK/certificate.pem" \
    2>"$WORK/openssl.log" ||
    { cat "$WORK/openssl.log" >&2; exit 1; }
# The same for every caller: what is trusted, how bytes are shown, and that no other proxy stands
# between.
export TOKEN WORK LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
export SSL_CERT_FILE="$WORK/certificate.pem" CURL_CA_BUNDLE="$WORK/certificate.pem"
unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY
start_server
python3 "$CLIENTS/common.py" "$WORK"

for proxy_name do
    output=$WORK/$proxy_name.output
    if command -v "$proxy_name" >/dev/null; then
        if through "$proxy_name" >"$output" 2>&1; then
            result "$proxy_name" ok
        else
            result "$proxy_name" "FAILED: $(head -n 1 "$output")"
            cat "$output" >&2
        fi
    elif [ "$REQUIRE_ALL" = yes ] && [ "$proxy_name" != traefik ]; then
        result "$proxy_name" "FAILED: not installed"
    else
        result "$proxy_name" "skipped: not installed"
    fi
done
kill -TERM "$SERVER"
wait "$SERVER" || result server "FAILED: it ended with $? after SIGTERM"
PIDS=''
! grep -qF "$TOKEN" "$WORK/server.log" || result server "FAILED: a token is in its log"
! grep -F '"level":"ERROR"' "$WORK/server.log" || result server "FAILED: an error is in its log"
[ "$FAILED" = no ]
