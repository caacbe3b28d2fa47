#!/bin/sh
# Pushes the chart of this version, as scripts/release.sh packed it, to an OCI registry, and prints what was pushed.
#
#   scripts/publish-chart.sh [--dry-run]
#
#   --dry-run  checks the package, prints where it would go and pushes nothing
#
# It goes to oci://{REGISTRY}/{AUTHOR}/charts; variables, with their defaults:
#
#   REGISTRY  ghcr.io
#   AUTHOR    release-server
#
# Logging in comes first: helm registry login {REGISTRY}
set -eu

cd "$(dirname "$0")/.."

fail() {
    echo "publish-chart.sh: $1" >&2
    exit 1
}

dry_run=no
case ${1-} in
    --dry-run) dry_run=yes ;;
    '') ;;
    *) fail "unknown option '$1'; it takes --dry-run or nothing" ;;
esac
command -v helm >/dev/null || fail "helm is missing; install it first"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
package=dist/release-server-$version.tgz
[ -f "$package" ] || fail "there is no $package; make it with scripts/release.sh"
described=$(helm show chart "$package" | sed -n 's/^version: *"\{0,1\}\([^"]*\)"\{0,1\}$/\1/p')
[ "$described" = "$version" ] || fail "$package says that it is version '$described', not '$version'"

to=oci://${REGISTRY:-ghcr.io}/${AUTHOR:-release-server}/charts
if [ "$dry_run" = yes ]; then
    echo "$package would be pushed to $to/release-server:$version"
else
    helm push "$package" "$to"
fi
