#!/bin/sh
# Clients of many TLS libraries against the real server over HTTPS: each fetches a package with the
# server's authority, and must refuse without it.
#
#     https.sh BINARY CLIENT…
#
# Clients: openssl, gnutls (gnutls-cli), curl, pycurl-gnutls (libcurl with GnuTLS, of Debian's
# Python), wget, python, node, go, java. Always needed: openssl and cmp.
set -eu

BINARY=$(realpath "$1")
shift
WORK=$(mktemp -d)
SERVER=''
trap '[ -z "$SERVER" ] || kill "$SERVER"; rm -rf "$WORK"' EXIT
trap 'exit 130' HUP INT PIPE TERM
cd "$WORK"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
    -subj /CN=authority -keyout ca.key -out ca.crt 2>openssl.log
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost \
    -keyout tls.key -out tls.csr 2>openssl.log
printf 'subjectAltName=DNS:localhost\n' >names
openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names \
    -out tls.crt 2>openssl.log
mkdir data
head -c 300000 /dev/urandom >data/package.zip
env -i AUTH_TOKEN=secret CONFIG_PATH=/dev/null STORAGE_PATH="$WORK/data" PORT=0 HOST=127.0.0.1 \
    TLS_CERTIFICATE="$WORK/tls.crt" TLS_KEY="$WORK/tls.key" "$BINARY" >log &
SERVER=$!
until grep -qs '"message":"listening"' log; do
    kill -0 "$SERVER" || exit 1
    sleep 0.1
done
PORT=$(sed -n 's/.*"address":"127.0.0.1:\([0-9]*\)".*/\1/p' log)
URL=https://localhost:$PORT/assets/package.zip
REQUEST='GET /assets/package.zip HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'

cat >fetch.js <<'END'
require('https').get(process.argv[2], answer => {
    answer.pipe(require('fs').createWriteStream('got'));
}).on('error', error => { console.error(error.code); process.exit(1); });
END
cat >pycurl_fetch.py <<'END'
import pycurl, sys
assert "GnuTLS" in pycurl.version, f"not linked with GnuTLS: {pycurl.version}"
curl = pycurl.Curl()
curl.setopt(pycurl.URL, sys.argv[1])
if len(sys.argv) > 2:
    curl.setopt(pycurl.CAINFO, sys.argv[2])
with open("got", "wb") as file:
    curl.setopt(pycurl.WRITEDATA, file)
    curl.perform()
END
cat >fetch.py <<'END'
import shutil, sys, urllib.request
with urllib.request.urlopen(sys.argv[1]) as answer, open("got", "wb") as file:
    shutil.copyfileobj(answer, file)
END
cat >fetch.go <<'END'
package main

import ("io"; "log"; "net/http"; "os")

func main() {
    answer, err := http.Get(os.Args[1])
    if err != nil { log.Fatal(err) }
    file, _ := os.Create("got")
    if _, err := io.Copy(file, answer.Body); err != nil { log.Fatal(err) }
}
END
cat >Fetch.java <<'END'
public class Fetch {
    public static void main(String[] arguments) throws Exception {
        try (var in = new java.net.URL(arguments[0]).openStream()) {
            java.nio.file.Files.copy(in, java.nio.file.Path.of("got"));
        }
    }
}
END

# Fetches the package into `got`; the second argument is the authority's file, or empty.
fetch() {
    case $1 in
    openssl)
        # shellcheck disable=SC2059 # escapes and nothing else
        printf "$REQUEST" | openssl s_client -quiet -ign_eof -verify_return_error \
            -verify_hostname localhost -connect "localhost:$PORT" ${2:+-CAfile "$2"} >answer
        tail -c 300000 answer >got
        ;;
    gnutls)
        # shellcheck disable=SC2059 # escapes and nothing else
        printf "$REQUEST" | gnutls-cli --logfile gnutls.log -p "$PORT" localhost \
            ${2:+--x509cafile "$2"} >answer
        tail -c 300000 answer >got
        ;;
    curl) curl -sSf -o got ${2:+--cacert "$2"} "$URL" ;;
    pycurl-gnutls) /usr/bin/python3 pycurl_fetch.py "$URL" ${2:+"$2"} ;;
    wget) wget -q -O got ${2:+--ca-certificate "$2"} "$URL" ;;
    python) env ${2:+SSL_CERT_FILE="$2"} python3 fetch.py "$URL" ;;
    node) env ${2:+NODE_EXTRA_CA_CERTS="$2"} node fetch.js "$URL" ;;
    go) env ${2:+SSL_CERT_FILE="$2"} go run fetch.go "$URL" ;;
    java)
        rm -f store
        [ -z "$2" ] || keytool -importcert -noprompt -file "$2" -keystore store \
            -storepass password >openssl.log 2>&1
        # shellcheck disable=SC2086 # two options or none
        java ${2:+-Djavax.net.ssl.trustStore=store -Djavax.net.ssl.trustStorePassword=password} \
            Fetch.java "$URL"
        ;;
    *) echo "https.sh: unknown client '$1'" >&2; exit 2 ;;
    esac
}

failed=0
for client; do
    rm -f got
    if ! fetch "$client" "$WORK/ca.crt" 2>errors || ! cmp got data/package.zip; then
        echo "FAILED $client"
        tail -n 5 errors
        failed=1
    fi
    rm -f got
    if fetch "$client" '' 2>errors && cmp -s got data/package.zip; then
        echo "FAILED $client trusts any authority"
        failed=1
    fi
    echo "done $client"
done
exit "$failed"
