#!/bin/sh
# Builds the image {REGISTRY}/{AUTHOR}/{IMAGE_NAME}:{TAG} with docker.
#
#   scripts/build.sh [--push] [--platform LIST] [--print]
#
#   --push           pushes it, with its list of contents (SBOM) and provenance where buildx is there
#   --platform LIST  such as linux/amd64,linux/arm64,linux/arm/v7; default: this machine's.
#                    Several can only be pushed: docker keeps images of its own platform
#   --print          prints the image's name and does nothing else
#
# Variables, each with its default:
#
#   REGISTRY    ghcr.io
#   AUTHOR      release-server
#   IMAGE_NAME  release-server
#   TAG         the version in Cargo.toml
#   SOURCE      https://github.com/{AUTHOR}/{IMAGE_NAME}: where the sources are, for the image's label
#   BASE        the one in the Dockerfile: another image with this Rust version, gcc and, for other platforms, rustup
set -eu

cd "$(dirname "$0")/.."

refuse() {
    echo "build.sh: $1" >&2
    exit 2
}

push=no platform='' print=no
while [ $# -gt 0 ]; do
    case $1 in
        --push) push=yes ;;
        --print) print=yes ;;
        --platform)
            [ $# -gt 1 ] || refuse "--platform needs a value, such as linux/amd64,linux/arm64"
            platform=$2
            shift
            ;;
        --platform=*) platform=${1#*=} ;;
        *) refuse "unknown option '$1'; it takes --push, --platform LIST and --print" ;;
    esac
    shift
done

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
author=${AUTHOR:-release-server} image_name=${IMAGE_NAME:-release-server}
name=${REGISTRY:-ghcr.io}/$author/$image_name:${TAG:-$version}
case ${name%:*} in
    *[!a-z0-9./:_-]*) refuse "'$name' is no name for an image; only TAG may hold capitals" ;;
esac
if [ "$print" = yes ]; then
    echo "$name"
    exit
fi

command -v docker >/dev/null || refuse "docker is missing; install it first"
push_after=no
if ! docker buildx version >/dev/null 2>&1; then
    case $platform in *,*) refuse "several platforms need docker's plugin buildx; install it first" ;; esac
    set -- build
    push_after=$push
elif [ "$push" = yes ]; then
    set -- buildx build --push --sbom=true --provenance=mode=max
else
    set -- buildx build --load
fi
[ -z "$platform" ] || set -- "$@" --platform "$platform"
[ -z "${BASE-}" ] || set -- "$@" --build-arg "BASE=$BASE"
docker "$@" --tag "$name" \
    --build-arg "VERSION=$version" \
    --build-arg "REVISION=$(git rev-parse HEAD)" \
    --build-arg "CREATED=$(TZ=UTC git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd)" \
    --build-arg "SOURCE=${SOURCE:-https://github.com/$author/$image_name}" .
[ "$push_after" = no ] || docker push "$name"
