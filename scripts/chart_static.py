#!/usr/bin/env python3
"""Checks what the chart says in more than one place, without rendering it; writes the README's table of values.

    scripts/chart_static.py [--write]

Held to each other: values.yaml, its schema, the README's table and ci/everything-values.yaml; the settings in
src/config/keys.rs with `config`, and their variables with the refusals' tests; the metrics in src/metrics/text.rs
with alerts and dashboard; the versions in Cargo.toml and Chart.yaml. Needs PyYAML. With --write, the table is written
in place of being checked.
"""

import json
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHART = ROOT / "chart"
TABLE = re.compile(r"(<!-- values: .*? -->\n).*(<!-- /values -->)", re.S)

# Settings that the chart makes itself: the token is no part of a ConfigMap, its file is mounted where the chart says.
MADE_BY_CHART = {"auth_token", "auth_token_file"}
# Defaults that differ from the server's: here a rollout's endpoints lag behind.
OTHER_DEFAULTS = {"shutdown_delay": "5s"}

problems = []


def check(holds, problem):
    if not holds:
        problems.append(problem)


def load(path):
    return yaml.safe_load((CHART / path).read_text())


# values.yaml as rows


def comment_above(lines, number):
    """The comment that ends right above a line, with its indentation, as one text."""
    indent = re.match(" *", lines[number])[0]
    first = number
    while first > 0 and lines[first - 1].startswith(indent + "# "):
        first -= 1
    return " ".join(line[len(indent) + 2 :] for line in lines[first:number])


def rows(node, lines, prefix=""):
    """Rows of a mapping: key, its default as JSON or None where rows of its own keys follow, description."""
    described = [(key, value, comment_above(lines, key.start_mark.line)) for key, value in node.value]
    for key, value, text in described:
        name = prefix + key.value
        nested = rows_of_described(value, lines, name)
        check(text or nested, f"values.yaml: {name} has no comment above it")
        if text and nested:
            yield name, None, text
        yield from nested
        if not nested:
            yield name, json.dumps(yaml.safe_load(yaml.serialize(value))), text


def rows_of_described(node, lines, name):
    """The rows below a key, if it is a mapping whose keys have comments."""
    is_section = isinstance(node, yaml.MappingNode) and any(
        comment_above(lines, key.start_mark.line) for key, _ in node.value
    )
    return list(rows(node, lines, name + ".")) if is_section else []


def table():
    text = (CHART / "values.yaml").read_text()
    written = ["| Value | Default | |", "|---|---|---|"]
    for name, default, description in rows(yaml.compose(text), text.splitlines()):
        description = description.replace("|", "\\|")
        shown = "" if default is None else f"`{default}`"
        written.append(f"| `{name}{'.*' if default is None else ''}` | {shown} | {description} |")
    return "\n".join(written) + "\n"


def check_table(write):
    readme = CHART / "README.md"
    text = readme.read_text()
    check(TABLE.search(text), "README.md: the marks of the values' table are missing")
    renewed = TABLE.sub(lambda marks: marks[1] + table() + marks[2], text)
    if write:
        readme.write_text(renewed)
    check(write or renewed == text, "README.md: the table is not values.yaml's; run scripts/chart_static.py --write")


# The schema


def check_schema(values, schema, name="values"):
    """Every value is in the schema and the other way round; each object of the chart's own is closed, and requires what
    has to be something: a null, which for Helm takes a default away, counts as empty or is refused."""
    properties = schema.get("properties")
    if properties is None:
        return
    known = set(properties) - {"global"}
    check(schema.get("additionalProperties") is False, f"values.schema.json: {name} is not closed")
    check(known == set(values), f"values.schema.json: {name} differs from values.yaml in {known ^ set(values)}")
    required = [key for key, value in values.items() if value not in (None, "", [])]
    check(sorted(schema.get("required", [])) == sorted(required), f"values.schema.json: {name} has to require {required}")
    for key in known & set(values):
        if isinstance(values[key], dict) and values[key]:
            check_schema(values[key], properties[key], f"{name}.{key}")


def check_all_set(values, everything, name=""):
    """The set-up of everything has every key; of a setting, other than the default."""
    for key, default in values.items():
        check(key in everything, f"ci/everything-values.yaml: {name}{key} is missing")
        check(
            name != "config." or everything.get(key) != default,
            f"ci/everything-values.yaml: {name}{key} is the default",
        )
        # Passed on to Kubernetes whole: what is in it is no value of the chart's.
        whole = key in ("podSecurityContext", "securityContext", "resources", "annotations", "labels")
        if isinstance(default, dict) and not whole:
            check_all_set(default, everything.get(key) or {}, f"{name}{key}.")


# The server's sources


def server_settings():
    """The server's settings: name, variables, default."""
    text = (ROOT / "src/config/keys.rs").read_text()
    found = re.findall(r'key\(\s*"(\w+)",\s*&\[([^\]]*)\],\s*"([^"]*)"', text)
    check(len(found) == text.count("pub const ") - 1, "src/config/keys.rs: this script does not understand it any more")
    return {name: (re.findall(r'"(\w+)"', variables), default) for name, variables, default in found}


def as_text(value):
    """A value as a variable would hold it."""
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
        f"values.yaml: config and src/config/keys.rs differ in {set(config) ^ (set(settings) - MADE_BY_CHART)}",
    )
    for name, (variables, default) in settings.items():
        for variable in variables:
            check(f"name: {variable}\n" in refusals, f"tests/refusals_test.yaml: extraEnv {variable} is not tried")
        if name in config:
            expected = OTHER_DEFAULTS.get(name, default)
            check(as_text(config[name]) == expected, f"values.yaml: config.{name} is not the server's '{expected}'")


def check_metrics():
    text = (ROOT / "src/metrics/text.rs").read_text()
    known = {f"release_server_{name}" for name in re.findall(r'"([a-z_]+)"', text)}
    for path in ("dashboards/release-server.json", "templates/prometheusrule.yaml"):
        used = set(re.findall(r"\brelease_server_\w+", (CHART / path).read_text()))
        check(used, f"{path}: it uses no metric")
        for name in sorted(used - known):
            problems.append(f"{path}: the server has no metric {name}")


def check_versions():
    crate = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]
    chart = load("Chart.yaml")
    image = load("values.yaml")["image"]["repository"]
    check(chart["version"] == crate, f"Chart.yaml: version is {chart['version']}, the crate's is {crate}")
    check(chart["appVersion"] == crate, f"Chart.yaml: appVersion is {chart['appVersion']}, the crate's is {crate}")
    images = [entry["image"] for entry in yaml.safe_load(chart["annotations"]["artifacthub.io/images"])]
    check(images == [f"{image}:{crate}"], f"Chart.yaml: artifacthub.io/images is not {image}:{crate}")


def main():
    if sys.argv[1:] not in ([], ["--write"]):
        sys.exit("chart_static.py: it takes --write or nothing")
    values = load("values.yaml")
    check_table(write=bool(sys.argv[1:]))
    check_schema(values, json.loads((CHART / "values.schema.json").read_text()))
    check_all_set(values, load("ci/everything-values.yaml"))
    check_settings(values["config"])
    check_metrics()
    check_versions()
    if problems:
        sys.exit("\n".join(problems))
    print(f"{len(server_settings())} settings, the schema, the table, the metrics and the versions agree")


main()
