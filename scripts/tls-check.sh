#!/bin/sh
# Attacks the server's TLS with sslyze, testssl.sh and tlsfuzzer. It fails for a finding that is not
# accepted here or in tls_fuzzer.py, each with its reason.
#
#   scripts/tls-check.sh BINARY [TLSFUZZER]
#
# TLSFUZZER is a checkout of https://github.com/tlsfuzzer/tlsfuzzer, which no registry has; without
# it that part is left out. Needs openssl, python3 and testssl (Debian: testssl.sh); sslyze and
# tlslite-ng are installed from PyPI on the first run. Takes some four minutes.
set -eu

[ $# -ge 1 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
binary=$(realpath "$1")
fuzzer=${2:+$(realpath "$2")}
cd "$(dirname "$0")/.."
# Versions of the tables below; tlsfuzzer needs this one of tlslite-ng or a later one.
requirements="sslyze==6.3.1 tlslite-ng==0.9.0b2"

for tool in openssl python3 testssl; do
    command -v "$tool" >/dev/null ||
        { echo "tls-check.sh: $tool is missing; install it first" >&2; exit 2; }
done
environment=${XDG_CACHE_HOME:-$HOME/.cache}/release-server-tools/tls
[ -x "$environment/bin/python3" ] || python3 -m venv "$environment"
# shellcheck disable=SC2086 # a list of words
"$environment/bin/pip" install --quiet --disable-pip-version-check $requirements

work=$(mktemp -d)
servers=
# shellcheck disable=SC2086 # a list of words
trap '[ -z "$servers" ] || kill $servers; wait; rm -r "$work"' EXIT
trap 'exit 130' INT TERM

# A certificate for localhost by an authority of this run, and a server with it; prints nothing and
# sets the port by the kind of the key.
start() {
    kind=$1
    shift
    openssl req -newkey "$@" -nodes -subj /CN=localhost -keyout "$work/$kind.key" \
        -out "$work/$kind.csr" 2>/dev/null
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:false\n' \
        >"$work/$kind.ext"
    openssl x509 -req -in "$work/$kind.csr" -CA "$work/ca.crt" -CAkey "$work/ca.key" -days 90 \
        -CAcreateserial -extfile "$work/$kind.ext" -out "$work/$kind.crt" 2>/dev/null
    mkdir "$work/$kind"
    env -i AUTH_TOKEN=secret CONFIG_PATH=/dev/null STORAGE_PATH="$work/$kind" PORT=0 \
        HOST=127.0.0.1 TLS_CERTIFICATE="$work/$kind.crt" TLS_KEY="$work/$kind.key" \
        "$binary" >"$work/$kind.log" &
    servers="$servers $!"
    until grep -qs '"message":"listening"' "$work/$kind.log"; do
        kill -0 "$!" || exit 1
        sleep 0.1
    done
    port=$(sed -n 's/.*"address":"127.0.0.1:\([0-9]*\)".*/\1/p' "$work/$kind.log")
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 \
    -subj /CN=authority -keyout "$work/ca.key" -out "$work/ca.crt" 2>/dev/null
start rsa rsa:2048
rsa_port=$port
start ecdsa ec -pkeyopt ec_paramgen_curve:prime256v1
ecdsa_port=$port
failed=0

echo "== sslyze against Mozilla's intermediate configuration"
"$environment/bin/sslyze" --mozilla_config intermediate "localhost:$ecdsa_port" \
    >"$work/sslyze" 2>&1 || true
# The authority is this run's own.
if ! grep -q 'COMPLIANCE AGAINST' "$work/sslyze" ||
    grep '^        \* ' "$work/sslyze" | grep -v ' certificate_path_validation: '; then
    tail -n 5 "$work/sslyze"
    failed=1
fi

echo "== testssl.sh"
# engine_problem, RC4: testssl's own openssl lacks something. cipher_order: the client chooses, as
# all suites are good. cert_revocation, DNS_CAArecord, certificate_transparency: the certificate is
# this run's own. HTTP_status_code: `/` redirects. HSTS: by a setting.
accepted='engine_problem|RC4|cipher_order|cert_revocation|DNS_CAArecord|certificate_transparency'
testssl --quiet --color 0 --nodns none --add-ca "$work/ca.crt" --severity LOW \
    --csvfile "$work/testssl.csv" "localhost:$ecdsa_port" >"$work/testssl" 2>&1 || true
if ! grep -q 'Done' "$work/testssl" || grep -vE \
    "^\"(id|$accepted|HTTP_status_code|HSTS)\"" "$work/testssl.csv"; then
    tail -n 5 "$work/testssl"
    failed=1
fi

if [ -n "$fuzzer" ]; then
    echo "== tlsfuzzer"
    "$environment/bin/python3" scripts/tls_fuzzer.py "$fuzzer" "$rsa_port" "$ecdsa_port" || failed=1
else
    echo "== tlsfuzzer left out: no checkout was named"
fi

# Whatever was sent, the servers have not ended, and no worker has panicked.
for kind in rsa ecdsa; do
    ! grep '"level":"ERROR"' "$work/$kind.log" || failed=1
done
for server in $servers; do
    kill -0 "$server" || failed=1
done
[ "$failed" = 0 ] || { echo "tls-check.sh: there are findings" >&2; exit 1; }
echo "tls-check.sh: no finding"
