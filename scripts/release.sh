#!/bin/sh
# Makes what a release consists of, in dist/. The same commit and tools make the same bytes.
#
#   scripts/release.sh [VERSION]     VERSION: refused unless it is the one in Cargo.toml; a 'v' before it is ignored
#
# - release-server-VERSION-linux-PLATFORM.tar.gz: the static binary, the systemd unit, upload.sh, delete.sh, the manual, the texts
# - release-server-VERSION.tgz: the chart, where there are chart/ and helm
# - SHA256SUMS of these
# - NOTES.md: what CHANGELOG.md says of the version or, before it is named there, of what is unreleased
#
# Variables:
#
#   TARGETS            Rust targets, separated by spaces; default: this machine's. scripts/static.sh says what others need
#   SOURCE_DATE_EPOCH  the time of every file; default: the commit's
set -eu

cd "$(dirname "$0")/.."

fail() {
    echo "release.sh: $1" >&2
    exit 1
}

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
asked=${1:-$version}
[ "${asked#v}" = "$version" ] || fail "version '$asked' was asked for, but Cargo.toml has '$version'; change one of them"

platform_of() {
    case $1 in
        x86_64-*) echo amd64 ;;
        aarch64-*) echo arm64 ;;
        armv7-*) echo armv7 ;;
        *) echo "$1" ;;
    esac
}

# The time of every file, for tar below and for the tools that know the variable.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

# pack DIRECTORY FILE: nothing of this machine goes in: no times, owners, modes of the umask, order of the directory.
pack() {
    tar --create --directory "$work" --format=ustar --sort=name --mtime="@$SOURCE_DATE_EPOCH" \
        --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX "$1" >"$work/tar"
    gzip -n -9 <"$work/tar" >"dist/$2"
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
        docs/release-server.1 LICENSE README.md CHANGELOG.md "$work/$name"
    pack "$name" "$name.tar.gz"
done

if [ ! -d chart ] || ! command -v helm >/dev/null; then
    echo "release.sh: without the chart: chart/ or helm is missing" >&2
else
    helm package chart --version "$version" --app-version "$version" --destination "$work" >/dev/null
    # helm stamps the time of day on every file, to which some are early.
    mkdir "$work/chart"
    tar --extract --touch --directory "$work/chart" --file "$work/release-server-$version.tgz"
    mv "$work/chart/release-server" "$work"
    pack release-server "release-server-$version.tgz"
fi

(cd dist && sha256sum -- *gz >SHA256SUMS)
section() { awk -v title="## $1" '/^## / { on = index($0 " ", title " ") == 1; next } on' CHANGELOG.md; }
section "$version" >dist/NOTES.md
[ -s dist/NOTES.md ] || section Unreleased >dist/NOTES.md
cat dist/SHA256SUMS
