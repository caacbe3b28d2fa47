#!/bin/sh
# Runs the documents' commands as a new user would, and their pipelines, against the given server.
# Fails where one fails or prints something else than the document shows. Its output is a record of
# every command and its output.
#
#     run.sh SERVER_BINARY
#
# readme.py lists which commands are run, replaced and not run. Needed: python3, git, curl,
# sha256sum. The pipelines go through actionlint, act and gitlab-ci-local where they are installed,
# else their steps run in bash.
set -eu

if [ $# != 1 ] || [ ! -x "$1" ]; then
    echo "usage: run.sh SERVER_BINARY" >&2
    exit 2
fi
for tool in python3 git curl sha256sum bash; do
    command -v "$tool" >/dev/null || {
        echo "run.sh: $tool is needed and is not in PATH" >&2
        exit 2
    }
done
exec python3 -B "$(dirname "$0")/readme.py" "$1"
