#!/bin/sh
# Packs the chart for an image that has been pushed, and pushes it to an OCI registry. The last line
# of the output is the chart's name with its digest.
#
#   scripts/publish-chart.sh [--dry-run] IMAGE@DIGEST
#
#   IMAGE@DIGEST  the line that `scripts/build.sh --push` printed, such as
#                 ghcr.io/me/release-server:1.2.3@sha256:…
#   --dry-run     packs the chart, asks no registry and pushes nothing
#
# The package is dist/release-server-VERSION.tgz. Its values, its annotations and its README name
# this image, the registry and the sources. It goes to oci://REGISTRY/OWNER/charts, where
# REGISTRY/OWNER is the part of IMAGE before the last slash; a version that is there already is not
# overwritten. Variables:
#
#   SOURCE             where the sources are; default: https://github.com/OWNER/release-server
#   SOURCE_DATE_EPOCH  the time of every file; default: the commit's
#
# Log in first: helm registry login REGISTRY; docker login REGISTRY.
set -eu

cd "$(dirname "$0")/.."
# shellcheck source=scripts/version.sh
. scripts/version.sh

dry_run=no
if [ "${1-}" = --dry-run ]; then
    dry_run=yes
    shift
fi
[ $# = 1 ] || fail \
    "one argument is needed: the image with its digest, as scripts/build.sh --push prints it"
image=${1%@*} digest=${1#*@}
printf '%s\n' "$1" | grep -Eqx '[a-z0-9.:-]+(/[a-z0-9._-]+)+:[A-Za-z0-9._-]+@sha256:[0-9a-f]{64}' ||
    fail "'$1' does not have the form NAME:TAG@sha256:DIGEST"
[ "${image##*:}" = "$version" ] ||
    fail "the image's tag is '${image##*:}', but Cargo.toml has version $version"
command -v helm >/dev/null || fail "helm is missing; install it first"

repository=${image%:*}
prefix=${repository%/*}
charts=$prefix/charts
source=${SOURCE:-https://github.com/${prefix#*/}/release-server}

if [ "$dry_run" = no ]; then
    docker buildx imagetools inspect "$repository@$digest" >/dev/null ||
        fail "the registry does not have $repository@$digest; push the image first"
    if answer=$(helm show chart "oci://$charts/release-server" --version "$version" 2>&1); then
        fail "$charts/release-server:$version exists and is not overwritten; raise the version"
    fi
    # Another answer, such as a refused login, does not prove that the version is unused.
    case $answer in
        *'not found'*) ;;
        *) fail "the registry does not tell whether the chart exists: $answer" ;;
    esac
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# replace FILE OLD NEW: every OLD in a file of the chart, of which there must be one.
replace() {
    grep -qF -e "$2" "$work/chart/$1" || fail "chart/$1 does not contain '$2'"
    # The separator occurs in no text.
    separator=$(printf '\001')
    old=$(printf '%s' "$2" | sed 's/[].[*^$\]/\\&/g')
    sed -i "s$separator$old$separator$3${separator}g" "$work/chart/$1"
}

cp -r chart "$work/chart"
replace values.yaml '  repository: ghcr.io/release-server/release-server' \
    "  repository: $repository"
replace values.yaml '  digest: ""' "  digest: $digest"
replace Chart.yaml "image: ghcr.io/release-server/release-server:$version" "image: $image@$digest"
case $version in
    *-*) replace Chart.yaml 'artifacthub.io/prerelease: "false"' \
        'artifacthub.io/prerelease: "true"' ;;
esac
# shellcheck disable=SC2016 # the backquotes are the README's
replace README.md '`"ghcr.io/release-server/release-server"`' "\`\"$repository\"\`"
# shellcheck disable=SC2016
replace README.md '| image.digest | string | `""`' "| image.digest | string | \`\"$digest\"\`"
replace README.md oci://ghcr.io/release-server/charts "oci://$charts"
# A packed README has no other files beside it.
replace README.md '](../' "]($source/blob/v$version/"
replace README.md '](ci/' "]($source/blob/v$version/chart/ci/"
if grep -n -e ']([^#h]' "$work/chart/README.md"; then
    fail "chart/README.md has these links to files, which are not part of the package"
fi

mkdir -p dist
helm package "$work/chart" --destination "$work" >/dev/null
# helm stamps every file with the time of day; some of them are older than the archive's own.
mkdir "$work/packed"
tar --extract --touch --directory "$work/packed" --file "$work/release-server-$version.tgz"
package=dist/release-server-$version.tgz
pack "$work/packed" release-server "$package"

if [ "$dry_run" = yes ]; then
    echo "$charts/release-server:$version would be pushed from $package"
    exit
fi
helm push "$package" "oci://$charts" >"$work/pushed" 2>&1 || fail "$(cat "$work/pushed")"
pushed=$(sed -n 's/^Digest: //p' "$work/pushed")
echo "$charts/release-server:$version@${pushed:?}"
