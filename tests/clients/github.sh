#!/bin/sh
# GitHub's own clients against the real server: each lists the releases, gets the latest and one by
# its tag, downloads and compares by SHA-256, uploads and deletes, as far as the client can.
#
#     github.sh SERVER_BINARY [CLIENT...]
#
# Clients: pygithub githubkit octokit go-github octocrab self_update ubi mise gh; without a name,
# all that are installed. What they need: PYTHON with PyGithub and githubkit; NODE_PACKAGES, a
# directory whose node_modules has @octokit/rest; go; cargo (octocrab and self_update are built,
# which takes minutes; CLIENTS_TARGET_DIR keeps what was built); ubi, mise and gh in PATH; openssl
# for gh, which speaks TLS alone. With RELEASE_SERVER_REQUIRE_ALL set, one that is missing is a
# failure.
set -eu

if [ ! -x "${1-}" ]; then
    sed -n '5,11s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
BINARY=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
shift
HERE=$(cd "$(dirname "$0")" && pwd)
PYTHON=${PYTHON:-python3} NODE_PACKAGES=${NODE_PACKAGES:-/nonexistent}
[ $# -gt 0 ] || set -- pygithub githubkit octokit go-github octocrab self_update ubi mise gh
WORK=$(mktemp -d)
CLIENTS_TARGET_DIR=${CLIENTS_TARGET_DIR:-$WORK/target}
TOKEN=a-test-token-of-$$
TARGET=x86_64-unknown-linux-gnu
NAME=tool-v1.2.0-$TARGET.tar.gz
PIDS='' FAILED=no
export WORK TOKEN NODE_PACKAGES

clean_up() {
    # A process that has just been forked may still be the shell, which would take a TERM for its
    # own.
    for pid in $PIDS; do kill -KILL "$pid" 2>/dev/null || true; done
    wait
    chmod -R u+w "$WORK"
    rm -rf "$WORK"
}
trap clean_up EXIT
trap 'exit 130' HUP INT PIPE TERM

# start NAME PUBLIC_URL: a server over the one directory; sets BASE.
start() {
    : >"$WORK/$1.log"
    env -i AUTH_TOKEN="$TOKEN" STORAGE_PATH="$WORK/data" HOST=127.0.0.1 PORT=0 \
        CONFIG_PATH=/dev/null \
        MAX_PACKAGES=0 PUBLIC_URL="$2" "$BINARY" >"$WORK/$1.log" &
    PIDS="$PIDS $!"
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        address=$(sed -n '/"message":"listening"/s/.*"address":"\([^"]*\)".*/\1/p' "$WORK/$1.log")
        [ -z "$address" ] || break
        sleep 0.5
    done
    [ -n "$address" ] || { echo "github.sh: the server does not listen" >&2; exit 1; }
    BASE=http://$address
}

# A program that prints its version, in an archive, as installers expect it; its name holds the
# version.
package() {
    mkdir -p "$WORK/$1"
    printf '#!/bin/sh\necho tool %s\n' "$1" >"$WORK/$1/tool"
    chmod +x "$WORK/$1/tool"
    tar -czf "$WORK/tool-v$1-$TARGET.tar.gz" -C "$WORK/$1" tool
    curl -fsS -o /dev/null -H "Authorization: Bearer $TOKEN" \
        -T "$WORK/tool-v$1-$TARGET.tar.gz" "$BASE/assets/"
}

equal() {
    [ "$2" = "$3" ] || { echo "$1 is '$2', not '$3'" >&2; return 1; }
}

# They install the latest, then another by its tag.
installed() {
    equal "what was installed" "$("$1/tool")" "tool $2"
}

ubi_client() {
    unset GITHUB_TOKEN
    ubi --api-base-url "$BASE" --project any/tool --in "$WORK/ubi" && installed "$WORK/ubi" 1.2.0 &&
        ubi --api-base-url "$BASE" --project any/tool --tag v1.1.0 --in "$WORK/ubi" &&
        installed "$WORK/ubi" 1.1.0
}

mise_client() {
    # All of its files are in the work directory; it contacts no other host.
    export MISE_DATA_DIR="$WORK/mise" MISE_CACHE_DIR="$WORK/mise-cache" \
        MISE_STATE_DIR="$WORK/mise-state" \
        MISE_CONFIG_DIR="$WORK/mise-config" MISE_YES=1 MISE_MINIMUM_RELEASE_AGE=0s HOME="$WORK"
    tool="github:any/tool[api_url=$BASE/api/v3]"
    (
        cd "$WORK"
        equal "latest" "$(mise latest "$tool")" 1.2.0 &&
            mise install "$tool@1.1.0" &&
            equal "by tag" "$(mise exec "$tool@1.1.0" -- tool)" "tool 1.1.0" &&
            mise install "$tool@latest" &&
            equal "latest" "$(mise exec "$tool@latest" -- tool)" "tool 1.2.0"
    )
}

# gh accepts only https://HOST/api/v3, so a proxy with a test certificate runs in front. By tag gh
# also uses GraphQL, which is not implemented here; `gh api` covers the rest.
gh_client() {
    mkdir -p "$WORK/tls"
    openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost \
        -keyout "$WORK/tls/key.pem" -out "$WORK/tls/cert.pem" 2>/dev/null
    port=$("$PYTHON" -c \
        'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    start gh "https://localhost:$port"
    "$PYTHON" "$HERE/github/tls_proxy.py" "$port" "${BASE##*:}" "$WORK/tls" &
    PIDS="$PIDS $!"
    export SSL_CERT_FILE="$WORK/tls/cert.pem" GH_HOST="localhost:$port" \
        GH_ENTERPRISE_TOKEN="$TOKEN" \
        GH_CONFIG_DIR="$WORK/gh" GH_REPO=any/tool NO_PROXY='*' GH_NO_UPDATE_NOTIFIER=1 HOME="$WORK"
    wait_for "$port"
    mkdir -p "$WORK/gh-latest"
    gh api repos/any/tool/releases --paginate --jq '.[].tag_name' >"$WORK/gh-list"
    equal "the list" "$(tr '\n' ' ' <"$WORK/gh-list")" "v2.0.0-rc.1 v1.2.0 v1.1.0 unversioned " &&
        gh release download --pattern '*.tar.gz' --dir "$WORK/gh-latest" &&
        cmp "$WORK/gh-latest/$NAME" "$WORK/$NAME" &&
        equal "by tag" "$(gh api repos/any/tool/releases/tags/v1.1.0 --jq .tag_name)" v1.1.0 &&
        upload=$(gh api repos/any/tool/releases/latest --jq .upload_url) &&
        uploaded=$(gh api --method POST --input "$WORK/$NAME" "${upload%%\{*}?name=new-v1.2.0.bin" \
        --jq .url) &&
        gh api -H 'Accept: application/octet-stream' "$uploaded" >"$WORK/gh-new" &&
        cmp "$WORK/gh-new" "$WORK/$NAME" &&
        gh api --method DELETE "$uploaded"
}

# The proxy prints nothing when it listens.
wait_for() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        ! curl -ksS -o /dev/null "https://localhost:$1/healthz" 2>/dev/null || return 0
        sleep 0.5
    done
    echo "the proxy does not listen" >&2
    return 1
}

lacking() {
    case $1 in
    pygithub) "$PYTHON" -c 'import github' 2>/dev/null || echo PyGithub ;;
    githubkit) "$PYTHON" -c 'import githubkit' 2>/dev/null || echo githubkit ;;
    octokit) [ -d "$NODE_PACKAGES/node_modules/@octokit/rest" ] || echo @octokit/rest ;;
    go-github) command -v go >/dev/null || echo go ;;
    octocrab | self_update) command -v cargo >/dev/null || echo cargo ;;
    gh) { command -v gh && command -v openssl; } >/dev/null || echo "gh or openssl" ;;
    *) command -v "$1" >/dev/null || echo "$1" ;;
    esac
}

run() {
    case $1 in
    pygithub | githubkit) "$PYTHON" "$HERE/github/clients.py" "$1" ;;
    octokit) node "$HERE/github/octokit.mjs" ;;
    go-github) cd "$HERE/github/go" && go run . ;;
    octocrab | self_update)
        cd "$HERE/github/rust" &&
            CARGO_TARGET_DIR="$CLIENTS_TARGET_DIR" cargo run --quiet --locked -- "$1"
        ;;
    ubi) ubi_client ;;
    mise) mise_client ;;
    gh) gh_client ;;
    *) echo "no client is called '$1'" >&2; return 1 ;;
    esac
}

start server ''
export BASE
for version in 1.1.0 1.2.0 2.0.0-rc.1; do package "$version"; done
echo "about the tool" |
    curl -fsS -o /dev/null -H "Authorization: Bearer $TOKEN" -T - "$BASE/assets/README.md"
for client in "$@"; do
    tool=$(lacking "$client")
    if [ -n "$tool" ]; then
        echo "$client: skipped: no $tool"
        [ -z "${RELEASE_SERVER_REQUIRE_ALL-}" ] || FAILED=yes
    elif (run "$client") >"$WORK/output" 2>&1; then
        echo "$client: ok"
    else
        FAILED=yes
        echo "$client: FAILED"
        cat "$WORK/output" >&2
    fi
done
[ "$FAILED" = no ]
