#!/bin/sh
# Installs, upgrades, rolls back and uninstalls the chart against a real API server.
#
#   scripts/chart-apiserver.sh CRD_FILE...
#
# Starts etcd and kube-apiserver on the loopback address, with their data in a temporary directory,
# and stops them at the end. No node joins, so no pod runs. Checked: the API server accepts every
# object of all values in chart/ci without a warning; their pods pass the admission of Pod Security
# "restricted"; token, claim and settings over the life of a release; the permissions that a
# deployer needs. The CRD_FILEs define HTTPRoute, ServiceMonitor and PrometheusRule. Needs etcd,
# kube-apiserver, kubectl, helm, openssl and python3. Exit code 0 if all is right.
#
# UPGRADE_FROM: the directory of an older chart; a release of it is upgraded, too.
#
# With Traefik 3 in PATH, and with the definitions of its kinds and of the Gateway API among the
# CRD_FILEs, requests go through Traefik to target/debug/release-server in place of the pod: with
# the values in chart/README.md for an Ingress, and through an HTTPRoute.
set -eu

cd "$(dirname "$0")/.."
[ $# -gt 0 ] || { sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
for tool in etcd kube-apiserver kubectl helm openssl python3; do
    command -v "$tool" >/dev/null || { echo "chart-apiserver.sh: $tool is missing" >&2; exit 1; }
done

work=$(mktemp -d)
started=
clean_up() {
    for process in $started; do
        kill "$process" 2>/dev/null || :
        wait "$process" 2>/dev/null || :
    done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
    echo "chart-apiserver.sh: $1" >&2
    exit 1
}

# expect WHAT EXPECTED ACTUAL
expect() {
    [ "$2" = "$3" ] || fail "$1: '$3' instead of '$2'"
    echo "ok: $1"
}

free_ports() {
    python3 -c 'import socket
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
print(*(each.getsockname()[1] for each in held))'
}

start() {
    ports=$(free_ports)
    client=${ports%% *} secure=${ports##* } peer=${ports#* }
    peer=${peer% *}
    etcd --data-dir "$work/etcd" --listen-client-urls "http://127.0.0.1:$client" \
        --advertise-client-urls "http://127.0.0.1:$client" --listen-peer-urls "http://127.0.0.1:$peer" \
        --initial-advertise-peer-urls "http://127.0.0.1:$peer" --initial-cluster "default=http://127.0.0.1:$peer" \
        >"$work/etcd.log" 2>&1 &
    started=$!
    openssl genrsa -out "$work/key" 2048 2>/dev/null
    admin=$(openssl rand -hex 16) deployer=$(openssl rand -hex 16)
    printf '%s\n' "$admin,admin,admin,system:masters" "$deployer,deployer,deployer" >"$work/users"
    kube-apiserver --etcd-servers "http://127.0.0.1:$client" --bind-address 127.0.0.1 --secure-port "$secure" \
        --cert-dir "$work/certificates" --token-auth-file "$work/users" --authorization-mode RBAC \
        --service-account-issuer https://localhost --service-account-key-file "$work/key" \
        --service-account-signing-key-file "$work/key" --service-cluster-ip-range 10.0.0.0/16 \
        >"$work/apiserver.log" 2>&1 &
    started="$! $started"
    export KUBECONFIG="$work/kubeconfig"
    kubectl config set-cluster local --server "https://127.0.0.1:$secure" --insecure-skip-tls-verify >/dev/null
    kubectl config set-credentials admin --token "$admin" >/dev/null
    kubectl config set-context local --cluster local --user admin >/dev/null
    kubectl config use-context local >/dev/null
    tries=0
    until [ "$(kubectl get --raw /readyz 2>/dev/null)" = ok ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 120 ] ||
            { tail -n 5 "$work"/*.log >&2; fail "the API server is not ready after 2 minutes"; }
        sleep 1
    done
    kubectl version 2>/dev/null | sed -n 's/^Server Version: /API server /p'
}

# Runs helm; a warning, such as that of Pod Security about a Deployment, is a failure.
quiet_helm() {
    helm "$@" >"$work/out" 2>"$work/err" || fail "helm $*: $(cat "$work/err")"
    [ ! -s "$work/err" ] || fail "helm $* warns: $(cat "$work/err")"
}

# A namespace that admits only restricted pods.
restricted_namespace() {
    kubectl create namespace "$1" >/dev/null
    for mode in enforce warn; do
        kubectl label namespace "$1" "pod-security.kubernetes.io/$mode=restricted" >/dev/null
    done
}

# Offers the API server the pod that the Deployment's controller would create.
admit_pod() {
    kubectl -n "$1" get deployment -o json | python3 -c 'import json, sys
template = json.load(sys.stdin)["items"][0]["spec"]["template"]
metadata = {**template["metadata"], "name": "pod"}
pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
json.dump(pod, sys.stdout)' >"$work/pod.json"
    kubectl -n "$1" create --dry-run=server -f "$work/pod.json" >/dev/null ||
        fail "the pod is not admitted in $1"
}

generation() { kubectl -n "$1" get deployment -o jsonpath='{.items[0].metadata.generation}'; }

every_set_up() {
    # Objects that the values in everything-values.yaml refer to.
    restricted_namespace templates
    kubectl create namespace monitoring >/dev/null
    kubectl create priorityclass releases --value 1 >/dev/null
    kubectl -n templates create serviceaccount releases >/dev/null
    kubectl -n templates run pod --image any --dry-run=server \
        --overrides '{"spec": {"serviceAccountName": "releases"}}' >"$work/out" 2>&1 || :
    grep -q 'violates PodSecurity "restricted' "$work/out" || fail "a privileged pod is admitted"
    for values in chart/ci/*-values.yaml; do
        name=${values##*/}
        name=${name%-values.yaml}
        namespace=ci-$name
        if [ "$name" = everything ]; then
            namespace=templates
        else
            restricted_namespace "$namespace"
        fi
        quiet_helm install rs chart --namespace "$namespace" --values "$values"
        admit_pod "$namespace"
        before=$(generation "$namespace")
        quiet_helm upgrade rs chart --namespace "$namespace" --values "$values"
        expect "values '$name' are accepted, the pod is admitted, an upgrade changes nothing" \
            "$before" "$(generation "$namespace")"
        quiet_helm uninstall rs --namespace "$namespace"
    done
}

# refused WORDS ARGUMENT...: helm refuses an upgrade with a sentence that contains the words.
refused() {
    words=$1
    shift
    ! helm upgrade rs chart "$@" >/dev/null 2>"$work/err" || fail "helm upgrade $* is not refused"
    grep -F -e "$words" "$work/err" || fail "helm upgrade $*: $(cat "$work/err")"
}

of() { kubectl -n spec-kit get "$1" rs-release-server -o jsonpath="$2"; }
token() { of secret '{.data.token}'; }
template() { of deployment '{.spec.template}'; }

life() {
    quiet_helm install rs chart
    label='{.metadata.labels.pod-security\.kubernetes\.io/enforce}'
    expect "without a chosen namespace the release is in spec-kit, for restricted pods only" \
        restricted "$(kubectl get namespace spec-kit -o jsonpath="$label")"
    first_token=$(token) first_template=$(template) claim=$(of pvc '{.metadata.uid}')

    quiet_helm upgrade rs chart --set config.max_packages=340
    expect "an upgrade keeps the token" "$first_token" "$(token)"
    [ "$(template)" != "$first_template" ] || fail "a changed setting does not restart the pods"
    second_template=$(template)

    kubectl -n spec-kit create secret generic rs-release-server --from-literal=token=rotated \
        --dry-run=client -o yaml |
        kubectl -n spec-kit apply --server-side --force-conflicts -f - >/dev/null
    quiet_helm upgrade rs chart --set config.max_packages=340
    expect "an upgrade keeps a rotated token" rotated "$(token | base64 -d)"
    expect "a rotated token does not restart the pods" "$second_template" "$(template)"

    quiet_helm upgrade rs chart --set persistence.enabled=false
    expect "without a volume pods overlap" RollingUpdate "$(of deployment '{.spec.strategy.type}')"
    expect "an unused claim is kept" "$claim" "$(of pvc '{.metadata.uid}')"

    quiet_helm rollback rs 1
    expect "a rollback restores the settings and the strategy" "$first_template Recreate" \
        "$(template) $(of deployment '{.spec.strategy.type}')"
    expect "a rollback restores the token of its revision" "$first_token" "$(token)"

    refused 'replicaCount is 2' --set replicaCount=2
    refused 'accessMode is ReadWriteMany, but the claim' --set persistence.accessMode=ReadWriteMany
    refused 'storageClass is fast, but the claim' --set persistence.storageClass=fast
    refused 'size is 1Gi, but the claim' --set persistence.size=1Gi
    expect "refused upgrades change nothing, and the release is not failed" "1 deployed" \
        "$(of deployment '{.spec.replicas}') $(helm status rs -o json |
            python3 -c 'import json, sys; print(json.load(sys.stdin)["info"]["status"])')"

    quiet_helm uninstall rs
    expect "an uninstall keeps the claim" "$claim" "$(of pvc '{.metadata.uid}')"
    expect "and nothing else" "" \
        "$(kubectl -n spec-kit get deployment,service,secret,serviceaccount,pod -o name |
            grep -v '^serviceaccount/default$' || :)"
    quiet_helm install rs chart
    expect "an install uses the kept claim" "$claim" "$(of pvc '{.metadata.uid}')"
    [ "$(token)" != "$first_token" ] || fail "a new install has an old token"
    quiet_helm uninstall rs
}

# A user with permissions for the chart's objects in one namespace, and for nothing else.
deployer() {
    restricted_namespace team
    kubectl apply -f - >/dev/null <<'EOF'
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: deployer, namespace: team}
rules:
  - apiGroups: ['', apps]
    resources: [configmaps, deployments, persistentvolumeclaims, secrets, serviceaccounts, services]
    verbs: ['*']
EOF
    kubectl -n team create rolebinding deployer --role deployer --user deployer >/dev/null
    quiet_helm install rs chart --namespace team --kube-token "$deployer"
    quiet_helm upgrade rs chart --namespace team --kube-token "$deployer" --set replicaCount=0
    expect "a user with permissions in one namespace only can install and upgrade" 0 \
        "$(kubectl -n team get deployment rs-release-server -o jsonpath='{.spec.replicas}')"
    quiet_helm uninstall rs --namespace team
}

# A release of an older chart is upgraded in place.
from_older() {
    [ -n "${UPGRADE_FROM-}" ] || return 0
    restricted_namespace older
    quiet_helm install rs "$UPGRADE_FROM" --namespace older
    name=$(kubectl -n older get secret -o name | grep rs-release-server)
    before=$(kubectl -n older get "$name" -o jsonpath='{.data.token}')
    claim=$(kubectl -n older get pvc rs-release-server -o jsonpath='{.metadata.uid}')
    quiet_helm upgrade rs chart --namespace older
    expect "an upgrade from the older chart keeps token and claim" "$before $claim" \
        "$(kubectl -n older get "$name" -o jsonpath='{.data.token}') $(
            kubectl -n older get pvc rs-release-server -o jsonpath='{.metadata.uid}'
        )"
    admit_pod older
    quiet_helm rollback rs 1 --namespace older
    quiet_helm upgrade rs chart --namespace older --values chart/ci/monitoring-values.yaml
    expect "so does a rollback, and an upgrade after it" "$claim" \
        "$(kubectl -n older get pvc rs-release-server -o jsonpath='{.metadata.uid}')"
    quiet_helm uninstall rs --namespace older
}

# Traefik with its controllers. Sets `port`, where it listens.
start_traefik() {
    ports=$(free_ports)
    port=${ports%% *}
    cluster="{endpoint: 'https://127.0.0.1:$secure', token: $admin, certAuthFilePath: $work/certificates/apiserver.crt}"
    cat >"$work/traefik.yaml" <<EOF
entryPoints: {websecure: {address: '127.0.0.1:$port'}}
providers: {kubernetesIngress: $cluster, kubernetesCRD: $cluster, kubernetesGateway: $cluster}
EOF
    traefik --configFile="$work/traefik.yaml" >"$work/traefik.log" 2>&1 &
    started="$! $started"
    # What its own chart would have brought, and a Gateway.
    kubectl apply -f - >/dev/null <<EOF
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: traefik}
spec: {controller: traefik.io/ingress-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: traefik}
spec: {controllerName: traefik.io/gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public, namespace: spec-kit}
spec:
  gatewayClassName: traefik
  listeners:
    - {name: https, port: $port, protocol: HTTPS, tls: {certificateRefs: [{name: gateway-tls}]}}
EOF
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=releases.example.org \
        -keyout "$work/tls.key" \
        -out "$work/tls.crt" 2>/dev/null
    kubectl -n spec-kit create secret tls gateway-tls \
        --cert "$work/tls.crt" --key "$work/tls.key" >/dev/null
}

# The server in place of the pod, with an EndpointSlice. The API server refuses loopback addresses.
start_server() {
    address=$(hostname -I | cut -d ' ' -f 1)
    : >"$work/server.log"
    env -i AUTH_TOKEN=secret STORAGE_PATH="$work/data" HOST="$address" PORT=0 \
        CONFIG_PATH=/dev/null TRUST_FORWARDED=true \
        target/debug/release-server >"$work/server.log" 2>&1 &
    started="$! $started"
    until grep -q '"message":"listening"' "$work/server.log"; do
        kill -0 "${started%% *}" || fail "the server does not listen: $(cat "$work/server.log")"
        sleep 0.1
    done
    listening=$(sed -n '/listening/s/.*"address":"[^"]*:\([0-9]*\)".*/\1/p' "$work/server.log")
    kubectl apply -f - >/dev/null <<EOF
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: by-hand
  namespace: spec-kit
  labels: {kubernetes.io/service-name: rs-release-server}
addressType: IPv4
endpoints: [{addresses: ['$address'], conditions: {ready: true}}]
ports: [{name: http, port: $listening}]
EOF
}

ask() {
    curl --silent --show-error --insecure --max-time 30 \
        --resolve "releases.example.org:$port:127.0.0.1" \
        --header 'Authorization: Bearer secret' "$@"
}

# passes_on WHAT NAME: a package published through Traefik can be fetched by its public URL.
passes_on() {
    base=https://releases.example.org:$port/packages-of-ours
    tries=0
    until [ "$(ask "$base/healthz" 2>/dev/null)" = OK ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 60 ] || fail "$1 leads nowhere: $(tail -n 5 "$work/traefik.log")"
        sleep 1
    done
    # Larger than 1 MiB, the default limit of some controllers.
    head -c 2000000 /dev/urandom >"$work/$2"
    ask --upload-file "$work/$2" --output /dev/null "$base/assets/$2"
    url=$(ask "$base/latest" | python3 -c 'import json, sys
print(json.load(sys.stdin)["assets"][0]["browser_download_url"])')
    expect "$1 publishes, and answers name the public URL" "$base/assets/$2" "$url"
    expect "the URL leads to the package" "$(sha256sum <"$work/$2")" "$(ask "$url" | sha256sum)"
    quiet_helm uninstall rs
}

through_traefik() {
    if ! command -v traefik >/dev/null || [ ! -x target/debug/release-server ] ||
        ! kubectl get crd middlewares.traefik.io >/dev/null 2>&1 ||
        ! kubectl get crd gateways.gateway.networking.k8s.io >/dev/null 2>&1; then
        echo 'skipped: requests through Traefik (needs traefik, CRDs, target/debug/release-server)'
        return
    fi
    start_traefik
    start_server
    # shellcheck disable=SC2016 # the backquotes are the README's
    sed -n '/^## Behind an Ingress/,/^## HTTPS/{/^```yaml$/,/^```$/{/^```/d;p;};}' chart/README.md \
        >"$work/values.yaml"
    quiet_helm install rs chart --values "$work/values.yaml"
    passes_on "an Ingress under a path" ingress.zip
    quiet_helm install rs chart --set config.trust_forwarded=true \
        --set httpRoute.enabled=true,httpRoute.path=/packages-of-ours \
        --set 'httpRoute.parentRefs[0].name=public,httpRoute.hostnames[0]=releases.example.org'
    passes_on "an HTTPRoute under a path" httproute.zip
}

start
for definition do
    kubectl apply --server-side -f "$definition" >/dev/null
    # kubectl fails instead of waiting as long as the definition has no conditions at all.
    tries=0
    until kubectl wait --for condition=Established -f "$definition" >/dev/null 2>"$work/err"; do
        tries=$((tries + 1))
        [ "$tries" -lt 60 ] || fail "$definition is not established: $(cat "$work/err")"
        sleep 0.5
    done
done
every_set_up
life
deployer
from_older
through_traefik
echo 'chart-apiserver.sh: all passed'
