#!/usr/bin/env python3
"""Renders the chart with every file of values in chart/ci and checks the objects.

    scripts/chart_manifests.py SERVER CRD_FILE...

Every object, for the oldest and the newest Kubernetes: its schema (strict; for custom resources
from their CustomResourceDefinitions), the names that it refers to, its namespace, Pod Security
"restricted"; the settings, by the server's own check-config. Then which values restart the pods,
and which values the schema refuses. Needs helm, openssl, PyYAML and kubernetes-validate, which
contains the schemas; no network.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema
import kubernetes_validate
import yaml

CHART = pathlib.Path(__file__).resolve().parent.parent / "chart"
OLDEST = re.search(r">=(\d+\.\d+)", (CHART / "Chart.yaml").read_text())[1]
NEWEST = kubernetes_validate.latest_version()

# Key, refused value, part of the message. Values are JSON for --set-json.
REFUSED = [
    ("replicas", "3", "'replicas' not allowed"),
    ("config.auth_token", '"word"', "'auth_token' not allowed"),
    ("config.auth_token_file", '"/token"', "'auth_token_file' not allowed"),
    ("auth.token", '"one\\ntwo"', "at '/auth/token'"),
    ("auth.token", '"word "', "at '/auth/token'"),
    ("config.port", "0", "at '/config/port': minimum: got 0, want 1"),
    ("config.port", "65536", "at '/config/port': maximum"),
    ("config.host", '"localhost"', "at '/config/host'"),
    ("config.storage_path", '"data"', "at '/config/storage_path'"),
    ("config.storage_path", '"/"', "at '/config/storage_path'"),
    ("config.max_packages", "-1", "at '/config/max_packages': minimum"),
    ("config.latest_by", '"name"', "at '/config/latest_by': value must be one of"),
    ("config.max_upload_size", '"1GB"', "at '/config/max_upload_size'"),
    ("config.public_url", '"https://example.org/?a=b"', "at '/config/public_url'"),
    ("config.public_url", '"example.org"', "at '/config/public_url'"),
    ("config.trust_forwarded", '"yes"', "at '/config/trust_forwarded': got string, want boolean"),
    ("config.workers", "1025", "at '/config/workers': maximum"),
    ("config.max_connections", "0", "at '/config/max_connections': minimum"),
    ("config.idle_timeout", "0", "at '/config/idle_timeout'"),
    ("config.shutdown_delay", '"1h"', "at '/config/shutdown_delay'"),
    ("config.shutdown_grace", '"010"', "at '/config/shutdown_grace'"),
    ("config.log_level", '"verbose"', "at '/config/log_level'"),
    (
        "persistence.accessMode",
        '"ReadOnlyMany"',
        "at '/persistence/accessMode': value must be one of",
    ),
    ("persistence.size", '"ten"', "at '/persistence/size'"),
    ("image.pullPolicy", '"Sometimes"', "at '/image/pullPolicy': value must be one of"),
    ("image.digest", '"sha256:abc"', "at '/image/digest'"),
    ("service.type", '"ExternalName"', "at '/service/type': value must be one of"),
    (
        "service.externalTrafficPolicy",
        '"Node"',
        "at '/service/externalTrafficPolicy': value must be one of",
    ),
    ("service.loadBalancerSourceRanges", '["all"]', "at '/service/loadBalancerSourceRanges/0'"),
    ("service.ipFamilies", '["IPv5"]', "at '/service/ipFamilies/0'"),
    ("verify.schedule", '""', "at '/verify/schedule': minLength"),
    ("ingress.hosts", '["https://example.org"]', "at '/ingress/hosts/0'"),
    ("httpRoute.path", '"specs"', "at '/httpRoute/path'"),
    ("podDisruptionBudget.maxUnavailable", '"half"', "at '/podDisruptionBudget/maxUnavailable'"),
    (
        "livenessProbe.successThreshold",
        "2",
        "at '/livenessProbe/successThreshold': value must be 1",
    ),
    ("readinessProbe.path", '"/latest"', "'path' not allowed"),
    ("podLabels", '{"version": 2}', "at '/podLabels/version': got number, want string"),
    ("extraEnv", '[{"value": "1"}]', "at '/extraEnv/0': missing property 'name'"),
]

problems = []


# What a Secret with tokens may hold.
TOKENS = "tokens: [{name: ci, sha256: " + "0a" * 32 + ", may: [publish]}]"


def check(holds, problem):
    if not holds:
        problems.append(problem)


def helm(*arguments, version=NEWEST):
    command = ["helm", "template", "rs", str(CHART), "--kube-version", version, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def render(*arguments, version=NEWEST):
    """The objects that helm makes."""
    done = helm(*arguments, version=version)
    if done.returncode:
        sys.exit(f"helm template {' '.join(arguments)}: {done.stderr}")
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def find(objects, kind):
    """The object of a kind that has the Deployment's name."""
    name = next(item["metadata"]["name"] for item in objects if item["kind"] == "Deployment")
    return next(
        item for item in objects if (item["kind"], item["metadata"]["name"]) == (kind, name)
    )


# Schemas


def closed(schema):
    """The schema for strict field validation: no field that it does not name."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: closed(value) for key, value in schema.items()}
    open_ended = "additionalProperties" in schema or schema.get(
        "x-kubernetes-preserve-unknown-fields"
    )
    if (
        schema.get("type") == "object"
        and isinstance(schema.get("properties"), dict)
        and not open_ended
    ):
        result["additionalProperties"] = False
    return result


def custom_schemas(paths):
    """Schemas of the definitions' versions, by apiVersion and kind."""
    schemas = {}
    for path in paths:
        spec = yaml.safe_load(pathlib.Path(path).read_text())["spec"]
        for version in spec["versions"]:
            name = f"{spec['group']}/{version['name']}"
            schemas[name, spec["names"]["kind"]] = closed(version["schema"]["openAPIV3Schema"])
    return schemas


def check_schema(item, version, schemas, place):
    try:
        own = schemas.get((item["apiVersion"], item["kind"]))
        if own:
            # The schema itself is not checked: some of its patterns are valid only in Go.
            jsonschema.Draft202012Validator(own).validate(item)
        else:
            kubernetes_validate.validate(item, version, strict=True)
    except jsonschema.ValidationError as error:
        problems.append(f"{place}: {'.'.join(map(str, error.absolute_path))}: {error.message}")
    except kubernetes_validate.SchemaNotFoundError as error:
        problems.append(f"{place}: {error.message}")


# Pods


def check_restricted(pod, place):
    """Pod Security "restricted", as far as it concerns the chart, and a read-only root."""
    own = pod["securityContext"]
    check(
        not any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")),
        f"{place}: it uses the host's own",
    )
    check(
        own.get("runAsNonRoot") is True and own.get("runAsUser", 0) > 0,
        f"{place}: it may run as root",
    )
    check(own.get("seccompProfile") == {"type": "RuntimeDefault"}, f"{place}: no seccomp profile")
    check(not own.get("sysctls"), f"{place}: it sets sysctls")
    check(
        own.get("fsGroupChangePolicy") == "OnRootMismatch",
        f"{place}: every start would walk the whole volume",
    )
    check(
        pod["automountServiceAccountToken"] is False,
        f"{place}: a service account's token is mounted",
    )
    for volume in pod.get("volumes", []):
        kinds = set(volume) - {"name"}
        check(
            kinds <= {"configMap", "emptyDir", "persistentVolumeClaim", "secret"},
            f"{place}: a volume is {kinds}",
        )
    for container in pod["containers"]:
        context = container["securityContext"]
        check(not context.get("privileged"), f"{place}: privileged")
        check(context.get("allowPrivilegeEscalation") is False, f"{place}: privileges may grow")
        check(context.get("capabilities") == {"drop": ["ALL"]}, f"{place}: capabilities are left")
        check(context.get("readOnlyRootFilesystem") is True, f"{place}: the root can be written")
        check(
            not any("hostPort" in port for port in container.get("ports", [])),
            f"{place}: a port of the host",
        )
        check("limits" in container["resources"], f"{place}: no limits")


def check_selectors(objects, place):
    """Every selector of pods matches the server's, and no pod of helm test or the CronJob."""
    server = find(objects, "Deployment")["spec"]["template"]["metadata"]["labels"].items()
    others = [item["metadata"]["labels"].items() for item in objects if item["kind"] == "Pod"]
    jobs = [
        item["spec"]["jobTemplate"]["spec"]["template"]
        for item in objects
        if item["kind"] == "CronJob"
    ]
    others += [template["metadata"]["labels"].items() for template in jobs]
    for item in objects:
        spec = item.get("spec", {})
        selector = spec.get("selector") or spec.get("podSelector") or {}
        wanted = selector.get("matchLabels", selector).items()
        if wanted and item["kind"] not in ("PersistentVolumeClaim", "ServiceMonitor"):
            check(wanted <= server, f"{place}: {item['kind']} does not select the server's pods")
            selected = any(wanted <= labels for labels in others)
            check(not selected, f"{place}: {item['kind']} selects other pods than the server's")
        if item["kind"] == "ServiceMonitor":
            labels = find(objects, "Service")["metadata"]["labels"].items()
            check(wanted <= labels, f"{place}: the ServiceMonitor does not select the Service")


def check_references(objects, values, place):
    """Every object that another one refers to exists or is named by a value."""
    names = {(item["kind"], item["metadata"]["name"]) for item in objects}
    names.add(("Secret", values.get("auth", {}).get("existingSecret")))
    names.add(("PersistentVolumeClaim", values.get("persistence", {}).get("existingClaim")))
    pod = find(objects, "Deployment")["spec"]["template"]["spec"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounted = {mount["name"] for mount in pod["containers"][0]["volumeMounts"]}
    check(
        mounted == set(volumes), f"{place}: volumes and mounts differ in {mounted ^ set(volumes)}"
    )
    wanted = [("ConfigMap", volumes["config"]["configMap"]["name"])]
    if "token" in volumes:
        wanted += [("Secret", volumes["token"]["secret"]["secretName"])]
    if "persistentVolumeClaim" in volumes["packages"]:
        wanted += [
            ("PersistentVolumeClaim", volumes["packages"]["persistentVolumeClaim"]["claimName"])
        ]
    for item in objects:
        for rule in (
            item.get("spec", {}).get("rules", [])
            if item["kind"] in ("Ingress", "HTTPRoute")
            else []
        ):
            backends = rule.get("backendRefs") or [
                path["backend"]["service"] for path in rule["http"]["paths"]
            ]
            wanted += [("Service", backend["name"]) for backend in backends]
    for kind, name in wanted:
        check((kind, name) in names, f"{place}: there is no {kind} {name}")
    elsewhere = values.get("dashboard", {}).get("namespace")
    namespaces = {
        item["metadata"].get("namespace") for item in objects if item["kind"] != "Namespace"
    }
    namespaces -= {elsewhere} if elsewhere else set()
    check(
        len(namespaces) == 1 and None not in namespaces, f"{place}: the namespaces are {namespaces}"
    )


def secret_files():
    """Settings that name a file of a Secret: the volume, and a content that the server accepts."""
    with tempfile.TemporaryDirectory() as directory:
        key, certificate = pathlib.Path(directory, "key"), pathlib.Path(directory, "certificate")
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        command += ["-subj", "/CN=a", "-addext", "subjectAltName=DNS:a"]
        command += ["-keyout", str(key), "-out", str(certificate)]
        subprocess.run(command, capture_output=True, check=True)
        return {
            "auth_token_file": ("token", "token"),
            "tls_certificate": ("tls", certificate.read_text()),
            "tls_key": ("tls", key.read_text()),
            "bucket_access_key_file": ("bucket-keys", "access"),
            "bucket_secret_key_file": ("bucket-keys", "secret"),
            "bucket_ca_file": ("bucket-authorities", certificate.read_text()),
        }


def tokens_files(objects, settings, mounts, directory, place):
    """The tokens files, written where the server can read them."""
    stored = find(objects, "ConfigMap")["data"]
    paths = []
    for number, name in enumerate(settings.get("tokens_file", [])):
        is_mounted = os.path.dirname(name) in mounts.values()
        check(is_mounted, f"{place}: {name} is not in a mounted directory")
        path = pathlib.Path(directory, f"tokens-{number}.yaml")
        path.write_text(stored.get(os.path.basename(name), TOKENS))
        paths.append(str(path))
    return paths


def check_settings(server, objects, place, files):
    """The server accepts the rendered settings, which name files in the mounted directories."""
    text = find(objects, "ConfigMap")["data"]["config.yaml"]
    settings = yaml.safe_load(text)
    pod = find(objects, "Deployment")["spec"]["template"]["spec"]
    mounts = {item["name"]: item["mountPath"] for item in pod["containers"][0]["volumeMounts"]}
    with tempfile.TemporaryDirectory() as directory:
        config = pathlib.Path(directory, "config.yaml")
        config.write_text(text)
        variables = {"CONFIG_PATH": str(config), "PATH": os.environ["PATH"]}
        if settings.get("bucket"):
            # Nothing listens there.
            variables["BUCKET_ENDPOINT"] = "http://127.0.0.1:9"
            variables["AWS_EC2_METADATA_DISABLED"] = "true"
            variables |= {"AWS_ACCESS_KEY_ID": "access", "AWS_SECRET_ACCESS_KEY": "secret"}
        for name in files.keys() & settings.keys():
            volume, content = files[name]
            is_mounted = os.path.dirname(settings[name]) == mounts.get(volume)
            check(is_mounted, f"{place}: {settings[name]} is not in a mounted directory")
            path = pathlib.Path(directory, name)
            path.write_text(content)
            variables[name.upper()] = str(path)
        if settings.get("issuers_ca_file"):
            # A volume of the operator's own.
            path = pathlib.Path(directory, "issuers")
            path.write_text(files["tls_certificate"][1])
            variables["ISSUERS_CA_FILE"] = str(path)
        tokens = tokens_files(objects, settings, mounts, directory, place)
        variables |= {"TOKENS_FILE": ",".join(tokens)} if tokens else {}
        done = subprocess.run(
            [server, "check-config"],
            env=variables,
            cwd=directory,
            capture_output=True,
            text=True,
            check=False,
        )
    if settings.get("bucket"):
        # The settings are accepted, and then the store is asked.
        check("cannot list the bucket" in done.stderr, f"{place}: {done.stderr.strip()}")
    else:
        check(done.returncode == 0, f"{place}: {done.stderr.strip()}")


def pod_of(item):
    """The specification of the pod of an object, if it has one."""
    if item["kind"] == "Pod":
        return item["spec"]
    if item["kind"] == "CronJob":
        item = item["spec"]["jobTemplate"]
    return item.get("spec", {}).get("template", {}).get("spec")


def check_set_up(path, version, server, schemas, files):
    place = f"{path.name}, Kubernetes {version}"
    objects = render("--values", str(path), version=version)
    for item in objects:
        check_schema(item, version, schemas, f"{place}, {item['kind']}")
        if pod := pod_of(item):
            check_restricted(pod, f"{place}, {item['kind']}")
    check_selectors(objects, place)
    check_references(objects, yaml.safe_load(path.read_text()), place)
    check_settings(server, objects, place, files)
    return len(objects)


def check_rolling():
    """A changed setting restarts the pods; a changed token or annotation does not."""

    def pods(*values):
        # Without a memory limit the number of packages is free,
        # and the settings of HTTPS and of issuers need a certificate and tokens.
        secrets = ('tls.secretName="tls"', 'auth.tokensSecret="tokens"')
        values = ("resources.limits=null", *secrets, *values)
        arguments = [part for value in values for part in ("--set-json", value)]
        return find(render(*arguments), "Deployment")["spec"]["template"]

    before = pods('auth.token="one"')
    everything = yaml.safe_load((CHART / "ci/everything-values.yaml").read_text())
    check(pods('auth.token="two"') == before, "a changed token restarts the pods")
    check(
        pods('service.annotations={"a":"b"}') == before,
        "an annotation of the Service restarts the pods",
    )
    # The settings of a bucket need one.
    bucket = ('config.bucket="s3://other"', 'config.bucket_endpoint="https://other.example.org"')
    bucket += ('persistence.size="100Gi"',)
    with_bucket = pods('auth.token="one"', *bucket)
    for key, value in everything["config"].items():
        base, others = (with_bucket, bucket) if key.startswith("bucket") else (before, ())
        after = pods('auth.token="one"', *others, f"config.{key}={json.dumps(value)}")
        same = after["metadata"]["annotations"] == base["metadata"]["annotations"]
        check(not same, f"a changed config.{key} does not restart the pods")


def check_refused():
    for value, given, words in REFUSED:
        done = helm("--set-json", f"{value}={given}")
        check(
            done.returncode and words in done.stderr,
            f"{value}={given}: not refused by {words!r}: {done.stderr}",
        )


def check_nulls():
    """A null equals an empty default, and is refused for other defaults."""
    empty, other = [], []

    def gather(values, prefix=""):
        for key, value in values.items():
            (empty if value in (None, "", []) else other).append(prefix + key)
            if isinstance(value, dict):
                gather(value, f"{prefix}{key}.")

    gather(yaml.safe_load((CHART / "values.yaml").read_text()))
    nulls = [part for key in empty for part in ("--set-json", f"{key}=null")]
    same, default = render(*nulls), render()
    for kind in ("Service", "PersistentVolumeClaim"):
        check(find(same, kind) == find(default, kind), f"with nulls the {kind} differs")
    pods = [find(objects, "Deployment")["spec"]["template"]["spec"] for objects in (same, default)]
    check(pods[0] == pods[1], "with nulls the pod differs")
    for key in (
        "config",
        "config.port",
        "persistence.size",
        "image.repository",
        "commonLabels",
        "readinessProbe",
    ):
        check(key in other, f"{key} has no default")
        done = helm("--set-json", f"{key}=null")
        check(
            f"missing property '{key.split('.')[-1]}'" in done.stderr,
            f"{key}=null is not refused: {done.stderr}",
        )


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    server, *definitions = sys.argv[1:]
    schemas = custom_schemas(definitions)
    files = secret_files()
    count = 0
    for path in sorted((CHART / "ci").glob("*-values.yaml")):
        for version in (OLDEST, NEWEST):
            count += check_set_up(path, version, os.path.abspath(server), schemas, files)
    check_rolling()
    check_refused()
    check_nulls()
    if problems:
        sys.exit("\n".join(problems))
    print(
        f"{count} objects are valid for Kubernetes {OLDEST} and {NEWEST}; "
        f"{len(REFUSED)} bad values are refused"
    )


if __name__ == "__main__":
    main()
