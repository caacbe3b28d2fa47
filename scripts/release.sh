#!/bin/sh
# Makes the files of a release in dist/. The same commit, Rust toolchain and C library give the same
# bytes.
#
#   scripts/release.sh [TAG]     TAG: the release's tag; without it CHANGELOG.md may lack the
#                                version's section
#
# - release-server-VERSION-linux-PLATFORM.tar.gz: the static binary, the systemd unit, upload.sh and
#   delete.sh, the manual, README, changelog, licence and the licences of the libraries
# - SHA256SUMS of these
# - NOTES.md: the version's section of CHANGELOG.md; without TAG, and where it is missing, the
#   section "Unreleased"
#
# The chart names the image's digest, so scripts/publish-chart.sh makes it after the image has been
# pushed.
#
# Variables:
#
#   TARGETS            Rust targets, separated by spaces; default: this machine's. scripts/static.sh
#                      has their requirements
#   SOURCE_DATE_EPOCH  the time of every file; default: the commit's
set -eu

cd "$(dirname "$0")/.."
# shellcheck source=scripts/version.sh
. scripts/version.sh

tag=${1:-}
[ "${tag:-v$version}" = "v$version" ] ||
    fail "the tag is '$tag', but Cargo.toml has version $version: change one of them"
notes=$(changelog_section "$version")
if [ -z "$notes" ]; then
    [ -z "$tag" ] ||
        fail "CHANGELOG.md has no section '## $version': rename 'Unreleased', or add it"
    notes=$(changelog_section Unreleased)
fi

platform_of() {
    case $1 in
        x86_64-*) echo amd64 ;;
        aarch64-*) echo arm64 ;;
        armv7-*) echo armv7 ;;
        *) echo "$1" ;;
    esac
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

rm -rf dist
mkdir dist

for target in ${TARGETS:-$(rustc --print host-tuple)}; do
    binary=$(scripts/static.sh "$target")
    name=release-server-$version-linux-$(platform_of "$target")
    mkdir -p "$work/$name/docs"
    cp -p docs/*.md docs/packages.png "$work/$name/docs"
    cp -p "$binary" scripts/upload.sh scripts/delete.sh scripts/release-server.service \
        docs/release-server.1 LICENSE THIRD-PARTY-LICENSES.txt LGPL-2.1.txt README.md \
        CHANGELOG.md "$work/$name"
    pack "$work" "$name" "dist/$name.tar.gz"
done

(cd dist && sha256sum -- *.tar.gz >SHA256SUMS)
printf '%s\n' "$notes" >dist/NOTES.md
cat dist/SHA256SUMS
