#!/bin/sh
# curl: forms in all the spellings that its users write, `-T`, resuming, conditions, refused
# uploads. Run by run.sh.
# shellcheck disable=SC2317 # the functions are called through `step` and `each_name`
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$HERE/lib.sh"

ANSWER=$MINE/answer

# request STATUS ARGUMENT...: one transfer; the answer's body goes to $ANSWER. -q: no user
# configuration; -g: braces and brackets in URLs are literal; -L: as users follow a server that
# redirects downloads.
request() {
    expected=$1
    shift
    status=$(curl -q -gsSL --max-time 60 -o "$ANSWER" -w '%{http_code}' "$@" 2>"$MINE/stderr") ||
        fail "curl ended with $?: $(cat "$MINE/stderr")"
    [ "$status" = "$expected" ] || fail "status is $status, not $expected: $(head -c 300 "$ANSWER")"
}

# publish STATUS ARGUMENT...: an upload with the token; keeps the answer for the judge.
publish() {
    ANSWER=$ANSWERS/$ID.json
    expected=$1
    shift
    request "$expected" -H "$AUTH" "$@"
}

# --- Publishing -------------------------------------------------------------------------------

# In `-F`, a `;` or `,` ends a file's name unless it is quoted, and in quotes `"` and `\` need a
# backslash.
quoted() {
    printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"
}

form() {
    publish 200 -F "file=@$(quoted "$FILES/$NAME")" "$BASE/upload"
}

form_with_filename() {
    cp "$FILES/$NAME" "$MINE/upload"
    publish 200 -F "file=@$MINE/upload;filename=$(quoted "$NAME")" "$BASE/upload"
}

# curl sends `"` as `%22`; so, as `\"`.
form_with_backslashes() {
    publish 200 --form-escape -F "file=@$(quoted "$FILES/$NAME")" "$BASE/upload"
}

# From a pipe: the form's length is not known, so that it is sent in chunks.
form_from_stdin() {
    # shellcheck disable=SC2002 # a pipe, not a file, is what this is about
    cat "$FILES/$NAME" | publish 200 -F "file=@-;filename=$(quoted "$NAME")" "$BASE/upload"
}

put() {
    publish 201 -T "$FILES/$NAME" "$BASE/assets/$ENCODED"
}

# A URL that ends in `/` gets the file's name, which curl encodes itself.
put_into_directory() {
    publish 201 -T "$FILES/$NAME" "$BASE/assets/"
}

put_from_stdin() {
    # shellcheck disable=SC2002 # a pipe, not a file, is what this is about
    cat "$FILES/$NAME" | publish 201 -T - "$BASE/assets/$ENCODED"
}

# --- Downloads --------------------------------------------------------------------------------

download() {
    ANSWER=$DOWNLOADS/$NAME
    request 200 "$BASE/assets/$ENCODED"
    same "$ANSWER" "$FILES/$NAME"
}

head_only() {
    request 200 -I "$BASE/assets/$ENCODED"
    equal "Content-Length" "$(header content-length)" "$(wc -c <"$FILES/$NAME")"
    equal "ETag" "$(header etag)" "\"$(sha256 "$FILES/$NAME")\""
}

header() {
    tr -d '\r' <"$ANSWER" | grep -i "^$1: " | cut -d ' ' -f 2-
}

# Under the name in Content-Disposition. curl does not read `filename*`, which carries names beyond
# ASCII, and ignores a name with escaped quotes.
download_by_its_name() {
    case $ID in
    quotes | composed | decomposed | emoji | "right to left" | "240 bytes of UTF-8") return ;;
    esac
    mkdir -p "$MINE/named"
    status=$(cd "$MINE/named" &&
        curl -q -gsSL --max-time 60 -OJ -w '%{http_code}' "$BASE/assets/$ENCODED")
    equal "status" "$status" 200
    same "$MINE/named/$NAME" "$FILES/$NAME"
}

# The served checksums, over the downloaded files.
sums() {
    ANSWER=$MINE/sum
    : >"$DOWNLOADS.sums"
    while IFS=$TAB read -r ID ENCODED NAME <&3; do
        request 200 "$BASE/assets/$ENCODED.sha256"
        cat "$ANSWER" >>"$DOWNLOADS.sums"
    done 3<"$WORK/names-$1.tsv"
    NAME="all packages"
    (cd "$DOWNLOADS" && sha256sum --strict -c "$DOWNLOADS.sums") >"$MINE/sha256sum" 2>&1 ||
        fail "sha256sum -c: $(grep -v ': OK$' "$MINE/sha256sum")"
}

remove() {
    request 204 -X DELETE -H "$AUTH" "$BASE/assets/$ENCODED"
}

# round_trips KIND WAY: all names of the kind are published, downloaded and deleted.
round_trips() {
    ANSWERS=$MINE/$2 DOWNLOADS=$MINE/$2-downloads
    mkdir "$ANSWERS" "$DOWNLOADS"
    each_name "$1" "$2" "$2"
    judge published "$2" "$1" "$ANSWERS"
    each_name "$1" "$2, then download" download
    if [ "$2" = put ]; then
        each_name "$1" HEAD head_only
        each_name "$1" "download under the served name" download_by_its_name
    fi
    step "$2, then sha256sum -c" "all packages" sums "$1"
    each_name "$1" "$2, then DELETE" remove
    judge empty "$2, then DELETE"
}

# --- A large file -----------------------------------------------------------------------------

resume() {
    ANSWER=$MINE/resumed
    head -c 3000000 "$BIG" >"$ANSWER"
    received=$(curl -q -sS --max-time 60 -C - -o "$ANSWER" \
        -w '%{http_code} %{size_download}' "$BASE/assets/big.bin")
    equal "status and bytes" "$received" "206 $(($(wc -c <"$BIG") - 3000000))"
    same "$ANSWER" "$BIG"
    curl -q -sS --max-time 60 -C - -o "$ANSWER" "$BASE/assets/big.bin" ||
        fail "resuming a complete file ended with $?"
    same "$ANSWER" "$BIG"
}

conditions() {
    ANSWER=$MINE/kept
    request 200 -R --etag-save "$MINE/etag" "$BASE/assets/big.bin"
    request 304 --etag-compare "$MINE/etag" "$BASE/assets/big.bin"
    request 304 -z "$ANSWER" "$BASE/assets/big.bin"
    same "$ANSWER" "$BIG"
    request 200 -z "Sat, 01 Jan 2000 00:00:00 GMT" "$BASE/assets/big.bin"
    ANSWER=$MINE/answer
    request 200 -H "$AUTH" -T "$FILES/it's 'so'.zip" "$BASE/assets/big.bin?overwrite=true"
    ANSWER=$MINE/kept
    request 200 --etag-compare "$MINE/etag" "$BASE/assets/big.bin"
    same "$ANSWER" "$FILES/it's 'so'.zip"
    request 200 -H "$AUTH" -T "$BIG" "$BASE/assets/big.bin?overwrite=true"
}

# refused STATUS BYTES ARGUMENT...: the answer arrives, without a reset, after this many bytes of
# the body: 0, or "any".
refused() {
    status=$1 bytes=$2
    shift 2
    got=$(curl -q -g -sS --max-time 60 -o "$ANSWER" \
        -w '%{http_code} %{size_upload}' "$@" 2>"$MINE/stderr") ||
        fail "curl ended with $? after '$got': $(cat "$MINE/stderr")"
    [ "$bytes" != any ] || bytes=${got#* }
    equal "status and uploaded bytes" "$got" "$status $bytes"
    holds "$ANSWER" '"detail":"' "the error's body"
}

# With `Expect: 100-continue` no byte of the body is sent; the wait for 100 exceeds the test's time
# limit.
refused_before_the_body() {
    waiting="--expect100-timeout 60 -H Expect:100-continue"
    # shellcheck disable=SC2086 # words
    {
        refused 401 0 $waiting -T "$BIG" "$BASE/assets/new.bin"
        refused 401 0 $waiting -H "Authorization: Bearer wrong" -F "file=@$BIG" "$BASE/upload"
        refused 409 0 $waiting -H "$AUTH" -T "$BIG" "$BASE/assets/big.bin"
        holds "$ANSWER" "$(sha256 "$BIG")" "the checksum of what is there"
        refused 413 0 $waiting -H "$AUTH" -T "$WORK/huge.bin" "$BASE/assets/new.bin"
        refused 413 0 $waiting -H "$AUTH" -F "file=@$WORK/huge.bin" "$BASE/upload"
        refused 415 0 $waiting -H "$AUTH" --data-binary "@$BIG" "$BASE/upload"
        # A form's name is known only after its first part.
        refused 409 any $waiting -H "$AUTH" -F "file=@$BIG" "$BASE/upload"
    }
}

# Without it the body is being sent when the answer arrives.
refused_amid_the_body() {
    refused 401 any -H Expect: -T "$BIG" "$BASE/assets/new.bin"
    refused 401 any -H Expect: -F "file=@$BIG" "$BASE/upload"
    refused 401 any -H Expect: -T - "$BASE/assets/new.bin" <"$BIG"
    refused 409 any -H Expect: -H "$AUTH" -T "$BIG" "$BASE/assets/big.bin"
    refused 409 any -H Expect: -H "$AUTH" -F "file=@$BIG" "$BASE/upload"
    refused 413 any -H Expect: -H "$AUTH" -T "$WORK/huge.bin" "$BASE/assets/new.bin"
    # In chunks, the limit is noticed only when it is passed.
    refused 413 any -H Expect: -H "$AUTH" -T - "$BASE/assets/new.bin" <"$WORK/huge.bin"
    request 200 "$BASE/assets/big.bin"
    same "$ANSWER" "$BIG"
    request 404 -I "$BASE/assets/new.bin"
}

round_trips form form
round_trips form form_with_filename
round_trips form form_with_backslashes
round_trips form form_from_stdin
round_trips put put
round_trips put put_into_directory
round_trips put put_from_stdin

step "-T" big.bin request 201 -H "$AUTH" -T "$BIG" "$BASE/assets/big.bin"
step "-C -" big.bin resume
# The tag of a redirected download is the store's own.
[ -n "${REDIRECTS-}" ] || step "-z and --etag-compare" big.bin conditions
step "upload refused before the body" big.bin refused_before_the_body
step "upload refused amid the body" big.bin refused_amid_the_body
step "DELETE without the token" big.bin request 401 -X DELETE "$BASE/assets/big.bin"
step "DELETE" big.bin request 204 -X DELETE -H "$AUTH" "$BASE/assets/big.bin"
step "download after DELETE" big.bin request 404 "$BASE/assets/big.bin"
judge empty "refused uploads and DELETE"
finish
