#!/bin/sh
# Tests the scripts of a release on copies of the repository, without a network: which tags
# scripts/release-check.sh admits, and what scripts/publish-chart.sh writes into the chart.
#
#   scripts/release-test.sh     needs git; with helm, also the chart is checked
set -eu

cd "$(dirname "$0")/.."
. scripts/version.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git init --quiet --bare --initial-branch main "$work/origin"
mkdir "$work/copy"
cp -r Cargo.toml CHANGELOG.md chart scripts "$work/copy"
cd "$work/copy"
git init --quiet --initial-branch main
git config user.name test
git config user.email test@example.org
git add .
git commit --quiet --message all
git remote add origin "$work/origin"
git push --quiet origin main
git fetch --quiet origin

# expect STATUS WORDS COMMAND...: the command's exit status, and part of its output.
expect() {
    wanted=$1 words=$2 status=0
    shift 2
    output=$("$@" 2>&1) || status=$?
    [ "$status" = "$wanted" ] || fail "'$*' exited with $status, not $wanted: $output"
    printf '%s\n' "$output" | grep -qF -e "$words" || fail "'$*' printed: $output"
}

check() { scripts/release-check.sh "$@"; }
set_version() { sed -i "s/^version = .*/version = \"$1\"/" Cargo.toml; }
set_section() { printf '# Changelog\n\n## %s\n\nText.\n' "$1" >CHANGELOG.md; }

set_version 1.2.3
set_section Unreleased
expect 1 "the tag is 'v1.2.4', but Cargo.toml has version 1.2.3" check v1.2.4
expect 1 "the tag is '1.2.3'" check 1.2.3
expect 1 "CHANGELOG.md has no section '## 1.2.3'" check v1.2.3
set_section 1.2.30
expect 1 "CHANGELOG.md has no section '## 1.2.3'" check v1.2.3
expect 1 "CHANGELOG.md has no section '## 1.2.3'" scripts/release.sh v1.2.3
for section in '1.2.3' '[1.2.3]' '[1.2.3] - 2030-01-31'; do
    set_section "$section"
    expect 0 --latest check v1.2.3
done
git commit --quiet --allow-empty --message 'outside main'
expect 1 "is neither on main nor on release/1.2" check v1.2.3
git push --quiet origin HEAD:release/1.3
git fetch --quiet origin
expect 1 "is neither on main nor on release/1.2" check v1.2.3
git push --quiet origin HEAD:release/1.2
git fetch --quiet origin
git tag v1.2.2
git tag v1.3.0-rc.1
expect 0 --latest check v1.2.3
[ "$(check v1.2.3)" = --latest ] || fail "a prerelease is taken for a newer version"
git tag v1.10.0
expect 0 --latest=false check v1.2.3
set_version 1.11.0-rc.1
set_section 1.11.0-rc.1
git push --quiet origin HEAD:main
git fetch --quiet origin
expect 0 --prerelease check v1.11.0-rc.1

if command -v helm >/dev/null; then
    set_version "$version"
    digest=sha256:$(printf 0 | sha256sum | cut -d ' ' -f 1)
    image=registry.example.org/me/server:$version
    expect 1 "does not have the form NAME:TAG@sha256:DIGEST" scripts/publish-chart.sh "$image"
    expect 1 "the image's tag is '0.0.0'" \
        scripts/publish-chart.sh --dry-run "registry.example.org/me/server:0.0.0@$digest"
    expect 0 "registry.example.org/me/charts/release-server:$version would be pushed" \
        scripts/publish-chart.sh --dry-run "$image@$digest"
    package=dist/release-server-$version.tgz
    first=$(sha256sum "$package")
    touch chart/values.yaml
    scripts/publish-chart.sh --dry-run "$image@$digest" >/dev/null
    [ "$first" = "$(sha256sum "$package")" ] || fail "the same chart is packed differently"
    tar -xzf "$package"
    expect 0 "image: \"$image@$digest\"" helm template rs release-server --kube-version 1.30
    expect 0 "image: $image@$digest" cat release-server/Chart.yaml
    expect 1 "" grep -rn -e ghcr.io -e '](ci/' -e '](\.\./' release-server
fi
echo 'release-test.sh: all passed'
