#!/bin/sh
# Checks the chart, without a network and without a cluster.
#
#   scripts/chart.sh [SERVER]
#
# SERVER is the server's binary, which reads the rendered settings (default:
# target/debug/release-server). The checks, for all values in chart/ci: lint, unit tests, the
# README, values against sources, manifests for the oldest and the newest Kubernetes, alerts, the
# package. The script installs nothing and reports how to install missing tools. Exit code 0 when
# all passed.
#
# After a change of values.yaml, Chart.yaml or README.md.gotmpl, renew the README:
#
#   helm-docs --chart-search-root chart --sort-values-order file
set -eu

cd "$(dirname "$0")/.."
server=${1:-target/debug/release-server}

# CustomResourceDefinitions, from the cache of Go modules.
GATEWAY_API=sigs.k8s.io/gateway-api@v1.6.0
PROMETHEUS_OPERATOR=github.com/prometheus-operator/prometheus-operator@v0.85.0
OLDEST=$(sed -n 's/^kubeVersion: ">=\([0-9]*\.[0-9]*\).*/\1/p' chart/Chart.yaml)

missing=
need() {
    missing="$missing
  $1: $2"
}

# The directory of a Go module, if it is in the cache.
module() { GOPROXY=off GOFLAGS=-mod=mod go mod download -json "$1" 2>/dev/null |
    sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p'; }

have() { command -v "$1" >/dev/null; }
have helm || need helm 'go install helm.sh/helm/v3/cmd/helm@v3.22.0'
have helm-unittest ||
    need helm-unittest 'go install github.com/helm-unittest/helm-unittest/cmd/helm-unittest@v1.0.0'
have helm-docs || need helm-docs 'go install github.com/norwoodj/helm-docs/cmd/helm-docs@v1.14.2'
have promtool || need promtool "Debian's package prometheus"
python3 -c 'import yaml, kubernetes_validate' 2>/dev/null ||
    need 'Python modules' 'pip install kubernetes-validate pyyaml'
[ -x "$server" ] || need "$server" 'cargo build'
gateway_api=$(module "$GATEWAY_API") || :
prometheus_operator=$(module "$PROMETHEUS_OPERATOR") || :
[ -n "$gateway_api" ] || need "the HTTPRoute's definition" "go mod download $GATEWAY_API"
[ -n "$prometheus_operator" ] ||
    need "the ServiceMonitor's definition" "go mod download $PROMETHEUS_OPERATOR"
if [ -n "$missing" ]; then
    echo "chart.sh: missing$missing" >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo '== lint'
for values in chart/ci/*-values.yaml; do
    echo "$values"
    helm lint --strict --quiet --kube-version "$OLDEST" --values "$values" chart
done

echo '== unit tests'
helm-unittest --strict chart

echo '== README'
helm-docs --chart-search-root chart --sort-values-order file --dry-run --log-level error \
    >"$work/README.md"
if grep '^| .* |  |$' "$work/README.md"; then
    echo 'chart.sh: these values have no description' >&2
    exit 1
fi
diff -u chart/README.md "$work/README.md" || {
    echo 'chart.sh: chart/README.md is stale; renew it as described above' >&2
    exit 1
}

echo '== values, schema and sources'
scripts/chart_static.py

echo '== manifests'
monitoring=$prometheus_operator/example/prometheus-operator-crd/monitoring.coreos.com
scripts/chart_manifests.py "$server" \
    "$gateway_api/config/crd/standard/gateway.networking.k8s.io_httproutes.yaml" \
    "${monitoring}_servicemonitors.yaml" "${monitoring}_prometheusrules.yaml"

echo '== alerts and dashboard'
scripts/chart_alerts.py

echo '== package'
helm package chart --destination "$work" | sed "s|$work/||"
if tar -tzf "$work"/release-server-*.tgz | grep -E '^release-server/(ci|tests)/'; then
    echo 'chart.sh: the package contains files that only the checks need' >&2
    exit 1
fi

echo 'chart.sh: all passed'
