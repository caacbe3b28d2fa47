#!/bin/sh
# Usage: delete.sh [options] NAME...
#
# Deletes each package NAME from a release server. Needs curl and nothing else of the project.
#
#   -u, --url URL      the server: http://HOST[:PORT][/PATH], or https
#                      (default: $RELEASE_SERVER_URL, else http://127.0.0.1:8000)
#   -t, --token TOKEN  the server's token (default: $RELEASE_SERVER_TOKEN);
#                      prefer the variable: every user of this machine can
#                      read this script's command line
#   -f, --force        a package that is not there is no failure
#   -n, --dry-run      check options and names, send nothing
#   -q, --quiet        print errors only
#   -h, --help         print this
#   --                 what follows are names, whatever they begin with
#
# What may pass, such as a lost connection or a 503, is tried 3 times more.
# curl's variables count (https_proxy, CURL_CA_BUNDLE, ...), ~/.curlrc does not.
#
# Exit codes:
#   0  every package is deleted; with --force, deleted or not there
#   1  a package was not there, or its deletion was refused or failed; a wrong
#      token ends the run at once
#   2  wrong usage; nothing was sent
#   3  the server cannot be reached or stays unavailable; this ends the run too
#   129, 130, 143  ended by a signal: HUP, INT, TERM

set -eu

# Bytes are bytes: in the encoding of names, and in what tr and sed see.
export LC_ALL=C

RETRIES_MAX=3
RETRY_SECONDS_MAX=60

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

check_name() {
    case $1 in
        '') usage_error "a name is empty; it takes the name of a package" ;;
        */*) usage_error "'$1' is a path; the name of a package has no '/'" ;;
        *[[:cntrl:]]*) usage_error "the name '$1' holds a control character, which no package's does" ;;
    esac
}

# Tells what came of a deletion.
report_answer() {
    case $status in
        204)
            deleted=$((deleted + 1))
            say "$label ... deleted"
            return 0
            ;;
        404)
            gone=
            [ "$force" = no ] || gone='not there'
            [ "$tries" -eq 0 ] || gone='not there; an earlier try may have deleted it'
            # A 404 without the server's words comes from something else, and says nothing of the package.
            if [ -n "$gone" ] && [ -n "$(json_string detail)" ]; then
                absent=$((absent + 1))
                say "$label ... $gone"
                return 0
            fi
            ;;
    esac
    failed=$((failed + 1))
    case $status in
        000 | 429 | 502 | 503 | 504)
            complain "$label ... unavailable: $(reason)"
            code=3
            ;;
        *)
            complain "$label ... refused: $(reason)"
            code=1
            ;;
    esac
}

url=${RELEASE_SERVER_URL:-http://127.0.0.1:8000}
token=${RELEASE_SERVER_TOKEN-}
force=no dry_run=no quiet=no

# Options stand before, among and after the names: of the arguments, `left` are unread, and the names go to the end.
left=$#
while [ "$left" -gt 0 ]; do
    option=$1
    shift
    left=$((left - 1))
    case $option in
        -[ut] | --url | --token)
            [ "$left" -gt 0 ] || usage_error "$option needs a value"
            case $option in
                -u | --url) url=$1 ;;
                *) token=$1 ;;
            esac
            shift
            left=$((left - 1))
            ;;
        -f | --force) force=yes ;;
        -n | --dry-run) dry_run=yes ;;
        -q | --quiet) quiet=yes ;;
        -h | --help) help && exit 0 ;;
        --) break ;; # what is left stays
        --url=* | --token=*) set -- "${option%%=*}" "${option#*=}" "$@" && left=$((left + 2)) ;;
        -[ut]*) set -- "${option%"${option#-?}"}" "${option#-?}" "$@" && left=$((left + 2)) ;;
        -[fnqh]*) set -- "${option%"${option#-?}"}" "-${option#-?}" "$@" && left=$((left + 2)) ;;
        -?*) usage_error "there is no option '${option%%=*}'; names that begin with '-' follow a '--'" ;;
        *) set -- "$@" "$option" ;;
    esac
done

command -v curl >/dev/null || usage_error "curl is needed and is not in PATH"
[ $# -gt 0 ] || usage_error "no name is given"
check_url
check_token
for name do
    check_name "$name"
done
if [ "$dry_run" = yes ]; then
    for name do
        say "$name ... would be deleted from $url"
    done
    exit 0
fi

children='' work=''
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
work=$(mktemp -d "${TMPDIR:-/tmp}/delete.XXXXXX" 2>/dev/null) || usage_error "'${TMPDIR:-/tmp}' cannot be written"
answer=$work
index=0 deleted=0 absent=0 failed=0 code=0
for name do
    index=$((index + 1))
    label="[$index/$#] $name"
    request --request DELETE --url "$url/assets/$(percent_encode "$name")" \
        --silent --show-error --stderr "$answer/error"
    report_answer
    case $code$status in
        3* | 1401) break ;; # the others would fail alike
    esac
done

[ $# -eq 1 ] || say "$# packages: $deleted deleted, $absent not there, $failed failed"
[ "$index" -eq $# ] || complain "$(($# - index)) of $# packages were not tried"
[ "$code" -eq 0 ] || exit "$code"
