#!/bin/sh
# The package page in a real browser: see page.mjs and, for --large, large.mjs.
#
#     run.sh SERVER_BINARY [SCREENSHOT_DIRECTORY | --large]
#
# Needs node, npm and a Chromium (CHROMIUM may name it); the packages of package.json are installed
# beside it at the first run.
set -eu

if [ $# -lt 1 ] || [ ! -x "$1" ]; then
    sed -n '4s/^# *//p' "$0" >&2
    exit 2
fi
binary=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
script=page.mjs screenshots=
case ${2-} in
    '') ;;
    --large) script=large.mjs ;;
    *) screenshots=$(cd "$2" && pwd) ;;
esac
chromium=${CHROMIUM:-$(command -v chromium)} || {
    echo "run.sh: there is no chromium in PATH; CHROMIUM may name another" >&2
    exit 2
}
cd "$(dirname "$0")"
[ -d node_modules ] || npm install --silent --no-audit --no-fund --no-package-lock
exec node "$script" "$binary" "$chromium" ${screenshots:+"$screenshots"}
