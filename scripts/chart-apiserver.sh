#!/bin/sh
# Installs, upgrades, rolls back and uninstalls the chart against a real API server.
#
#   scripts/chart-apiserver.sh CRD_FILE...
#
# Starts etcd and kube-apiserver on this host's loopback, with their data in a temporary directory, and ends them
# again. No node joins, so no pod runs: what is shown is that every object of every set-up in chart/ci is taken
# without a warning, that its pods pass the admission of Pod Security "restricted", and what becomes of token, claim
# and settings over a release's life. The CRD_FILEs define HTTPRoute, ServiceMonitor and PrometheusRule. Needs etcd,
# kube-apiserver, kubectl, helm, openssl and python3. Exit code 0 when all is as it should be.
#
# Where Traefik 3 is in PATH and the CRD_FILEs define its kinds and the Gateway API's, requests go through it, too, by
# chart/README.md's lines for an Ingress and by an HTTPRoute, to target/debug/release-server in place of the pod.
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

# expect WHAT WANTED GOT
expect() {
    [ "$2" = "$3" ] || fail "$1: it is '$3', not '$2'"
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
    admin=$(openssl rand -hex 16)
    echo "$admin,admin,admin,system:masters" >"$work/users"
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
        [ "$tries" -lt 120 ] || { tail -n 5 "$work"/*.log >&2; fail "the API server is not ready after 2 minutes"; }
        sleep 1
    done
    kubectl version 2>/dev/null | sed -n 's/^Server Version: /API server /p'
}

# Runs helm; a warning, such as that of Pod Security about a Deployment, is a failure.
quiet_helm() {
    helm "$@" >"$work/out" 2>"$work/err" || fail "helm $*: $(cat "$work/err")"
    [ ! -s "$work/err" ] || fail "helm $* warns: $(cat "$work/err")"
}

# A namespace in which nobody but restricted pods may be.
restricted_namespace() {
    kubectl create namespace "$1" >/dev/null
    for mode in enforce warn; do
        kubectl label namespace "$1" "pod-security.kubernetes.io/$mode=restricted" >/dev/null
    done
}

# The pod that a Deployment's controller would make, offered to the API server.
admit_pod() {
    kubectl -n "$1" get "$(kubectl -n "$1" get deployment -o name)" -o json | python3 -c 'import json, sys
template = json.load(sys.stdin)["spec"]["template"]
metadata = {**template["metadata"], "name": "pod"}
json.dump({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}, sys.stdout)' |
        kubectl -n "$1" create --dry-run=server -f - >/dev/null || fail "the pod is not admitted in $1"
}

every_set_up() {
    # What the set-up of everything takes for granted.
    restricted_namespace templates
    kubectl create priorityclass releases --value 1 >/dev/null
    kubectl -n templates create serviceaccount releases >/dev/null
    kubectl -n templates run pod --image any --overrides '{"spec": {"serviceAccountName": "releases"}}' \
        --dry-run=server 2>&1 | grep -q 'violates PodSecurity "restricted' || fail "a pod with rights is admitted"
    for values in chart/ci/*-values.yaml; do
        name=${values##*/}
        name=${name%-values.yaml}
        namespace=ci-$name
        if [ "$name" = everything ]; then namespace=templates; else restricted_namespace "$namespace"; fi
        quiet_helm install rs chart --namespace "$namespace" --values "$values"
        admit_pod "$namespace"
        # The same values once more change nothing.
        before=$(kubectl -n "$namespace" get deployment -o jsonpath='{.items[0].metadata.generation}')
        quiet_helm upgrade rs chart --namespace "$namespace" --values "$values"
        expect "set-up '$name' is taken, its pod admitted, an upgrade changes nothing" "$before" \
            "$(kubectl -n "$namespace" get deployment -o jsonpath='{.items[0].metadata.generation}')"
        quiet_helm uninstall rs --namespace "$namespace"
    done
}

of() { kubectl -n spec-kit get "$1" rs-release-server -o jsonpath="$2"; }
token() { of secret '{.data.token}'; }
template() { of deployment '{.spec.template}'; }

life() {
    quiet_helm install rs chart
    expect "without a namespace it is in spec-kit, which is closed to other than restricted pods" restricted \
        "$(kubectl get namespace spec-kit -o jsonpath='{.metadata.labels.pod-security\.kubernetes\.io/enforce}')"
    first_token=$(token) first_template=$(template) claim=$(of pvc '{.metadata.uid}')

    quiet_helm upgrade rs chart --set config.max_packages=340
    expect "an upgrade keeps the token" "$first_token" "$(token)"
    [ "$(template)" != "$first_template" ] || fail "a changed setting does not roll the pods"
    second_template=$(template)

    kubectl -n spec-kit create secret generic rs-release-server --from-literal=token=rotated --dry-run=client -o yaml |
        kubectl -n spec-kit apply --server-side --force-conflicts -f - >/dev/null
    quiet_helm upgrade rs chart --set config.max_packages=340
    expect "an upgrade keeps a rotated token" rotated "$(token | base64 -d)"
    expect "a rotated token does not roll the pods" "$second_template" "$(template)"

    quiet_helm upgrade rs chart --set persistence.enabled=false
    expect "without a volume pods overlap" RollingUpdate "$(of deployment '{.spec.strategy.type}')"
    expect "the claim stays when it is not used" "$claim" "$(of pvc '{.metadata.uid}')"

    quiet_helm rollback rs 1
    expect "a rollback brings back the settings and the strategy" "$first_template Recreate" \
        "$(template) $(of deployment '{.spec.strategy.type}')"
    expect "a rollback brings back the token of its revision" "$first_token" "$(token)"

    if helm upgrade rs chart --set replicaCount=2 >/dev/null 2>"$work/err"; then
        fail "two pods on ReadWriteOnce are not refused"
    fi
    expect "a refusal changes nothing" 1 "$(of deployment '{.spec.replicas}')"
    grep -- '^- ' "$work/err"

    quiet_helm uninstall rs
    expect "an uninstall leaves the claim" "$claim" "$(of pvc '{.metadata.uid}')"
    expect "and nothing else" "" "$(kubectl -n spec-kit get deployment,service,secret,serviceaccount,pod -o name |
        grep -v '^serviceaccount/default$' || :)"
    quiet_helm install rs chart
    expect "an install takes the claim over" "$claim" "$(of pvc '{.metadata.uid}')"
    [ "$(token)" != "$first_token" ] || fail "a new install has an old token"
    quiet_helm uninstall rs
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
  listeners: [{name: https, port: $port, protocol: HTTPS, tls: {certificateRefs: [{name: gateway-tls}]}}]
EOF
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=releases.example.org -keyout "$work/tls.key" \
        -out "$work/tls.crt" 2>/dev/null
    kubectl -n spec-kit create secret tls gateway-tls --cert "$work/tls.crt" --key "$work/tls.key" >/dev/null
}

# The server in the pod's place, and what would lead to the pod. Only an address of this machine's own will do.
start_server() {
    address=$(hostname -I | cut -d ' ' -f 1)
    : >"$work/server.log"
    env -i AUTH_TOKEN=secret STORAGE_PATH="$work/data" HOST="$address" PORT=0 CONFIG_PATH=/dev/null TRUST_FORWARDED=true \
        target/debug/release-server >"$work/server.log" 2>&1 &
    started="$! $started"
    until grep -q '"message":"listening"' "$work/server.log"; do
        kill -0 "${started%% *}" || fail "the server does not listen: $(cat "$work/server.log")"
        sleep 0.1
    done
    kubectl apply -f - >/dev/null <<EOF
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: by-hand, namespace: spec-kit, labels: {kubernetes.io/service-name: rs-release-server}}
addressType: IPv4
endpoints: [{addresses: ['$address'], conditions: {ready: true}}]
ports: [{name: http, port: $(sed -n '/listening/s/.*"address":"[^"]*:\([0-9]*\)".*/\1/p' "$work/server.log")}]
EOF
}

ask() {
    curl --silent --show-error --insecure --max-time 30 --resolve "releases.example.org:$port:127.0.0.1" \
        --header 'Authorization: Bearer secret' "$@"
}

# passes_on WHAT NAME: a package published through Traefik has a public URL, which leads to it.
passes_on() {
    base=https://releases.example.org:$port/packages-of-ours
    tries=0
    until [ "$(ask "$base/healthz" 2>/dev/null)" = OK ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 60 ] || fail "$1 leads nowhere: $(tail -n 5 "$work/traefik.log")"
        sleep 1
    done
    # Over the 1 MiB that some controllers take by default.
    head -c 2000000 /dev/urandom >"$work/$2"
    ask --upload-file "$work/$2" --output /dev/null "$base/assets/$2"
    url=$(ask "$base/latest" | python3 -c 'import json, sys; print(json.load(sys.stdin)["assets"][0]["browser_download_url"])')
    expect "$1 publishes, and answers name the public URL" "$base/assets/$2" "$url"
    expect "the URL leads to the package" "$(sha256sum <"$work/$2")" "$(ask "$url" | sha256sum)"
    quiet_helm uninstall rs
}

through_traefik() {
    if ! command -v traefik >/dev/null || [ ! -x target/debug/release-server ] ||
        ! kubectl get crd middlewares.traefik.io gateways.gateway.networking.k8s.io >/dev/null 2>&1; then
        echo 'skipped: requests through Traefik (it needs traefik, its definitions, and target/debug/release-server)'
        return
    fi
    start_traefik
    start_server
    # shellcheck disable=SC2016 # the backquotes are the README's
    sed -n '/^## Behind an Ingress/,/^## Up/{/^```yaml$/,/^```$/{/^```/d;p;};}' chart/README.md >"$work/values.yaml"
    quiet_helm install rs chart --values "$work/values.yaml"
    passes_on "an Ingress under a path" ingress.zip
    quiet_helm install rs chart --set config.trust_forwarded=true,httpRoute.enabled=true,httpRoute.path=/packages-of-ours \
        --set 'httpRoute.parentRefs[0].name=public,httpRoute.hostnames[0]=releases.example.org'
    passes_on "an HTTPRoute under a path" httproute.zip
}

start
for definition do
    kubectl apply --server-side -f "$definition" >/dev/null
    kubectl wait --for condition=Established -f "$definition" >/dev/null
done
every_set_up
life
through_traefik
echo 'chart-apiserver.sh: all is as it should be'
