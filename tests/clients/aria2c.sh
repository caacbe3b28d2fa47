#!/bin/sh
# aria2c: downloads in four ranges at once, checked by the served checksum, resumed, and only when
# newer. Run by run.sh.
# shellcheck disable=SC2317 # the functions are called through `step` and `each_name`
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$HERE/lib.sh"

LOG=$MINE/log

# fetch DIRECTORY ARGUMENT...: one download without a retry; the heads of all requests and answers
# go to $LOG.
fetch() {
    directory=$1
    shift
    rm -f "$LOG"
    aria2c --no-conf --quiet --max-tries=1 --timeout=30 --allow-overwrite=true \
        --auto-file-renaming=false \
        --log="$LOG" --log-level=info -d "$directory" "$@" ||
        fail "aria2c ended with $?: $(tail -n 3 "$LOG")"
}

# answers STATUS: the number of answers with it.
answers() {
    grep -c "^HTTP/1.1 $1 " "$LOG"
}

download() {
    fetch "$MINE/names" "$BASE/assets/$ENCODED"
    same "$MINE/names/$NAME" "$FILES/$NAME"
}

in_four_ranges() {
    fetch "$MINE/ranges" -x 4 -s 4 -k 1M --checksum="sha-256=$(sha256 "$BIG")" \
        "$BASE/assets/big.bin"
    same "$MINE/ranges/big.bin" "$BIG"
    # The first answer is of the whole file; aria2c takes from it what it has not asked for in
    # ranges meanwhile.
    [ "$(answers 206)" -ge 3 ] || fail "there were only $(answers 206) answers with ranges"
}

resume() {
    mkdir "$MINE/resumed"
    head -c 3145728 "$BIG" >"$MINE/resumed/big.bin"
    fetch "$MINE/resumed" -c "$BASE/assets/big.bin"
    same "$MINE/resumed/big.bin" "$BIG"
    holds "$LOG" "Range: bytes=3145728-" "what aria2c asked for"
}

when_newer() {
    fetch "$MINE/ranges" --conditional-get=true --remote-time=true "$BASE/assets/big.bin"
    equal "the number of 304 answers" "$(answers 304)" 1
    same "$MINE/ranges/big.bin" "$BIG"
    touch -t 200001010000 "$MINE/ranges/big.bin"
    fetch "$MINE/ranges" --conditional-get=true "$BASE/assets/big.bin"
    equal "the number of 304 answers to an older file" "$(answers 304)" 0
    same "$MINE/ranges/big.bin" "$BIG"
}

# aria2c cannot publish.
judge publish
each_name put download download
step "download in four ranges" big.bin in_four_ranges
step "-c" big.bin resume
step "--conditional-get" big.bin when_newer
judge clear
finish
