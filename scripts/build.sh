#!/bin/sh
# Builds the image {REGISTRY}/{AUTHOR}/{IMAGE_NAME}:{TAG} with docker.
#
#   scripts/build.sh [--push | --oci FILE | --unpublished | --print] [--platform LIST]
#
#   --push           pushes the image, with its SBOM and provenance, and prints its name with the
#                    digest that the registry received. An image that is there already is not
#                    overwritten. Needs buildx
#   --oci FILE       writes the image to an OCI archive instead and prints its name with its digest,
#                    which is the same for the same commit wherever it is built. Needs buildx with a
#                    builder other than docker's own
#   --unpublished    builds nothing; fails if the registry has the image already
#   --platform LIST  such as linux/amd64,linux/arm64,linux/arm/v7; default: this machine's. Several
#                    need --push or --oci
#   --print          prints the image's name and builds nothing
#
# Variables, each with its default:
#
#   REGISTRY           ghcr.io
#   AUTHOR             release-server
#   IMAGE_NAME         release-server
#   TAG                the version in Cargo.toml
#   SOURCE             https://github.com/{AUTHOR}/{IMAGE_NAME}: where the sources are, for the
#                      image's label
#   BASE               the Dockerfile's: another image with this Rust version, gcc and, for other
#                      platforms, rustup
#   SOURCE_DATE_EPOCH  the time of every file in the image; default: the commit's
set -eu

cd "$(dirname "$0")/.."
# shellcheck source=scripts/version.sh
. scripts/version.sh

push=no oci='' unpublished=no platform='' print=no
while [ $# -gt 0 ]; do
    case $1 in
        --push) push=yes ;;
        --print) print=yes ;;
        --unpublished) unpublished=yes ;;
        --oci | --platform)
            [ $# -gt 1 ] || fail "$1 needs a value"
            case $1 in --oci) oci=$2 ;; *) platform=$2 ;; esac
            shift
            ;;
        --oci=*) oci=${1#*=} ;;
        --platform=*) platform=${1#*=} ;;
        *) fail "unknown option '$1'; run 'head -n 30 scripts/build.sh' for the options" ;;
    esac
    shift
done
[ "$push" = no ] || [ -z "$oci" ] || fail "--push and --oci exclude each other"

author=${AUTHOR:-release-server} image_name=${IMAGE_NAME:-release-server}
name=${REGISTRY:-ghcr.io}/$author/$image_name:${TAG:-$version}
case ${name%:*} in
    *[!a-z0-9./:_-]*) fail "'$name' is not a valid image name; only TAG may contain capitals" ;;
esac
if [ "$print" = yes ]; then
    echo "$name"
    exit
fi

command -v docker >/dev/null || fail "docker is missing; install it first"

require_unpublished() {
    if answer=$(docker buildx imagetools inspect "$name" 2>&1); then
        fail "$name exists and is not overwritten; raise the version in Cargo.toml, or set TAG"
    fi
    # Another answer, such as a refused login, does not prove that the name is unused.
    case $answer in
        *'not found'*) ;;
        *) fail "the registry does not tell whether $name exists: $answer" ;;
    esac
}

if [ "$unpublished" = yes ]; then
    require_unpublished
    exit
fi
metadata=
if docker buildx version >/dev/null 2>&1; then
    metadata=$(mktemp)
    trap 'rm -f "$metadata"' EXIT
    set -- buildx build --metadata-file "$metadata"
    if [ "$push" = yes ]; then
        require_unpublished
        set -- "$@" --output type=image,push=true,rewrite-timestamp=true --sbom=true \
            --provenance=mode=max
    elif [ -n "$oci" ]; then
        # Attestations would contain the time of the build.
        set -- "$@" --output "type=oci,dest=$oci,rewrite-timestamp=true" --sbom=false \
            --provenance=false
    else
        set -- "$@" --load
    fi
else
    [ "$push$oci" = no ] || fail "--push and --oci need docker's plugin buildx; install it first"
    case $platform in *,*) fail "several platforms need docker's plugin buildx; install it first" \
        ;; esac
    set -- build
fi
[ -z "$platform" ] || set -- "$@" --platform "$platform"
[ -z "${BASE-}" ] || set -- "$@" --build-arg "BASE=$BASE"
docker "$@" --tag "$name" \
    --build-arg "SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH" \
    --build-arg "VERSION=$version" \
    --build-arg "REVISION=$(git rev-parse HEAD)" \
    --build-arg "CREATED=$(date --utc --date="@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)" \
    --build-arg "SOURCE=${SOURCE:-https://github.com/$author/$image_name}" . >&2
if [ "$push" = yes ] || [ -n "$oci" ]; then
    digest=$(sed -n 's/.*"containerimage.digest": *"\(sha256:[0-9a-f]*\)".*/\1/p' "$metadata")
    echo "$name@${digest:?}"
fi
