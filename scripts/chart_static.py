#!/usr/bin/env python3
"""Compares the parts of the chart with each other and with the sources, without rendering.

    scripts/chart_static.py

Compared: values.yaml, its schema and ci/everything-values.yaml; `config` with the settings in
src/config/keys.rs, and their variables with the tests of the refusals; the metrics of alerts and
dashboard with those of the server; the versions in Cargo.toml and Chart.yaml. Needs PyYAML.
"""

import json
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHART = ROOT / "chart"

# Settings that the chart writes itself: files of mounted Secrets.
MADE_BY_CHART = {
    "auth_token",
    "auth_token_file",
    "tokens_file",
    "tls_certificate",
    "tls_key",
    "bucket_ca_file",
    "bucket_access_key_file",
    "bucket_secret_key_file",
}
# Defaults that differ from the server's: in a cluster, endpoints are updated with a delay.
OTHER_DEFAULTS = {"shutdown_delay": "5s"}

problems = []


def check(holds, problem):
    if not holds:
        problems.append(problem)


def load(path):
    return yaml.safe_load((CHART / path).read_text())


# The schema


def check_schema(values, schema, name="values"):
    """Schema and values have the same keys. Every object of the chart refuses unknown keys and
    requires those whose default is not empty, because null removes a default in Helm."""
    properties = schema.get("properties")
    if properties is None:
        return
    known = set(properties) - {"global"}
    check(schema.get("additionalProperties") is False, f"values.schema.json: {name} is not closed")
    check(
        known == set(values),
        f"values.schema.json: {name} differs from values.yaml in {known ^ set(values)}",
    )
    required = [key for key, value in values.items() if value not in (None, "", [])]
    check(
        sorted(schema.get("required", [])) == sorted(required),
        f"values.schema.json: {name} has to require {required}",
    )
    for key in known & set(values):
        if isinstance(values[key], dict) and values[key]:
            check_schema(values[key], properties[key], f"{name}.{key}")


def check_all_set(values, everything, name=""):
    """ci/everything-values.yaml has every key, and settings differ from their defaults."""
    for key, default in values.items():
        check(key in everything, f"ci/everything-values.yaml: {name}{key} is missing")
        check(
            name != "config." or everything.get(key) != default,
            f"ci/everything-values.yaml: {name}{key} is the default",
        )
        # Passed on to Kubernetes unchanged: their keys are not the chart's.
        whole = key in (
            "podSecurityContext",
            "securityContext",
            "resources",
            "annotations",
            "labels",
        )
        if isinstance(default, dict) and not whole:
            check_all_set(default, everything.get(key) or {}, f"{name}{key}.")


# The server's sources


def server_settings():
    """The server's settings: name, variables, default."""
    text = (ROOT / "src/config/keys.rs").read_text()
    found = re.findall(r'key\(\s*"(\w+)",\s*&\[([^\]]*)\],\s*"([^"]*)"', text)
    check(
        len(found) == text.count("pub const ") - 1,
        "src/config/keys.rs: this script cannot parse it",
    )
    return {
        name: (re.findall(r'"(\w+)"', variables), default) for name, variables, default in found
    }


def as_text(value):
    """A value in the form of an environment variable."""
    if isinstance(value, list):
        return ",".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def check_settings(config):
    settings = server_settings()
    refusals = (CHART / "tests/refusals_test.yaml").read_text()
    check(
        set(config) == set(settings) - MADE_BY_CHART,
        "values.yaml: config and src/config/keys.rs differ in "
        f"{set(config) ^ (set(settings) - MADE_BY_CHART)}",
    )
    for name, (variables, default) in settings.items():
        for variable in variables:
            check(
                f"name: {variable}\n" in refusals,
                f"tests/refusals_test.yaml: extraEnv {variable} is not tried",
            )
        if name in config:
            expected = OTHER_DEFAULTS.get(name, default)
            check(
                as_text(config[name]) == expected,
                f"values.yaml: config.{name} is not the server's '{expected}'",
            )


def check_metrics():
    text = "".join(path.read_text() for path in (ROOT / "src/metrics").glob("*.rs"))
    names = re.findall(r'"([a-z_]+)"', text)
    histograms = re.findall(r'\.histogram\(\s*"([a-z_]+)"', text)
    names += [f"{name}_{part}" for name in histograms for part in ("bucket", "sum", "count")]
    known = {f"release_server_{name}" for name in names}
    for path in ("dashboards/release-server.json", "templates/prometheusrule.yaml"):
        used = set(re.findall(r"\brelease_server_\w+", (CHART / path).read_text()))
        check(used, f"{path}: it uses no metric")
        for name in sorted(used - known):
            problems.append(f"{path}: the server has no metric {name}")


def check_versions():
    crate = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]
    chart = load("Chart.yaml")
    image = load("values.yaml")["image"]["repository"]
    check(
        chart["version"] == crate,
        f"Chart.yaml: version is {chart['version']}, the crate's is {crate}",
    )
    check(
        chart["appVersion"] == crate,
        f"Chart.yaml: appVersion is {chart['appVersion']}, the crate's is {crate}",
    )
    images = [
        entry["image"] for entry in yaml.safe_load(chart["annotations"]["artifacthub.io/images"])
    ]
    check(
        images == [f"{image}:{crate}"], f"Chart.yaml: artifacthub.io/images is not {image}:{crate}"
    )


def main():
    values = load("values.yaml")
    check_schema(values, json.loads((CHART / "values.schema.json").read_text()))
    check_all_set(values, load("ci/everything-values.yaml"))
    check_settings(values["config"])
    check_metrics()
    check_versions()
    if problems:
        sys.exit("\n".join(problems))
    print(f"{len(server_settings())} settings, the schema, the metrics and the versions agree")


main()
