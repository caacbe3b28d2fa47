#!/bin/sh
# Upstream's `specify` and its code against the server's catalogs.
#
#     run.sh [--long] VIRTUALENV SERVER_BINARY
#
# VIRTUALENV is an environment with `specify-cli` of PyPI. Runs the differential check of 300
# changed packages, then the acceptance with every kind of package over the server's own HTTPS with
# a private authority; with --long the check of 1,000 packages, and the acceptance over HTTP too.
# Each has a server of its own on a free port. Exit code 0 if all passed. Needs openssl.
set -eu

LONG=no
if [ "${1-}" = --long ]; then
    LONG=yes
    shift
fi
if [ $# != 2 ] || [ ! -x "$1/bin/specify" ] || [ ! -x "$2" ]; then
    sed -n '4s/^# *//p' "$0" >&2
    exit 2
fi
PYTHON=$(cd "$1/bin" && pwd)/python SPECIFY=$(cd "$1/bin" && pwd)/specify
BINARY=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
HERE=$(cd "$(dirname "$0")" && pwd)
WORK=$(mktemp -d)
TOKEN="a-test-token-of-$$-for-catalogs"
SERVER=''
export TOKEN SPECIFY PYTHONDONTWRITEBYTECODE=1

clean_up() {
    [ -z "$SERVER" ] || kill -KILL "$SERVER" 2>/dev/null || true
    rm -rf "$WORK"
}
trap clean_up EXIT
trap 'exit 130' HUP INT TERM

# Makes a certificate for localhost, of an authority of its own.
make_certificate() {
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=Private authority' \
        -keyout "$WORK/authority.key" -out "$WORK/authority.pem" &&
        openssl req -x509 -CA "$WORK/authority.pem" -CAkey "$WORK/authority.key" \
            -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
            -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE \
            -keyout "$WORK/key.pem" -out "$WORK/certificate.pem"
}

# Starts a server over an empty directory, with these further settings; sets SERVER and ADDRESS.
start_server() {
    rm -rf "$WORK/data"
    : >"$WORK/log"
    (
        cd "$WORK"
        exec env -i AUTH_TOKEN="$TOKEN" STORAGE_PATH="$WORK/data" HOST=127.0.0.1 PORT=0 \
            CONFIG_PATH=/dev/null MAX_PACKAGES=0 "$@" "$BINARY" >"$WORK/log" 2>&1
    ) &
    SERVER=$!
    ADDRESS=''
    tries=0
    while [ -z "$ADDRESS" ] && [ "$tries" -lt 300 ]; do
        sleep 0.1
        tries=$((tries + 1))
        ADDRESS=$(sed -n '/"message":"listening"/s/.*"address":"\([^"]*\)".*/\1/p' "$WORK/log")
    done
    [ -n "$ADDRESS" ] || { cat "$WORK/log" >&2; exit 1; }
}

stop_server() {
    kill -TERM "$SERVER"
    wait "$SERVER" || { echo "run.sh: the server ended with $?" >&2; exit 1; }
    SERVER=''
    if grep -F '"level":"ERROR"' "$WORK/log"; then exit 1; fi
}

failed=no
# over_http CHECK [ARGUMENT]: runs a check with a server of its own.
over_http() {
    start_server
    echo "== $1: $("$SPECIFY" --version)"
    "$PYTHON" "$HERE/$1.py" "http://$ADDRESS" ${2+"$2"} || failed=yes
    stop_server
}
if [ "$LONG" = yes ]; then
    over_http differential 1000
    over_http acceptance
else
    over_http differential 300
fi

make_certificate 2>"$WORK/openssl.log" || { cat "$WORK/openssl.log" >&2; exit 1; }
start_server TLS_CERTIFICATE="$WORK/certificate.pem" TLS_KEY="$WORK/key.pem"
echo "== acceptance over HTTPS: $("$SPECIFY" --version)"
SSL_CERT_FILE=$WORK/authority.pem "$PYTHON" "$HERE/acceptance.py" \
    "https://localhost:${ADDRESS##*:}" || failed=yes
stop_server
[ "$failed" = no ]
