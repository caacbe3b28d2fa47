#!/bin/sh
# Installs S3 stores for the tests, and toxiproxy, which breaks the connections to them.
#
#   scripts/bucket-stores.sh NAME…
#
# NAME is versitygw, minio, garage or toxiproxy. Each is built into
# $XDG_CACHE_HOME/release-server-tools/stores; one that is there already is left as it is. Building
# takes minutes.
set -eu

stores=${XDG_CACHE_HOME:-$HOME/.cache}/release-server-tools/stores
mkdir -p "$stores"

# Builds a Go program under its name.
go_program() {
    [ -x "$stores/$1" ] && return
    # A place of its own: the program's name in its module may be a common word.
    GOBIN=$stores/build-$1 go install "$3"
    mv "$stores/build-$1/$2" "$stores/$1"
    rmdir "$stores/build-$1"
}

for name; do
    case $name in
        versitygw)
            go_program versitygw versitygw github.com/versity/versitygw/cmd/versitygw@v1.8.0
            ;;
        minio) go_program minio minio github.com/minio/minio@latest ;;
        toxiproxy)
            go_program toxiproxy server github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0
            ;;
        garage)
            [ -x "$stores/garage" ] || {
                cargo install --quiet --debug --no-default-features \
                    --features bundled-libs,sqlite --root "$stores/build-garage" garage
                mv "$stores/build-garage/bin/garage" "$stores/garage"
                rm -r "$stores/build-garage"
            }
            ;;
        *)
            echo "bucket-stores.sh: '$name' is not versitygw, minio, garage or toxiproxy" >&2
            exit 2
            ;;
    esac
done
