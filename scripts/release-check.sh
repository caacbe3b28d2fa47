#!/bin/sh
# Refuses a release that must not be published, before anything is built. Prints the option by which
# `gh release create` marks the release: --latest, --latest=false (a fix for an older version) or
# --prerelease.
#
#   scripts/release-check.sh TAG
#
# Required: Cargo.toml has the tag's version, CHANGELOG.md has a section of it, and the commit is
# part of origin/main or of origin/release/MAJOR.MINOR, the branch for fixes of older versions.
set -eu

cd "$(dirname "$0")/.."
# shellcheck source=scripts/version.sh
. scripts/version.sh

[ $# = 1 ] || fail "one argument is needed: the tag, such as v$version"
tag=$1
[ "$tag" = "v$version" ] ||
    fail "the tag is '$tag', but Cargo.toml has version $version: change one of them"
[ -n "$(changelog_section "$version")" ] ||
    fail "CHANGELOG.md has no section '## $version': rename 'Unreleased', or add it"

core=${version%%[-+]*}
branch=release/${core%.*}
on_branch=no
for candidate in origin/main "origin/$branch"; do
    if git rev-parse --quiet --verify "$candidate^{commit}" >/dev/null &&
        git merge-base --is-ancestor HEAD "$candidate"; then
        on_branch=yes
    fi
done
[ "$on_branch" = yes ] ||
    fail "commit $(git rev-parse --short HEAD) is neither on main nor on $branch: merge it first"

case $version in
    *-*) echo --prerelease ;;
    *)
        # The tags of releases, without prereleases, in ascending order, this one included.
        highest=$(printf '%s\n' "$tag" "$(git tag --list 'v[0-9]*' | grep -v -e - || :)" | sort -V |
            tail -n 1)
        if [ "$highest" = "$tag" ]; then echo --latest; else echo --latest=false; fi
        ;;
esac
