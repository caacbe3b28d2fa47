#!/bin/sh
# Publishes with identity tokens of Dex, a real issuer of OpenID Connect: upload.sh sends a token
# that Dex issued, and goes on after Dex has changed its keys.
#
#   scripts/issuer-test.sh SERVER_BINARY DEX_BINARY
#
# DEX_BINARY is the command `dex` 2.36 or later (github.com/dexidp/dex, cmd/dex). Everything runs on
# 127.0.0.1 and takes some 3 minutes, because the server asks an issuer for new keys at most once
# a minute. Needs curl, jq and Python 3. Exit code 0 if every token was treated as it should be.
set -eu

[ $# = 2 ] || { echo "issuer-test.sh: it takes SERVER_BINARY and DEX_BINARY" >&2; exit 2; }
server=$(realpath "$1") dex=$(realpath "$2")
cd "$(dirname "$0")/.."
work=$(mktemp -d)
pids=
# shellcheck disable=SC2086 # a list of process IDs
trap 'kill $pids 2>/dev/null || :; wait; rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM

free_ports() {
    python3 -c 'import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(each.getsockname()[1] for each in sockets))'
}
ports=$(free_ports)
issuer=http://127.0.0.1:${ports% *}/dex url=http://127.0.0.1:${ports#* }

# Dex changes its keys every 70 s: just over the pause between two requests for keys. The hash is
# that of the word "password".
cat >"$work/dex.yaml" <<EOF
issuer: $issuer
storage: {type: memory}
web: {http: "127.0.0.1:${ports% *}"}
oauth2: {passwordConnector: local, grantTypes: [password]}
expiry: {signingKeys: 70s, idTokens: 10m}
enablePasswordDB: true
staticClients:
- {id: release-server, name: pipelines, secret: of-the-client, redirectURIs: ["$url"]}
- {id: elsewhere, name: others, secret: of-the-client, redirectURIs: ["$url"]}
staticPasswords:
- email: pipeline@example.org
  username: pipeline
  userID: 08a8684b-db88-4b73-90a9-3cd1661f5466
  hash: "\$2a\$10\$2b2cU8CPhOTaGrs1HRQuAueS7JTT5ZHsHSzYiFPm1leZck7Mc8T4W"
EOF
cat >"$work/tokens.yaml" <<EOF
tokens:
- name: pipeline
  issuer: $issuer
  audience: release-server
  claims: {email: pipeline@example.org, email_verified: true}
  may: [publish]
  names: ["dex-*"]
EOF
mkdir "$work/packages"
python3 - "$work" <<'EOF'
import sys, zipfile
for name in ("dex-1", "dex-2", "dex-3", "other"):
    with zipfile.ZipFile(f"{sys.argv[1]}/{name}.zip", "w") as archive:
        archive.writestr("name.txt", name)
EOF

"$dex" serve "$work/dex.yaml" >"$work/dex.log" 2>&1 &
pids=$!
AUTH_TOKEN='' TOKENS_FILE=$work/tokens.yaml STORAGE_PATH=$work/packages HOST=127.0.0.1 \
    PORT=${ports#* } "$server" >"$work/server.log" 2>&1 &
pids="$pids $!"
ready() { curl --silent --output /dev/null --fail --retry 100 --retry-connrefused \
    --retry-delay 1 --retry-max-time 60 "$1"; }
ready "$issuer/.well-known/openid-configuration" || { cat "$work/dex.log"; exit 1; }
ready "$url/readyz" || { cat "$work/server.log"; exit 1; }

# The identity token that Dex issues to a client.
token_of() {
    curl --silent --show-error --fail --user "$1:of-the-client" \
        --data grant_type=password --data 'scope=openid email profile' \
        --data username=pipeline@example.org --data password=password \
        "$issuer/token" | jq --raw-output .id_token
}
key_of() {
    echo "$1" | cut -d. -f1 | tr '_-' '/+' | base64 -d 2>/dev/null | grep -o '"kid":"[^"]*"'
}

failures=0
# Publishes a package with a token and compares the exit code.
expect() {
    code=0
    RELEASE_SERVER_ID_TOKEN=$2 scripts/upload.sh --oidc --quiet --url "$url" "$work/$3.zip" \
        >"$work/answer" 2>&1 || code=$?
    if [ "$code" = "$1" ]; then
        echo "ok: $4"
    else
        echo "NO: $4: exit code $code in place of $1: $(cat "$work/answer")"
        failures=$((failures + 1))
    fi
}

first=$(token_of release-server)
expect 0 "$first" dex-1 "a token of Dex publishes"
expect 1 "$first" other "a name outside of the entry's patterns is refused"
expect 1 "$(token_of elsewhere)" dex-2 "a token for another audience is refused"
expect 1 "${first%?????}AAAAA" dex-2 "a token with another signature is refused"
echo "waiting until Dex has changed its keys"
until second=$(token_of release-server) && [ "$(key_of "$second")" != "$(key_of "$first")" ]; do
    sleep 2
done
expect 0 "$second" dex-2 "a token with a new key publishes"
expect 0 "$first" dex-3 "a token with the key before, which Dex still shows, publishes"
exit $((failures > 0))
