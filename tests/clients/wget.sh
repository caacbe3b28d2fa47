#!/bin/sh
# GNU wget: downloads under the names it makes itself, `-c`, `-N`, uploads with `--body-file`. Run
# by run.sh.
# shellcheck disable=SC2317 # the functions are called through `step` and `each_name`
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$HERE/lib.sh"

LOG=$MINE/log

# request EXIT STATUS ARGUMENT...: one run of wget without retries, which would hide a broken
# connection.
request() {
    expected=$1 status=$2
    shift 2
    wget --no-config -S --tries=1 --timeout=30 "$@" 2>"$LOG"
    got=$?
    statuses=$(sed -n 's/^ *HTTP\/1\.[01] \([0-9]*\).*/\1/p' "$LOG" | grep -vx "${REDIRECTS:+302}")
    equal "wget's exit status and the server's" "$got $statuses" "$expected $status"
}

put() {
    request 0 201 -O "$ANSWERS/$ID.json" --header="$AUTH" --method=PUT --body-file="$FILES/$NAME" \
        "$BASE/assets/$ENCODED"
}

download() {
    request 0 200 -O "$MINE/answer" "$BASE/assets/$ENCODED"
    same "$MINE/answer" "$FILES/$NAME"
}

# wget decodes percent signs in a name of its own making a second time, and truncates long names;
# `-O` is for these.
has_other_name() {
    case $ID in
    "percent "* | "240 "*) return 0 ;;
    esac
    return 1
}

download_by_url() {
    has_other_name && return
    request 0 200 -P "$MINE/by-url" "$BASE/assets/$ENCODED"
    same "$MINE/by-url/$NAME" "$FILES/$NAME"
}

download_by_its_name() {
    has_other_name && return
    request 0 200 -P "$MINE/by-its-name" --content-disposition "$BASE/assets/$ENCODED"
    same "$MINE/by-its-name/$NAME" "$FILES/$NAME"
}

# The second time no content is sent, unless the server's file is newer.
newer_only() {
    has_other_name && return
    request 0 200 -N -P "$MINE/newer" "$BASE/assets/$ENCODED"
    request 0 304 -N -P "$MINE/newer" "$BASE/assets/$ENCODED"
    same "$MINE/newer/$NAME" "$FILES/$NAME"
    echo "an older version" >"$MINE/newer/$NAME"
    touch -t 200001010000 "$MINE/newer/$NAME"
    request 0 200 -N -P "$MINE/newer" "$BASE/assets/$ENCODED"
    same "$MINE/newer/$NAME" "$FILES/$NAME"
}

remove() {
    request 0 204 -O "$MINE/answer" --header="$AUTH" --method=DELETE "$BASE/assets/$ENCODED"
    request 8 404 -O "$MINE/answer" "$BASE/assets/$ENCODED"
}

resume() {
    head -c 3000000 "$BIG" >"$MINE/big.bin"
    request 0 206 -c -P "$MINE" "$BASE/assets/big.bin"
    same "$MINE/big.bin" "$BIG"
    # A complete file: 416 says that there is no more.
    request 0 416 -c -P "$MINE" "$BASE/assets/big.bin"
    holds "$LOG" "already fully retrieved" "what wget says"
    same "$MINE/big.bin" "$BIG"
}

# wget sends the whole body before it reads: the answer must still arrive. 6 and 8 are its codes for
# "authentication" and "an error status"; a broken connection would be 4.
refused() {
    request 6 401 -O "$MINE/answer" --method=PUT --body-file="$BIG" "$BASE/assets/new.bin"
    request 8 409 -O "$MINE/answer" --header="$AUTH" --method=PUT --body-file="$BIG" \
        --content-on-error "$BASE/assets/big.bin"
    holds "$MINE/answer" "$(sha256 "$BIG")" "the checksum of what is there"
    request 8 413 -O "$MINE/answer" --header="$AUTH" --method=PUT \
        --body-file="$WORK/huge.bin" "$BASE/assets/new.bin"
    request 8 404 --spider "$BASE/assets/new.bin"
}

ANSWERS=$MINE/answers
mkdir "$ANSWERS"
each_name put PUT put
judge published PUT put "$ANSWERS"
each_name put download download
each_name put "download under the URL's name" download_by_url
each_name put "download under the served name" download_by_its_name
each_name put "-N" newer_only
each_name put DELETE remove
judge empty DELETE

step PUT big.bin request 0 201 -O "$MINE/answer" --header="$AUTH" --method=PUT \
    --body-file="$BIG" "$BASE/assets/big.bin"
step "-c" big.bin resume
step "refused PUT" big.bin refused
step DELETE big.bin request 0 204 -O "$MINE/answer" --header="$AUTH" \
    --method=DELETE "$BASE/assets/big.bin"
judge empty "refused PUT and DELETE"
finish
