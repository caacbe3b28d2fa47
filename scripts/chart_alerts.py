#!/usr/bin/env python3
"""Runs the chart's alerts against numbers made up in chart/tests/alerts.yaml, and parses what the dashboard asks.

    scripts/chart_alerts.py

Needs helm, PyYAML and promtool.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import yaml

CHART = pathlib.Path(__file__).resolve().parent.parent / "chart"

# What Grafana puts in before it asks.
VARIABLES = {"$__rate_interval": "2m", "$namespace": "spec-kit", "$service": "rs-release-server"}


def alerts():
    """The rules of the monitoring set-up, as Prometheus reads them."""
    command = ["helm", "template", "rs", str(CHART), "--kube-version", "1.30"]
    command += ["--values", str(CHART / "ci/monitoring-values.yaml"), "--show-only", "templates/prometheusrule.yaml"]
    return yaml.safe_load(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["spec"]


def dashboard():
    """The dashboard's queries as rules, which is what promtool parses."""
    panels = json.loads((CHART / "dashboards/release-server.json").read_text())["panels"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    for variable, value in VARIABLES.items():
        queries = [query.replace(variable, value) for query in queries]
    rules = [{"record": f"query{number}", "expr": query} for number, query in enumerate(queries)]
    return {"groups": [{"name": "dashboard", "rules": rules}]}


def main():
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        (directory / "alerts.rules").write_text(yaml.safe_dump(alerts()))
        (directory / "dashboard.rules").write_text(yaml.safe_dump(dashboard()))
        shutil.copy(CHART / "tests/alerts.yaml", directory)
        for arguments in (["check", "rules", "alerts.rules", "dashboard.rules"], ["test", "rules", "alerts.yaml"]):
            if subprocess.run(["promtool", *arguments], cwd=directory, check=False).returncode:
                sys.exit(f"chart_alerts.py: promtool {' '.join(arguments)} failed")


main()
