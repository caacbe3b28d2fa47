#!/bin/sh
# The package page in a real browser: see page.mjs.
#
#     run.sh SERVER_BINARY [SCREENSHOT_DIRECTORY]
#
# Needs node, npm and a Chromium (CHROMIUM may name it); what package.json lists is installed beside it at the first run.
set -eu

if [ $# -lt 1 ] || [ ! -x "$1" ]; then
    sed -n '4s/^# *//p' "$0" >&2
    exit 2
fi
binary=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
screenshots=${2:+$(cd "$2" && pwd)}
chromium=${CHROMIUM:-$(command -v chromium)} || {
    echo "run.sh: there is no chromium in PATH; CHROMIUM may name another" >&2
    exit 2
}
cd "$(dirname "$0")"
[ -d node_modules ] || npm install --silent --no-audit --no-fund --no-package-lock
exec node page.mjs "$binary" "$chromium" ${screenshots:+"$screenshots"}
