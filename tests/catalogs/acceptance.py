"""Upstream's `specify` against a server: every kind of package, as a user types it.

    acceptance.py [--short] BASE_URL

Needs `specify` in the path or in SPECIFY, and the server's token in TOKEN. Publishes two versions
of a package of every kind, then adds catalogs, searches, shows, installs, installs by version,
updates and removes in a new project below a temporary HOME; with --short only the one command that
installs a package of every kind it can. Prints a line for each command; ends at the first that does
something else than it should.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import packages

SHORT = "--short" in sys.argv[1:-1]
BASE = sys.argv[-1].rstrip("/")
SPECIFY = os.environ.get("SPECIFY", "specify")
VARIABLES = {
    "EXTENSION": "SPECKIT_CATALOG_URL",
    "PRESET": "SPECKIT_PRESET_CATALOG_URL",
    "INTEGRATION": "SPECKIT_INTEGRATION_CATALOG_URL",
}


def publish(name, content):
    """Publishes, and demands that catalogs list it."""
    request = urllib.request.Request(
        f"{BASE}/assets/{name}?catalog=required&overwrite=true", content, method="PUT"
    )
    request.add_header("Authorization", f"Bearer {os.environ['TOKEN']}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        said = json.load(answer)["package"]
    assert said["listed"], said
    print(f"ok  published {name}: {said['kind']} {said['id']} {said['version']}", flush=True)


def publish_all(*versions):
    for version in versions:
        for kind in packages.KINDS:
            components = [
                ("extensions", "acme-extension", version),
                ("presets", "acme-preset", version),
                ("workflows", "acme-workflow", version),
            ]
            files = packages.files(kind, version=version, components=components)
            folder = "" if kind == "bundle" else f"acme-{kind}-{version}/"
            publish(f"acme-{kind}-v{version}.zip", packages.archive(files, folder))


class Project:
    """A project below a HOME of its own."""

    def __init__(self, scratch, name):
        self.home = scratch / f"home-{name}"
        self.root = scratch / name
        self.home.mkdir()
        self.environment = {**os.environ, "HOME": str(self.home), "COLUMNS": "300", "NO_COLOR": "1"}
        self.environment.pop("TOKEN", None)

    def run(self, *arguments, says="", fails=False, answer="", within=None):
        """Runs `specify`, and looks for a text in what it prints."""
        ran = subprocess.run(
            [SPECIFY, *arguments],
            cwd=within or self.root,
            env=self.environment,
            input=answer,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        output = " ".join((ran.stdout + ran.stderr).split())
        line = f"specify {' '.join(arguments)}"
        if (ran.returncode != 0) != fails or says not in output:
            print(
                f"NO  {line}: exit code {ran.returncode}, not saying '{says}':",
                f"{ran.stdout}{ran.stderr}",
                sep="\n",
            )
            sys.exit(1)
        print(f"ok  {line}" + (f" → {says}" if says else ""), flush=True)

    def has(self, path, text=None):
        """Whether a file is in the project, with a text in it."""
        found = self.root / path
        if not found.exists() or (text is not None and text not in found.read_text("utf-8")):
            print(f"NO  {path} is not in the project, or lacks '{text}'")
            sys.exit(1)

    def lacks(self, path):
        if (self.root / path).exists():
            print(f"NO  {path} is still in the project")
            sys.exit(1)


def init(project, *arguments):
    project.run(
        "init",
        project.root.name,
        "--non-interactive",
        "--ignore-agent-tools",
        *arguments,
        within=project.root.parent,
    )


def all_kinds(project):
    catalog = f"{BASE}/catalog.json"
    init(project, "--integration", "claude")
    named = ("--name", "ours", "--install-allowed")
    project.run("extension", "catalog", "add", catalog, *named)
    project.run("preset", "catalog", "add", catalog, *named)
    project.run("workflow", "catalog", "add", catalog, "--name", "ours")
    project.run("workflow", "step", "catalog", "add", catalog, "--name", "ours")
    project.run("integration", "catalog", "add", catalog, "--name", "ours")
    project.run("bundle", "catalog", "add", catalog, "--id", "ours", "--policy", "install-allowed")

    extension = ".specify/extensions/acme-extension/extension.yml"
    project.run("extension", "search", says="acme-extension")
    project.run("extension", "info", "acme-extension", says="1.1.0")
    project.run("extension", "add", "acme-extension", says="1.1.0")
    project.has(extension, "1.1.0")
    project.run("extension", "remove", "acme-extension", "--force")
    project.run("extension", "add", "acme-extension", "--version", "1.0.0")
    project.has(extension, "1.0.0")
    project.run("extension", "update", "acme-extension", answer="y\n")
    project.has(extension, "1.1.0")
    project.run("extension", "remove", "acme-extension", "--force")
    project.lacks(extension)

    preset = ".specify/presets/acme-preset/preset.yml"
    project.run("preset", "search", says="acme-preset")
    project.run("preset", "info", "acme-preset", says="1.1.0")
    project.run("preset", "add", "acme-preset", "--version", "1.0.0")
    project.has(preset, "1.0.0")
    project.run("preset", "update", "acme-preset")
    project.has(preset, "1.1.0")
    project.run("preset", "remove", "acme-preset")
    project.run("preset", "add", "acme-preset", says="1.1.0")
    project.run("preset", "remove", "acme-preset")
    project.lacks(preset)

    workflow = ".specify/workflows/acme-workflow/workflow.yml"
    project.run("workflow", "search", says="acme-workflow")
    project.run("workflow", "info", "acme-workflow", says="1.1.0")
    project.run("workflow", "add", "acme-workflow", "--version", "1.0.0")
    project.has(workflow, "1.0.0")
    project.run("workflow", "update", "acme-workflow", answer="y\n")
    project.has(workflow, "1.1.0")
    project.run("workflow", "remove", "acme-workflow", answer="y\n")
    project.run("workflow", "add", "acme-workflow")
    project.run("workflow", "remove", "acme-workflow", answer="y\n")
    project.lacks(workflow)

    step = ".specify/workflows/steps/acme-step"
    project.run("workflow", "step", "search", says="acme-step")
    project.run("workflow", "step", "info", "acme-step", says="1.1.0")
    project.run("workflow", "step", "add", "acme-step", "--version", "1.0.0")
    project.has(f"{step}/step.yml", "1.0.0")
    project.run("workflow", "step", "add", "acme-step", "--force")
    project.has(f"{step}/step.yml", "1.1.0")
    project.has(f"{step}/helper/words.py", "HELLO")
    project.run("workflow", "step", "remove", "acme-step", answer="y\n")
    project.lacks(step)

    project.run("integration", "search", says="acme-integration")
    project.run("integration", "info", "acme-integration", says="1.1.0")
    project.run("integration", "install", "acme-integration", fails=True)
    project.run("integration", "install", "acme-integration", "--trust-integration", "--force")
    project.has(".acme-integration/commands")
    project.run("integration", "upgrade", "acme-integration", "--trust-integration", "--force")
    project.run("integration", "uninstall", "acme-integration")

    project.run("bundle", "search", says="acme-bundle")
    project.run("bundle", "info", "acme-bundle", says="1.1.0")
    project.run("bundle", "install", "acme-bundle", "--version", "1.0.0")
    project.has(extension, "1.0.0")
    project.run("bundle", "update", "acme-bundle")
    project.has(extension, "1.1.0")
    project.has(preset, "1.1.0")
    project.has(workflow, "1.1.0")
    project.run("bundle", "remove", "acme-bundle")
    project.lacks(extension)


def everything_at_once(project):
    """`init` with everything in one command, through the variables."""
    for variable in VARIABLES.values():
        project.environment[variable] = f"{BASE}/catalog.json"
    init(
        project,
        "--preset",
        "acme-preset",
        "--extension",
        "acme-extension",
        "--integration",
        "acme-integration",
        "--trust-integration",
    )
    project.has(".specify/extensions/acme-extension/extension.yml", "1.1.0")
    project.has(".specify/presets/acme-preset/preset.yml", "1.1.0")
    project.has(".acme-integration/commands")


def main():
    scratch = Path(tempfile.mkdtemp(prefix="catalogs-"))
    try:
        publish_all("1.0.0", "1.1.0")
        if not SHORT:
            all_kinds(Project(scratch, "step-by-step"))
        everything_at_once(Project(scratch, "at-once"))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
