#!/usr/bin/env python3
"""Tests the alerts with the metrics in chart/tests/alerts.yaml; parses the dashboard's queries.

    scripts/chart_alerts.py

Each alert must have a test in which it fires and one in which it does not. Needs helm, PyYAML and
promtool.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import yaml

CHART = pathlib.Path(__file__).resolve().parent.parent / "chart"

# Variables that Grafana replaces in queries.
VARIABLES = {"$__rate_interval": "2m", "$namespace": "spec-kit", "$service": "rs-release-server"}


def alerts():
    """The rules of the monitoring set-up, as Prometheus reads them."""
    command = ["helm", "template", "rs", str(CHART), "--kube-version", "1.30"]
    command += ["--values", str(CHART / "ci/monitoring-values.yaml")]
    command += ["--show-only", "templates/prometheusrule.yaml"]
    command += ["--set", "tls.secretName=tls,serviceMonitor.tlsConfig.serverName=a"]
    command += ["--set", "auth.tokensSecret=tokens"]
    command += ["--set", "config.bucket=s3://packages,config.bucket_region=eu-central-1"]
    return yaml.safe_load(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout
    )["spec"]


def dashboard():
    """The dashboard's queries as rules, which is what promtool parses."""
    panels = json.loads((CHART / "dashboards/release-server.json").read_text())["panels"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    for variable, value in VARIABLES.items():
        queries = [query.replace(variable, value) for query in queries]
    rules = [{"record": f"query{number}", "expr": query} for number, query in enumerate(queries)]
    return {"groups": [{"name": "dashboard", "rules": rules}]}


def check_both_outcomes(rules):
    """Every alert fires in one test and stays silent in another."""
    tests = yaml.safe_load((CHART / "tests/alerts.yaml").read_text())["tests"]
    outcomes = {
        (item["alertname"], bool(item["exp_alerts"]))
        for test in tests
        for item in test["alert_rule_test"]
    }
    wanted = {
        (rule["alert"], fires)
        for group in rules["groups"]
        for rule in group["rules"]
        for fires in (True, False)
    }
    if wanted != outcomes:
        sys.exit(
            f"chart_alerts.py: chart/tests/alerts.yaml lacks, or has in excess: {wanted ^ outcomes}"
        )


def main():
    check_both_outcomes(alerts())
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        (directory / "alerts.rules").write_text(yaml.safe_dump(alerts()))
        (directory / "dashboard.rules").write_text(yaml.safe_dump(dashboard()))
        shutil.copy(CHART / "tests/alerts.yaml", directory)
        for arguments in (
            ["check", "rules", "alerts.rules", "dashboard.rules"],
            ["test", "rules", "alerts.yaml"],
        ):
            if subprocess.run(["promtool", *arguments], cwd=directory, check=False).returncode:
                sys.exit(f"chart_alerts.py: promtool {' '.join(arguments)} failed")


main()
