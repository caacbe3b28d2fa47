#!/bin/sh
# Usage: upload.sh [options] FILE...
#
# Publishes each FILE on a release server, under its base name. Needs curl and nothing else of the project.
#
#   -u, --url URL      the server: http://HOST[:PORT][/PATH], or https
#                      (default: $RELEASE_SERVER_URL, else http://127.0.0.1:8000)
#   -t, --token TOKEN  the server's token (default: $RELEASE_SERVER_TOKEN);
#                      prefer the variable: every user of this machine can
#                      read this script's command line
#   -f, --force        replace packages that exist
#   -j, --parallel N   send N files at a time, 1 to 99 (default: 1)
#   -n, --dry-run      check options and files, send nothing
#   -q, --quiet        print errors only
#   -h, --help         print this
#   --                 what follows are files, whatever they begin with
#
# A file that is on the server already, with the same content, is no failure.
# What may pass, such as a lost connection or a 503, is tried 3 times more.
# curl's variables count (https_proxy, CURL_CA_BUNDLE, ...), ~/.curlrc does not.
#
# Exit codes:
#   0  every file is published, now or before
#   1  a file was refused or failed; a wrong token ends the run at once
#   2  wrong usage, or a file that cannot be read; nothing was sent
#   3  the server cannot be reached or stays unavailable; this ends the run too
#   129, 130, 143  ended by a signal: HUP, INT, TERM

set -eu

# Bytes are bytes: in the encoding of names, and in what tr and sed see.
export LC_ALL=C

RETRIES_MAX=3
RETRY_SECONDS_MAX=60
BAR_BYTES_MIN=4000000 # from here on a terminal shows curl's progress bar

# Prints the comment above.
help() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

say() { [ "$quiet" = yes ] || printf '%s\n' "$1"; }

complain() { printf '%s: %s\n' "${0##*/}" "$1" >&2; }

usage_error() {
    complain "$(printf '%s' "$1" | tr -d '[:cntrl:]') (--help tells more)"
    exit 2
}

check_url() {
    host='([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])'
    port='[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]'
    printf '%s' "$url" | tr '\n' ' ' | grep -Eqx "https?://$host(:($port))?(/[^?#[:space:][:cntrl:]]*)?" ||
        usage_error "the URL '$url' cannot be used; it takes http://HOST[:PORT][/PATH], or https"
    url=${url%"${url##*[!/]}"}
}

check_token() {
    case $token in
        '') usage_error "there is no token; set RELEASE_SERVER_TOKEN or give --token" ;;
        *[[:cntrl:]]*) usage_error "the token holds a control character; it takes one line of text" ;;
    esac
}

percent_encode() {
    case $1 in
        *[!A-Za-z0-9._~-]*)
            printf '%s' "$1" | od -An -v -tx1 | sed 's/[0-9a-f][0-9a-f]/%&/g' | tr -d ' \n' ;;
        *) printf '%s' "$1" ;;
    esac
}

# The string that the answer has under a key; nothing where it has none. Quotes inside a JSON string follow a backslash,
# so no string can hold what looks like a key.
json_string() {
    tr -d '[:cntrl:]' <"$answer/body" |
        sed -n 's/.*"'"$1"'"[[:space:]]*:[[:space:]]*"\([^"\\]*\(\\.[^"\\]*\)*\)".*/\1/p' |
        sed 's|\\\(["\\/]\)|\1|g'
}

# Why there is no success: the server's words, or curl's where it has none.
reason() {
    detail=$(json_string detail)
    if [ "$status" = 000 ]; then
        detail=$(sed -n 's/^curl: ([0-9]*) //p' "$answer/error" | tr -d '[:cntrl:]')
        printf '%s (--url is %s)' "${detail:-curl ended with code $curl_code}" "$url"
    elif [ -n "$detail" ]; then
        printf '%s' "$detail"
    elif [ -n "$redirect" ]; then
        printf 'the server answers %s and points to %s; name that server with --url' "$status" "$redirect" |
            tr -d '[:cntrl:]'
    else
        printf 'the server answers %s and gives no reason; is it a release server?' "$status"
    fi
}

# Ends what runs in the background, where a terminal's interrupt is ignored.
stop_children() {
    for child in $children; do
        kill "$child" 2>/dev/null || :
        wait "$child" 2>/dev/null || :
    done
}

clean_up() {
    trap '' HUP INT TERM
    stop_children
    [ -z "$work" ] || rm -rf "$work"
}

# Waits for the last background command. What takes long runs there: only during `wait` does a shell run traps at once.
await() {
    children=$!
    wait_code=0
    wait "$children" || wait_code=$?
    children=
}

# Sends one request. Sets `status`, which is 000 without an answer, and `curl_code`. The token travels by here-document
# and pipe, as a line of curl's config: command lines are for everyone to see.
send() {
    # Nothing of the try before may be taken for this one's.
    tee "$answer/head" "$answer/body" "$answer/error" </dev/null
    sed 's/[\\"]/\\&/g; s/.*/header = "Authorization: Bearer &"/' <<EOF |
$token
EOF
        curl --disable --config - --globoff --path-as-is --proto '=http,https' \
            --connect-timeout 10 --speed-limit 1 --speed-time 120 \
            --dump-header "$answer/head" --output "$answer/body" \
            --write-out '%{http_code} %{redirect_url}\n' "$@" >"$answer/status" &
    await
    curl_code=$wait_code
    read -r status redirect <"$answer/status" || status=000
    # A refusal can come, whole, while curl still sends. Of any other answer the end may be missing.
    [ "$curl_code" -eq 0 ] || [ "$status" -ge 400 ] || status=000
}

# Sends one request, and some `tries` more while the failure may pass. That is safe: a try whose answer was lost shows
# in the next one's, as a 409 with the file's checksum or a 404.
request() {
    tries=0
    while send "$@"; [ "$tries" -lt "$RETRIES_MAX" ]; do
        case $status$curl_code in
            429* | 502* | 503* | 504*) ;;
            # Name, connection, TLS handshake, timeout, and connections lost on the way.
            0005 | 0006 | 0007 | 00035 | 00028 | 00016 | 00018 | 00052 | 00055 | 00056 | 00092) ;;
            *) return 0 ;;
        esac
        seconds=$(tr -d '\r' <"$answer/head" |
            sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9]\{1,4\}\) *$/\1/p' | tail -n 1)
        seconds=${seconds:-$((1 << tries))}
        [ "$seconds" -le "$RETRY_SECONDS_MAX" ] || seconds=$RETRY_SECONDS_MAX
        [ "$quiet" = yes ] || complain "$label ... $(reason); trying again in $seconds s"
        sleep "$seconds" &
        await
        tries=$((tries + 1))
    done
}

# The SHA-256 of a file, or nothing where no tool is there.
sha256_of() {
    for tool in sha256sum 'shasum -a 256' 'openssl dgst -sha256 -r'; do
        command -v "${tool%% *}" >/dev/null || continue
        { digest=$($tool <"$1"); } 2>/dev/null || digest=
        printf '%s' "${digest%% *}"
        return 0
    done
}

human_size() {
    number=$(($1)) unit=B
    for larger in KB MB GB; do
        [ "$number" -ge 1000 ] || break
        number=$(((number + 500) / 1000)) unit=$larger
    done
    printf '%s %s' "$number" "$unit"
}

check_file() {
    [ -e "$1" ] || usage_error "there is no file '$1'"
    [ ! -d "$1" ] || usage_error "'$1' is a directory; name the files in it"
    [ -f "$1" ] || usage_error "'$1' is no regular file"
    [ -r "$1" ] || usage_error "'$1' cannot be read; look at its permissions"
    case ${1##*/} in
        *[[:cntrl:]]*) usage_error "the name of '$1' holds a control character, which the server does not take" ;;
    esac
    # No name holds a '/', so this text is an exact list.
    case $names in
        */"${1##*/}"/*) usage_error "two files have the name '${1##*/}', of which the server keeps one" ;;
    esac
    names=$names${1##*/}/
}

# Prints a file's line, at once so that parallel ones do not mix, and keeps its outcome for the summary.
report() {
    printf '%s\n' "$1" >"$answer/outcome"
    case $1 in
        failed | unreachable) complain "$label ... $2" ;;
        *) say "$label ... $2" ;;
    esac
}

# What the server deleted to stay within its limit, to follow the outcome.
removed() {
    tr -d '[:cntrl:]' <"$answer/body" |
        sed -n 's/.*"removed"[[:space:]]*:[[:space:]]*\[\(\("[^"\\]*\(\\.[^"\\]*\)*"[, ]*\)\{1,\}\)\].*/\1/p' |
        sed 's/", *"/, /g; s/^"//; s/" *$//; s|\\\(["\\/]\)|\1|g; s/^/; the server removed to make room: /'
}

# Tells what came of sending a file.
report_answer() {
    case $status$curl_code in
        20[01]*)
            outcome=published
            [ "$status" = 201 ] || outcome=replaced
            if grep -q '"sha256"' "$answer/body"; then
                report "$outcome" "$outcome ($(human_size "$size"))$(removed)"
            else
                report failed "refused: $(reason)"
            fi
            ;;
        409*)
            if [ -n "$sha256" ] && [ "$(json_string sha256)" = "$sha256" ]; then
                report already 'already published'
            else
                report failed "refused: $(reason)$hint"
            fi
            ;;
        00023 | 00026) report failed "failed: $(reason)" ;; # the disk here, or the file
        000* | 429* | 502* | 503* | 504*) report unreachable "unavailable: $(reason)" ;;
        *) report failed "refused: $(reason)" ;;
    esac
    case $status$(cat "$answer/outcome") in
        401* | *unreachable) : >"$work/stop" ;; # the others would fail alike
    esac
}

# Sends a file with PUT: a percent-encoded path carries every name exactly, while curl's form syntax gives ';', ',' and
# quotes meanings of their own. And a name that is taken is told before a large body is sent.
publish() {
    { size=$(wc -c <"$1"); } 2>/dev/null || size=0
    sha256=$(sha256_of "$1")
    target=$url/assets/$(percent_encode "${1##*/}")$query
    case $1 in
        /*) set -- --upload-file "$1" --url "$target" ;;
        *) set -- --upload-file "./$1" --url "$target" ;; # to curl, '-' and '.' are no files
    esac
    [ -z "$sha256" ] || set -- "$@" --header "X-Checksum-Sha256: $sha256"
    if [ -t 2 ] && [ "$parallel$quiet" = 1no ] && [ "$size" -ge "$BAR_BYTES_MIN" ]; then
        printf '%s (%s)\n' "$label" "$(human_size "$size")" >&2
        request "$@" --progress-bar
    else
        request "$@" --silent --show-error --stderr "$answer/error"
    fi
    report_answer
}

# Publishes those of the files that no other worker takes. Making the directory for the answer is the taking.
work_through() {
    children=
    trap 'stop_children; exit 143' TERM
    index=0
    for file do
        index=$((index + 1))
        answer=$work/$index
        label="[$index/$#] ${file##*/}"
        [ ! -e "$work/stop" ] || return 0
        mkdir "$answer" 2>/dev/null || continue
        publish "$file"
    done
}

count() { cat "$work"/*/outcome 2>/dev/null | grep -cx "$1" || :; }

url=${RELEASE_SERVER_URL:-http://127.0.0.1:8000}
token=${RELEASE_SERVER_TOKEN-}
query='' hint=' (with --force)' dry_run=no quiet=no parallel=1

# Options stand before, among and after the files: of the arguments, `left` are unread, and the files go to the end.
left=$#
while [ "$left" -gt 0 ]; do
    option=$1
    shift
    left=$((left - 1))
    case $option in
        -[utj] | --url | --token | --parallel)
            [ "$left" -gt 0 ] || usage_error "$option needs a value"
            case $option in
                -u | --url) url=$1 ;;
                -t | --token) token=$1 ;;
                *) parallel=$1 ;;
            esac
            shift
            left=$((left - 1))
            ;;
        -f | --force) query='?overwrite=true' hint='' ;;
        -n | --dry-run) dry_run=yes ;;
        -q | --quiet) quiet=yes ;;
        -h | --help) help && exit 0 ;;
        --) break ;; # what is left stays
        --url=* | --token=* | --parallel=*)
            set -- "${option%%=*}" "${option#*=}" "$@" && left=$((left + 2)) ;;
        -[utj]*) set -- "${option%"${option#-?}"}" "${option#-?}" "$@" && left=$((left + 2)) ;;
        -[fnqh]*) set -- "${option%"${option#-?}"}" "-${option#-?}" "$@" && left=$((left + 2)) ;;
        -?*) usage_error "there is no option '${option%%=*}'; files whose names begin with '-' follow a '--'" ;;
        *) set -- "$@" "$option" ;;
    esac
done

command -v curl >/dev/null || usage_error "curl is needed and is not in PATH"
[ $# -gt 0 ] || usage_error "no file is given"
case $parallel in
    '' | 0* | *[!0-9]* | ???*) usage_error "--parallel takes a number from 1 to 99, not '$parallel'" ;;
esac
check_url
check_token
names=/
for file do
    check_file "$file"
done
if [ "$dry_run" = yes ]; then
    for file do
        say "${file##*/} ... would be sent to $url"
    done
    exit 0
fi

children='' work=''
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
work=$(mktemp -d "${TMPDIR:-/tmp}/upload.XXXXXX" 2>/dev/null) || usage_error "'${TMPDIR:-/tmp}' cannot be written"
worker=0
while [ "$worker" -lt "$parallel" ] && [ "$worker" -lt $# ]; do
    worker=$((worker + 1))
    work_through "$@" &
    children="$children $!"
done
wait
children=

replaced=$(count replaced) unreachable=$(count unreachable) unsent=$(($# - $(count '.*')))
failed=$(($(count failed) + unreachable))
summary="$# files: $(count published) published"
[ "$replaced" -eq 0 ] || summary="$summary, $replaced replaced"
[ $# -eq 1 ] || say "$summary, $(count already) already published, $failed failed"
[ "$unsent" -eq 0 ] || complain "$unsent of $# files were not sent"
[ "$unreachable" -eq 0 ] || exit 3
[ "$((failed + unsent))" -eq 0 ] || exit 1
