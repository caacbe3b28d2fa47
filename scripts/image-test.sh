#!/bin/sh
# Builds the image and runs it with the least permissions: read-only, without capabilities, with a
# random user id and 32 MiB of memory. Publishes and fetches a whole release, stops the container
# during a download, starts it again. Prints the measurements; a failure prints one line.
#
#   scripts/image-test.sh [--local-base]
#
#   --local-base  builds on a copy of this machine's Rust and gcc (Debian) instead of the base in
#                 the Dockerfile, for machines that cannot pull images
#
# Needs docker, curl, python3 and, with --local-base, Debian with Rust and gcc. If no Docker Engine
# answers, the script starts one (as root, with dockerd installed) and stops it at the end. In an
# engine that runs already, the script removes everything that it created except the build cache.
set -eu

cd "$(dirname "$0")/.."

MEMORY=32m
WAIT_SECONDS_MAX=60
# At this rate the download takes some 8 s: longer than all else, shorter than the server's grace of
# 25 s.
BIG_BYTES=67108864
RATE=8M
GRACE_SECONDS=30

fail() {
    echo "image-test.sh: $1" >&2
    exit 1
}

local_base=no
case ${1-} in
    --local-base) local_base=yes ;;
    '') ;;
    *) fail "unknown option '$1'; the only option is --local-base" ;;
esac

work=$(mktemp -d) engine='' container='' volume='' base='' image=''

clean_up() {
    trap '' HUP INT TERM
    [ -z "$container" ] || docker rm --force "$container" >/dev/null || :
    [ -z "$volume" ] || docker volume rm "$volume" >/dev/null || :
    [ -z "$image" ] || docker image rm "$image" >/dev/null 2>&1 || :
    [ -z "$base" ] || docker image rm "$base" >/dev/null 2>&1 || :
    if [ -n "$engine" ]; then
        kill "$engine"
        wait "$engine" || :
    fi
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# eventually WHAT COMMAND...: until the command succeeds.
eventually() {
    what=$1 tries=0
    shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt $((WAIT_SECONDS_MAX * 5)) ] || fail "$what: not within $WAIT_SECONDS_MAX s"
        sleep 0.2
    done
}

start_engine() {
    [ "$(id -u)" = 0 ] || fail "no Docker Engine answers, and only root can start one"
    command -v dockerd >/dev/null || fail "no Docker Engine answers, and dockerd is not installed"
    export DOCKER_HOST="unix://$work/docker.sock"
    dockerd --host "$DOCKER_HOST" --data-root "$work/root" --exec-root "$work/exec" --pidfile \
        "$work/pid" \
        >"$work/dockerd.log" 2>&1 &
    engine=$!
    eventually "an answer of dockerd" docker info
}

# An image with the Debian packages that a build needs, this machine's Rust and the crates, at the
# paths of the official image.
import_base() {
    for tool in apt-cache dpkg-query gcc cargo; do
        command -v "$tool" >/dev/null || fail "--local-base needs $tool"
    done
    tree=$work/tree
    mkdir -p "$tree/usr/bin" "$tree/usr/sbin" "$tree/usr/lib" "$tree/usr/lib64" \
        "$tree/usr/local/cargo" "$tree/tmp"
    for directory in bin sbin lib lib64; do
        ln -s "usr/$directory" "$tree/$directory"
    done
    apt-cache depends --recurse --installed --no-recommends --no-suggests --no-conflicts \
        --no-breaks --no-replaces \
        --no-enhances dash coreutils dpkg gcc libc6-dev sed | grep '^[a-z0-9]' |
            sort -u >"$work/packages"
    # shellcheck disable=SC2046 # a list of words
    {
        dpkg-query --listfiles $(cat "$work/packages") 2>/dev/null
        find /etc/alternatives -name cc
        echo /usr/bin/cc
    } |
        sort -u | while read -r path; do
        [ -d "$path" ] || [ ! -e "$path" ] || echo "$path"
    done >"$work/files"
    tar --create --no-recursion --files-from "$work/files" 2>/dev/null |
        tar --extract --directory "$tree" --keep-directory-symlink
    sysroot=$(rustc --print sysroot)
    tar --create --directory "$sysroot" --exclude share bin lib |
        tar --extract --directory "$tree/usr/local"
    cargo vendor --quiet --locked "$tree/crates" >/dev/null
    printf '[source.crates-io]\nreplace-with = "copies"\n[source.copies]\ndirectory = "/crates"\n' \
        >"$tree/usr/local/cargo/config.toml"
    base=release-server-base:$$
    tar --create --directory "$tree" . |
        docker import --change 'ENV PATH=/usr/local/bin:/usr/bin:/usr/sbin' \
        --change 'ENV CARGO_HOME=/usr/local/cargo' - "$base" >/dev/null
    rm -rf "$tree"
    export BASE="$base"
}

field() { docker inspect --format "$1" "$2"; }

# equal WHAT GOT WANTED
equal() { [ "$2" = "$3" ] || fail "$1 is '$2', not '$3'"; }

check_contents() {
    mkdir "$work/saved"
    docker save "$image" | tar --extract --directory "$work/saved"
    for layer in $(python3 -c \
        'import json, sys; print(*json.load(open(sys.argv[1]))[0]["Layers"])' \
        "$work/saved/manifest.json"); do
        tar --list --verbose --numeric-owner --file "$work/saved/$layer"
    done | awk '{ print $1, $2, ($1 ~ /^d/ ? "-" : $3), $6 }' >"$work/contents"
    echo "contents (mode, owner, bytes, name):"
    sed 's/^/    /' "$work/contents"
    sed 's/ [0-9]* \(release-server\|licenses\/[A-Z].*\)$/ N \1/' "$work/contents" |
        LC_ALL=C sort >"$work/got"
    diff -u - "$work/got" <<LIST || fail "the image has other contents than these"
-rw-r--r-- 0/0 N licenses/LGPL-2.1.txt
-rw-r--r-- 0/0 N licenses/LICENSE
-rw-r--r-- 0/0 N licenses/THIRD-PARTY-LICENSES.txt
-rwxr-xr-x 0/0 N release-server
drwxr-xr-x 0/0 - licenses/
drwxr-xr-x 65532/0 - etc/
drwxr-xr-x 65532/0 - etc/release-server/
drwxrwxr-x 65532/0 - data/
LIST
    echo "size: $(awk '{ sum += $3 } END { print sum }' "$work/contents") bytes"
}

check_settings() {
    equal user "$(field '{{.Config.User}}' "$image")" 65532:65532
    equal "the volumes" "$(field '{{json .Config.Volumes}}' "$image")" '{"/data":{}}'
    equal "the ports" "$(field '{{json .Config.ExposedPorts}}' "$image")" '{"8000/tcp":{}}'
    equal "the signal" "$(field '{{.Config.StopSignal}}' "$image")" SIGTERM
    equal "the health check" "$(field '{{json .Config.Healthcheck.Test}}' "$image")" \
        '["CMD","/release-server","healthcheck"]'
    equal "the entry point" "$(field '{{json .Config.Entrypoint}}' "$image")" '["/release-server"]'
    equal "the label of the version" \
        "$(field '{{index .Config.Labels "org.opencontainers.image.version"}}' "$image")" \
        "$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)"
}

random_uid() { python3 -c 'import random; print(random.randrange(100000, 2000000000))'; }

healthy() { [ "$(field '{{.State.Health.Status}}' "$container")" = healthy ]; }

# Starts a container on the volume with a random user id. Sets `container` and `url`.
run() {
    uid=$(random_uid)
    container=$(docker run --detach --read-only --cap-drop ALL --security-opt no-new-privileges \
        --user "$uid" \
        --memory "$MEMORY" --memory-swap "$MEMORY" --stop-timeout "$GRACE_SECONDS" --volume \
            "$volume:/data" \
        --env AUTH_TOKEN --publish 127.0.0.1::8000 "$image")
    url=http://$(docker port "$container" 8000)
    eventually "health of the container under uid $uid" healthy
    echo "healthy under uid $uid"
}

# The zips of a release, as the tests with real clients make them.
make_release() {
    mkdir "$work/zips"
    BASE='' TOKEN='' WORK=$work PYTHONPATH=tests/clients PYTHONDONTWRITEBYTECODE=1 python3 - \
        "$work/zips" <<'PYTHON'
import itertools, pathlib, sys
import specify

for agent, script in itertools.product(specify.AGENTS, specify.SCRIPTS):
    name = specify.zip_name(agent, script, specify.OLD)
    (pathlib.Path(sys.argv[1]) / name).write_bytes(specify.packed(specify.template_files(name)))
PYTHON
    set -- "$work"/zips/*.zip
    equal "the number of zips" $# 34
    head -c "$BIG_BYTES" /dev/urandom >"$work/zips/big.bin"
}

publish() {
    RELEASE_SERVER_URL=$url RELEASE_SERVER_TOKEN=$AUTH_TOKEN scripts/upload.sh --quiet \
        "$work"/zips/*
}

# Every file is returned unchanged, and the list contains no other.
fetch() {
    count=0
    for file in "$work"/zips/*; do
        curl --disable --silent --show-error --fail --max-time 60 "$url/assets/${file##*/}" \
            >"$work/fetched"
        cmp "$work/fetched" "$file" || fail "${file##*/} came back other than it was"
        count=$((count + 1))
    done
    listed=$(curl --disable --silent --fail "$url/latest" |
        python3 -c 'import json, sys; print(len(json.load(sys.stdin)["assets"]))')
    equal "the number of packages in /latest" "$listed" "$count"
    echo "fetched: $count packages, all as published"
}

begun() { [ -s "$work/fetched" ]; }

stop_during_download() {
    rm "$work/fetched"
    curl --disable --silent --show-error --fail --limit-rate "$RATE" --output "$work/fetched" \
        "$url/assets/big.bin" &
    download=$!
    eventually "the first bytes" begun
    before=$(date +%s)
    docker stop "$container" >/dev/null
    seconds=$(($(date +%s) - before))
    status=0
    wait "$download" || status=$?
    equal "curl's exit status" "$status" 0
    cmp "$work/fetched" "$work/zips/big.bin" || fail "the download under way was not finished"
    equal "the exit status" "$(field '{{.State.ExitCode}}' "$container")" 0
    [ "$seconds" -lt "$GRACE_SECONDS" ] || fail "stopping took $seconds s"
    echo "stopped with 0 after $seconds s, a download of $BIG_BYTES bytes finished meanwhile"
}

for tool in docker curl python3; do
    command -v "$tool" >/dev/null || fail "$tool is missing; install it first"
done
docker info >/dev/null 2>&1 || start_engine
[ "$local_base" = no ] || import_base
tag=test-$$
TAG=$tag scripts/build.sh
image=$(TAG=$tag scripts/build.sh --print)
check_contents
check_settings

AUTH_TOKEN="a-test-token-of-$$"
export AUTH_TOKEN
volume=release-server-$tag
docker volume create "$volume" >/dev/null
run
make_release
publish
fetch
stop_during_download
docker start "$container" >/dev/null
url=http://$(docker port "$container" 8000)
eventually "health after a restart" healthy
fetch
docker rm --force "$container" >/dev/null
run
fetch
equal "the number of times that memory ran out" "$(field '{{.State.OOMKilled}}' "$container")" false
echo "image-test.sh: passed"
