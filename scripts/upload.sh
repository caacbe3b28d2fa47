#!/bin/sh
# Usage: upload.sh [options] FILE...
#        delete.sh [options] NAME...
#
# upload.sh publishes each FILE on a release server, under its base name.
# delete.sh deletes each package NAME; '*' and '?' in a NAME match any
# characters and one character. Both are one file, which acts by the name that
# it is called by and needs only a POSIX shell and curl: copy it alone, as
# upload.sh, as delete.sh, or twice.
#
#   -u, --url URL      the server: http://HOST[:PORT][/PATH], or https
#                      (default: $RELEASE_SERVER_URL, else http://127.0.0.1:8000)
#   -t, --token TOKEN  the server's token (default: $RELEASE_SERVER_TOKEN);
#                      prefer the variable: every user of this machine can
#                      read this script's command line
#   -o, --oidc         publish with the identity token of the pipeline in place of
#                      a secret. GitHub Actions: 'permissions: id-token: write';
#                      GitLab: 'id_tokens' with RELEASE_SERVER_ID_TOKEN. Its
#                      audience is the URL (or $RELEASE_SERVER_AUDIENCE)
#   -f, --force        upload: replace packages that exist
#                      delete: a package that is not there is not a failure
#   -c, --catalog      upload: refuse packages that spec-kit's catalogs would
#                      leave out, and files that are not such packages
#   -j, --parallel N   work on N files or names at a time, 1 to 99 (default: 1)
#   -y, --yes          delete: do not ask before deleting by '*' or '?'
#   -n, --dry-run      check options and arguments, change nothing
#   -q, --quiet        print warnings and errors only
#   -h, --help         print this text
#   --                 the arguments that follow are files or names, even if they
#                      begin with '-'
#
# To replace a package only while it is the version that you know, use curl with
# -H 'If-Match: "SHA256"'; with 'If-None-Match: *', only if there is none.
#
# A file that is on the server already, with the same content, is not a failure.
# Checksum files (*.sha256, SHA256SUMS) are not sent, because the server makes its
# own; the files are compared with them before anything is sent.
# A temporary failure, such as a lost connection or a 503, is retried 3 times.
# curl's variables apply (https_proxy, CURL_CA_BUNDLE, ...), ~/.curlrc does not.
#
# Exit codes:
#   0  every file is published, now or before; every package is deleted
#   1  at least one file or name was refused or failed, or the server removed a
#      file of this run to stay within its limit; a wrong token ends the run at
#      once
#   2  wrong usage, a file that cannot be read, or a checksum that differs;
#      nothing was changed
#   3  the server, or with --oidc the pipeline's endpoint, cannot be reached or
#      stays unavailable; this ends the run too
#   129, 130, 143  ended by a signal: HUP, INT, TERM

set -eu

# Names are bytes: for their percent-encoding, and for tr and sed.
export LC_ALL=C

RETRIES_MAX=3
RETRY_SECONDS_MAX=60
BAR_BYTES_MIN=4000000 # on a terminal, curl's progress bar is shown from this size on

# Prints the comment above.
help() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

say() { [ "$quiet" = yes ] || printf '%s\n' "$1"; }

complain() { printf '%s: %s\n' "${0##*/}" "$1" >&2; }

usage_error() {
    complain "$(printf '%s' "$1" | tr -d '[:cntrl:]') (see --help)"
    exit 2
}

check_url() {
    host='([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])'
    port='[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]'
    path='/[^?#[:space:][:cntrl:]]*'
    printf '%s' "$url" | tr '\n' ' ' | grep -Eqx "https?://$host(:($port))?($path)?" ||
        usage_error "the URL '$url' is not valid; --url takes http://HOST[:PORT][/PATH], or https"
    url=${url%"${url##*[!/]}"}
}

check_token() {
    if [ "$oidc" = yes ]; then
        [ -z "${ACTIONS_ID_TOKEN_REQUEST_URL-}" ] || return 0
        token=${RELEASE_SERVER_ID_TOKEN-}
        [ -n "$token" ] ||
            usage_error "there is no identity token; --oidc needs 'permissions: id-token: write' \
with GitHub Actions, and 'id_tokens' with RELEASE_SERVER_ID_TOKEN with GitLab"
    fi
    case $token in
        '') usage_error "there is no token; set RELEASE_SERVER_TOKEN or give --token" ;;
        *[[:cntrl:]]*)
            usage_error "the token holds a control character; a token is one line of text" ;;
    esac
}

percent_encode() {
    case $1 in
        *[!A-Za-z0-9._~-]*)
            printf '%s' "$1" | od -An -v -tx1 | sed 's/[0-9a-f][0-9a-f]/%&/g' | tr -d ' \n' ;;
        *) printf '%s' "$1" ;;
    esac
}

# Prints the JSON answer as one line.
json() {
    tr -d '[:cntrl:]' <"$answer/body"
    echo
}

# Prints the string under a key of the JSON answer, or nothing. A quote inside a JSON string follows
# a backslash, so text inside a string is never taken for a key.
json_string() {
    json | sed -n 's/.*"'"$1"'"[[:space:]]*:[[:space:]]*"\([^"\\]*\(\\.[^"\\]*\)*\)".*/\1/p' |
        sed 's|\\\(["\\/]\)|\1|g'
}

# Whether the last request was a TLS handshake with a port that speaks plain HTTP.
is_plain_http() {
    [ "$curl_code" -eq 35 ] &&
        grep -Eq 'wrong version number|packet length too long|unexpected TLS packet' "$answer/error"
}

# Prints the cause of a failure: the server's sentence, else curl's.
reason() {
    detail=$(json_string detail)
    curl_detail=$(sed -n 's/^curl: ([0-9]*) //p' "$answer/error" | tr -d '[:cntrl:]')
    curl_detail=${curl_detail:-curl ended with code $curl_code}
    if [ "$asked" = pipeline ]; then
        [ "$status" = 000 ] || curl_detail="it answers $status"
        printf "%s (the pipeline's endpoint, ACTIONS_ID_TOKEN_REQUEST_URL)" "$curl_detail"
    elif [ "$status" = 000 ]; then
        printf '%s (--url is %s)' "$curl_detail" "$url"
        ! is_plain_http || printf '; the server does not use TLS there: try http://'
    elif [ -n "$detail" ]; then
        printf '%s' "$detail"
        case $status$url in
            404*/latest | 404*/packages | 404*/assets | 404*/upload)
                printf ' (--url takes the base of the server: try %s)' "${url%/*}" ;;
        esac
    elif [ -n "$redirect" ]; then
        printf 'the server answers %s and points to %s; name that server with --url' \
            "$status" "$redirect" | tr -d '[:cntrl:]'
    else
        printf 'the server answers %s and gives no reason; is it a release server?' "$status"
    fi
}

# Ends background processes, which ignore the terminal's interrupt.
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

# Waits for the last background command. Long commands run in the background because a shell runs
# traps at once only during `wait`.
await() {
    children=$!
    wait_code=0
    wait "$children" || wait_code=$?
    children=
}

# Sends one request. Sets `status` (000 without an answer) and `curl_code`. The token reaches curl
# on its standard input, as a line of its configuration: every user can read command lines.
send() {
    # Removes the answer to an earlier attempt.
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
    # A complete refusal can arrive while curl still sends. Any other answer may be truncated.
    [ "$curl_code" -eq 0 ] || [ "$status" -ge 400 ] || status=000
}

# Sends one request and retries it after a temporary failure. Retrying is safe: if the answer to an
# attempt was lost, the next answer shows it, by a 409 with the file's checksum or by a 404. Fails,
# with a report, only where a pipeline makes no identity token for another attempt.
request() {
    tries=0
    while send "$@"; [ "$tries" -lt "$RETRIES_MAX" ]; do
        case $status$curl_code in
            429* | 502* | 503* | 504*) ;;
            00035) ! is_plain_http || return 0 ;;
            # curl's codes: name, connection, timeout, connection lost midway.
            0005 | 0006 | 0007 | 00028 | 00016 | 00018 | 00052 | 00055 | 00056 | 00092) ;;
            *) return 0 ;;
        esac
        seconds=$(tr -d '\r' <"$answer/head" |
            sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9]\{1,4\}\) *$/\1/p' | tail -n 1)
        seconds=${seconds:-$((1 << tries))}
        [ "$seconds" -le "$RETRY_SECONDS_MAX" ] || seconds=$RETRY_SECONDS_MAX
        [ "$quiet" = yes ] || complain "$label ... $(reason); retrying in $seconds s"
        sleep "$seconds" &
        await
        tries=$((tries + 1))
        [ "$asked" = pipeline ] || identify || return 1
    done
}

# Prints the SHA-256 of a file, or nothing if no tool for it is installed.
sha256_of() {
    for tool in sha256sum 'shasum -a 256' 'openssl dgst -sha256 -r'; do
        command -v "${tool%% *}" >/dev/null || continue
        { digest=$($tool <"$1"); } 2>/dev/null || digest=
        printf '%s' "${digest%% *}"
        return 0
    done
}

size_of() { { wc -c <"$1"; } 2>/dev/null || printf 0; }

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
    [ -f "$1" ] || usage_error "'$1' is not a regular file"
    [ -r "$1" ] || usage_error "'$1' cannot be read; look at its permissions"
    case ${1##*/} in
        *[[:cntrl:]]*) usage_error "the name of '$1' holds a control character" ;;
    esac
    # A base name holds no '/', so names can be looked up exactly between two of them.
    case $names in
        */"${1##*/}"/*)
            usage_error "two files have the name '${1##*/}'; the server keeps only one" ;;
    esac
    names=$names${1##*/}/
}

is_checksum_file() {
    case ${1##*/} in
        SHA256SUMS | ?*.sha256) return 0 ;;
        *) return 1 ;;
    esac
}

# Compares files with the checksums in the file $1. The other arguments are the files.
check_sums() {
    sums=$1
    shift
    while read -r digest name || [ -n "$digest" ]; do
        case $digest in *[!0-9A-Fa-f]*) continue ;; esac
        digest=$(printf '%s' "$digest" | tr A-F a-f)
        case ${sums##*/} in
            *.sha256) name=${sums##*/} name=${name%.sha256} ;;
            *) name=${name#\*} name=${name##*/} ;;
        esac
        for file do
            [ "${file##*/}/${#digest}" = "$name/64" ] || continue
            actual=$(sha256_of "$file")
            [ "${actual:-$digest}" = "$digest" ] ||
                usage_error "the checksum of '$file' differs from the one in '$sums'"
        done
    done <"$sums"
}

check_name() {
    case $1 in
        '') usage_error "a name is empty; give the name of a package" ;;
        */*) usage_error "'$1' is a path; the name of a package has no '/'" ;;
        *[[:cntrl:]]*)
            usage_error "the name '$1' holds a control character; no package's name does" ;;
    esac
}

# Prints the line of a file or name in one write, so that parallel lines do not mix, and keeps its
# outcome for the summary.
report() {
    printf '%s\n' "$1" >"$answer/outcome"
    [ "$progress" = no ] || printf '\r\033[K' >&2
    case $1 in
        failed | unreachable) complain "$label ... $2" ;;
        *) say "$label ... $2" ;;
    esac
}

# Writes the packages that the server removed to stay within its limit to a file, one per line, and
# prints them as a suffix of the outcome.
removed() {
    string='"[^"\\]*\(\\.[^"\\]*\)*"'
    json |
        sed -n 's/.*"removed"[[:space:]]*:[[:space:]]*\[\(\('"$string"'[, ]*\)\{1,\}\)\].*/\1/p' |
        sed 's/^"//; s/" *$//; s/", *"/\
/g' |
        sed 's|\\\(["\\/]\)|\1|g' >"$answer/removed"
    list=
    while IFS= read -r name; do
        list=${list:+$list, }$name
    done <"$answer/removed"
    [ -z "$list" ] || printf '; the server removed to make room: %s' "$list"
}

# Prints whether spec-kit's catalogs list the file, as a suffix of the outcome; nothing for a file
# that is not a package of spec-kit.
in_catalogs() {
    case $(json) in
        *'"listed":true,'*) printf '; in the catalogs' ;;
        *'"listed":false,'*) printf '; not in the catalogs: %s' "$(json_string message)" ;;
    esac
}

report_upload() {
    case $status$curl_code in
        20[01]*)
            outcome=published
            [ "$status" = 201 ] || outcome=replaced
            if grep -q '"sha256"' "$answer/body"; then
                report "$outcome" "$outcome ($(human_size "$size"))$(in_catalogs)$(removed)"
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
        *) report_failure ;;
    esac
}

report_delete() {
    case $status in
        204) report deleted deleted ;;
        404)
            absent=
            [ "$force" = no ] || absent='not there'
            [ "$tries" -eq 0 ] || absent='not there; an earlier attempt may have deleted it'
            # A 404 without a sentence comes from another program and says nothing of the package.
            if [ -n "$absent" ] && [ -n "$(json_string detail)" ]; then
                report absent "$absent"
            else
                report_failure
            fi
            ;;
        *) report_failure ;;
    esac
}

report_failure() {
    case $status in
        000 | 429 | 502 | 503 | 504) report unreachable "unavailable: $(reason)" ;;
        *) report failed "refused: $(reason)" ;;
    esac
}

# Sets `token` to an identity token where the pipeline makes one on request: it lasts for minutes
# only, so each attempt gets its own.
identify() {
    [ "$oidc${ACTIONS_ID_TOKEN_REQUEST_URL:+-}" = yes- ] || return 0
    token=${ACTIONS_ID_TOKEN_REQUEST_TOKEN-}
    audience=$(percent_encode "${RELEASE_SERVER_AUDIENCE:-$url}")
    attempts=$tries asked=pipeline
    request --url "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=$audience" \
        --silent --show-error --stderr "$answer/error"
    token=$(json_string value)
    [ "$status" = 200 ] && [ -n "$token" ] && tries=$attempts asked=server && return 0
    case $status in
        000 | 429 | 502 | 503 | 504) report unreachable "no identity token: $(reason)" ;;
        *) report failed "no identity token: $(reason)" ;;
    esac
    asked=server
    return 1
}

# Sends a file with PUT: a percent-encoded path carries every name exactly, while curl's form syntax
# gives ';', ',' and quotes meanings of their own. PUT is also refused before a large body is sent.
upload() {
    identify || return 0
    size=$(size_of "$1")
    sha256=$(sha256_of "$1")
    target=$url/assets/$(percent_encode "${1##*/}")${query:+?$query}
    case $1 in
        /*) set -- --upload-file "$1" --url "$target" ;;
        *) set -- --upload-file "./$1" --url "$target" ;; # for curl, '-' and '.' are not files
    esac
    [ -z "$sha256" ] || set -- "$@" --header "X-Checksum-Sha256: $sha256"
    if [ -t 2 ] && [ "$parallel$quiet" = 1no ] && [ "$size" -ge "$BAR_BYTES_MIN" ]; then
        printf '%s (%s)\n' "$label" "$(human_size "$size")" >&2
        request "$@" --progress-bar || return 0
    else
        request "$@" --silent --show-error --stderr "$answer/error" || return 0
    fi
    report_upload
}

delete() {
    identify || return 0
    request --request DELETE --url "$url/assets/$(percent_encode "$1")" \
        --silent --show-error --stderr "$answer/error" || return 0
    report_delete
}

# Works on the arguments that no other worker takes; a worker takes one by creating its directory.
work_through() {
    children=
    trap 'stop_children; exit 143' TERM
    index=0
    for argument do
        index=$((index + 1))
        answer=$work/$index
        label="[$index/$#] ${argument##*/}"
        [ ! -e "$work/stop" ] || return 0
        mkdir "$answer" 2>/dev/null || continue
        "$action" "$argument"
        case $action$status$(cat "$answer/outcome") in
            *401* | upload404* | *unreachable) : >"$work/stop" ;; # all others would fail alike
        esac
    done
}

count() { cat "$work"/*/outcome 2>/dev/null | grep -cx "$1" || :; }

# Sets `summary`, and the counts that decide on the exit code.
summarize() {
    unreachable=$(count unreachable) untried=$(($# - $(count '.*')))
    failed=$(($(count failed) + unreachable))
    if [ "$action" = delete ]; then
        summary="$# packages: $(count deleted) deleted, $(count absent) not there, $failed failed"
    else
        summary="$# files: $(count published) published"
        [ "$(count replaced)" -eq 0 ] || summary="$summary, $(count replaced) replaced"
        summary="$summary, $(count already) already published, $failed failed"
    fi
}

# Ends the run after a signal with the exit code $1. The other arguments are the files or names.
interrupted() {
    trap '' HUP INT TERM
    stop_children
    code=$1
    shift
    summarize "$@"
    complain "interrupted: $summary; $untried were not finished"
    exit "$code"
}

# Prints the total progress every second until it is killed. The arguments are the files.
show_progress() {
    total=0
    for file do
        total=$((total + $(size_of "$file")))
    done
    while :; do
        sent=0 index=0
        for file do
            index=$((index + 1))
            [ ! -e "$work/$index/outcome" ] || sent=$((sent + $(size_of "$file")))
        done
        printf '\r%s of %s files, %s of %s\033[K' \
            "$(count '.*')" $# "$(human_size "$sent")" "$(human_size "$total")" >&2
        sleep 1
    done
}

# Counts the packages that the server removed during the run, and as `lost` those of its own files.
check_removed() {
    lost=0
    cat "$work"/*/removed >"$work/removed" 2>/dev/null || :
    removed=$(($(wc -l <"$work/removed")))
    [ "$removed" -gt 0 ] || return 0
    answer=$work
    for file do
        label=${file##*/}
        grep -Fqx -e "$label" "$work/removed" || continue
        request --head --url "$url/assets/$(percent_encode "$label")" \
            --silent --show-error --stderr "$answer/error"
        [ "$status" != 404 ] || lost=$((lost + 1))
    done
    own=
    [ "$lost" -eq 0 ] || own=", $lost of them files of this run: its max_packages is too low"
    complain "the server removed $removed packages to make room$own"
}

# Writes the names of all packages to a file, one per line.
list_packages() {
    answer=$work label='the list of packages'
    request --url "$url/packages?format=json" --silent --show-error --stderr "$answer/error"
    if [ "$status" != 200 ]; then
        complain "$label ... $(reason)"
        [ "$status" != 000 ] || exit 3
        exit 1
    fi
    # A quote inside a JSON string follows a backslash, so the split is only at keys.
    json | sed 's/"name"[[:space:]]*:[[:space:]]*"/\
=/g' | sed -n 's/^=\([^"\\]*\(\\.[^"\\]*\)*\)".*/\1/p' | sed 's|\\\(["\\/]\)|\1|g' >"$work/packages"
}

is_pattern() {
    case $1 in
        *[*?]*) return 0 ;;
        *) return 1 ;;
    esac
}

# Asks whether the packages that match patterns shall be deleted.
confirm() {
    for name do
        say "$name"
    done
    [ "$yes" = no ] || return 0
    [ -t 0 ] || usage_error "deleting by '*' or '?' without a terminal needs --yes"
    printf 'Delete these %s packages from %s? [y/N] ' $# "$url" >&2
    read -r reply || reply=
    case $reply in
        [yY]*) ;;
        *) complain "nothing was deleted" && exit 1 ;;
    esac
}

case ${0##*/} in
    delete*) action=delete noun=name done_to='deleted from' ;;
    *) action=upload noun=file done_to='sent to' ;;
esac
url=${RELEASE_SERVER_URL:-http://127.0.0.1:8000}
token=${RELEASE_SERVER_TOKEN-}
tries=0 asked=server
query='' hint=' (with --force)' oidc=no force=no yes=no dry_run=no quiet=no parallel=1 progress=no

# Options may stand anywhere. `left` arguments are unread; files and names move to the end.
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
        -o | --oidc) oidc=yes ;;
        -f | --force) query="$query${query:+&}overwrite=true" hint='' force=yes ;;
        -c | --catalog) query="$query${query:+&}catalog=required" ;;
        -y | --yes) yes=yes ;;
        -n | --dry-run) dry_run=yes ;;
        -q | --quiet) quiet=yes ;;
        -h | --help) help && exit 0 ;;
        --) break ;; # all that is left are files or names
        --url=* | --token=* | --parallel=*)
            set -- "${option%%=*}" "${option#*=}" "$@" && left=$((left + 2)) ;;
        -[utj]*) set -- "${option%"${option#-?}"}" "${option#-?}" "$@" && left=$((left + 2)) ;;
        -[cofynqh]*) set -- "${option%"${option#-?}"}" "-${option#-?}" "$@" && left=$((left + 2)) ;;
        -?*)
            option=${option%%=*}
            usage_error "there is no option '$option'; put '--' before a $noun that begins with '-'"
            ;;
        *) set -- "$@" "$option" ;;
    esac
done

command -v curl >/dev/null || usage_error "curl is needed and is not in PATH"
[ $# -gt 0 ] || usage_error "no $noun is given"
case $parallel in
    '' | 0* | *[!0-9]* | ???*)
        usage_error "--parallel takes a number from 1 to 99, not '$parallel'" ;;
esac
check_url
check_token
names=/
for argument do
    "check_$noun" "$argument"
done

children='' work=''
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
work=$(mktemp -d "${TMPDIR:-/tmp}/$action.XXXXXX" 2>/dev/null) ||
    usage_error "'${TMPDIR:-/tmp}' cannot be written"

# Replaces the arguments: checksum files are left out, patterns become the names that they match.
names=/ matched=no left=$#
while [ "$left" -gt 0 ]; do
    argument=$1
    shift
    left=$((left - 1))
    if [ "$action" = upload ] && is_checksum_file "$argument"; then
        check_sums "$argument" "$@"
        say "${argument##*/} ... not sent: the server makes its own checksums"
    elif [ "$action" = delete ] && is_pattern "$argument"; then
        [ "$matched" = yes ] || list_packages
        matched=yes found=no
        glob=$(printf '%s' "$argument" | sed 's/[[\\]/\\&/g')
        while IFS= read -r name; do
            # shellcheck disable=SC2254 # a pattern, with its brackets and backslashes escaped
            case $name in $glob) found=yes ;; *) continue ;; esac
            case $names in */"$name"/*) continue ;; esac
            names=$names$name/
            set -- "$@" "$name"
        done <"$work/packages"
        [ "$found$force" != nono ] || complain "no package matches '$argument'"
        [ "$found$force" != nono ] || exit 1
    else
        set -- "$@" "$argument"
    fi
done
if [ $# -eq 0 ]; then
    [ "$action" = delete ] || usage_error "only checksum files are given"
    exit 0
fi
if [ "$dry_run" = yes ]; then
    for argument do
        say "${argument##*/} ... would be $done_to $url"
    done
    exit 0
fi
[ "$matched" = no ] || confirm "$@"

trap 'interrupted 129 "$@"' HUP
trap 'interrupted 130 "$@"' INT
trap 'interrupted 143 "$@"' TERM
[ ! -t 2 ] || [ "$quiet" = yes ] || [ "$action" = delete ] || [ "$parallel" -eq 1 ] || progress=yes
worker=0 workers=
while [ "$worker" -lt "$parallel" ] && [ "$worker" -lt $# ]; do
    worker=$((worker + 1))
    work_through "$@" &
    workers="$workers $!"
    children=$workers
done
if [ "$progress" = yes ]; then
    show_progress "$@" &
    children="$workers $!"
fi
for worker in $workers; do
    wait "$worker" || :
done
[ "$progress" = no ] || kill "${children##* }"
[ "$progress" = no ] || printf '\r\033[K' >&2
children=

summarize "$@"
[ $# -eq 1 ] || say "$summary"
check_removed "$@"
[ "$untried" -eq 0 ] || complain "$untried of $# ${noun}s were not sent"
[ "$unreachable" -eq 0 ] || exit 3
[ "$((failed + untried + lost))" -eq 0 ] || exit 1
