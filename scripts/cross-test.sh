#!/bin/sh
# Builds the static binary for another processor and runs it under qemu's user emulation: publishes
# a package, fetches it, verifies it and stops the server.
#
#   scripts/cross-test.sh TARGET     aarch64-unknown-linux-gnu or armv7-unknown-linux-gnueabihf
#
# Needs the target's Rust library (rustup target add TARGET), Debian's cross compiler, as
# scripts/static.sh names it, qemu-user-static and curl.
set -eu

cd "$(dirname "$0")/.."

fail() {
    echo "cross-test.sh: $1" >&2
    exit 1
}

case ${1-} in
    aarch64-*) emulator=qemu-aarch64-static ;;
    armv7-*) emulator=qemu-arm-static ;;
    *) fail "'${1-}' is not a supported target; the targets are those of 64-bit and 32-bit ARM" ;;
esac
command -v "$emulator" >/dev/null || fail "$emulator is missing; install qemu-user-static"

work=$(mktemp -d) server=
clean_up() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || :
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

binary=$(scripts/static.sh "$1")
"$emulator" "$binary" --version

export AUTH_TOKEN=secret STORAGE_PATH="$work/data" HOST=127.0.0.1 PORT=0
mkdir "$work/data"
"$emulator" "$binary" check-config >/dev/null
"$emulator" "$binary" >"$work/log" 2>&1 &
server=$!
tries=0
until address=$(sed -n '/"listening"/s/.*"address":"\([^"]*\)".*/\1/p' "$work/log") &&
    [ -n "$address" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || fail "the server is not listening after 60 s: $(cat "$work/log")"
    sleep 0.2
done

head -c 20000000 /dev/urandom >"$work/package.zip"
RELEASE_SERVER_URL=http://$address RELEASE_SERVER_TOKEN=secret scripts/upload.sh --quiet "$work/package.zip"
curl --disable --silent --show-error --fail --output "$work/fetched" "http://$address/assets/package.zip"
cmp "$work/fetched" "$work/package.zip" || fail "the fetched package differs"
curl --disable --silent --show-error --fail --range 19999990- --output "$work/end" "http://$address/assets/package.zip"
tail -c 10 "$work/package.zip" | cmp - "$work/end" || fail "a fetched range differs"
curl --disable --silent --show-error --fail "http://$address/latest" | grep -q '"package.zip"' ||
    fail "/latest does not list the package"
"$emulator" "$binary" verify
kill "$server"
status=0
wait "$server" || status=$?
server=
[ "$status" = 0 ] || fail "the server exited with status $status: $(cat "$work/log")"
echo "cross-test.sh: $1 passed, $(wc -c <"$binary") bytes"
