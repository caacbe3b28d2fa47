"""What a version of upstream's `specify` does with catalogs: a row of docs/spec-kit.md.

    versions.py BASE_URL

As acceptance.py, with `specify` in the path or in SPECIFY and the server's token in TOKEN, but a
command may fail: for each kind, prints which commands work. An installation counts where its file
is in the project with the right version. Newer versions of the packages are deleted first.
"""

import contextlib
import io
import os
import shutil
import tempfile
import typing
import urllib.error
import urllib.request
from pathlib import Path

import acceptance


class Kind(typing.NamedTuple):
    """The words of the commands for a kind, and the file that an installation leaves."""

    words: tuple[str, ...]
    identifier: str
    file: str
    install: tuple[str, ...] = ("add",)
    update: tuple[str, ...] = ("update",)
    remove: tuple[str, ...] = ("remove",)
    catalog: tuple[str, ...] = ("--name", "ours")


EXTENSION = ".specify/extensions/acme-extension/extension.yml"
ALLOWED = ("--name", "ours", "--install-allowed")
KINDS = {
    "extension": Kind(("extension",), "acme-extension", EXTENSION, catalog=ALLOWED),
    "preset": Kind(
        ("preset",), "acme-preset", ".specify/presets/acme-preset/preset.yml", catalog=ALLOWED
    ),
    "workflow": Kind(
        ("workflow",), "acme-workflow", ".specify/workflows/acme-workflow/workflow.yml"
    ),
    "step": Kind(
        ("workflow", "step"),
        "acme-step",
        ".specify/workflows/steps/acme-step/step.yml",
        update=("add", "--force"),
    ),
    "integration": Kind(
        ("integration",),
        "acme-integration",
        ".acme-integration/commands",
        install=("install", "--trust-integration", "--force"),
        update=("upgrade", "--trust-integration", "--force"),
        remove=("uninstall",),
    ),
    "bundle": Kind(
        ("bundle",),
        "acme-bundle",
        EXTENSION,
        install=("install",),
        catalog=("--id", "ours", "--policy", "install-allowed"),
    ),
}


def works(
    project: acceptance.Project, *arguments: str, says: str = "", within: Path | None = None
) -> bool:
    """Whether a command succeeds; each question is answered with yes."""
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            project.run(*arguments, says=says, answer="y\n", within=within)
        except SystemExit:
            return False
    return True


def installed(project: acceptance.Project, kind: Kind, version: str) -> bool:
    found = project.root / kind.file
    return found.is_dir() or found.is_file() and version in found.read_text("utf-8")


def forget(project: acceptance.Project) -> None:
    """Removes what `specify` keeps of catalogs for an hour."""
    for place in (project.root, project.home):
        for cache in place.rglob(".cache"):
            shutil.rmtree(cache)


def run(
    project: acceptance.Project, kind: Kind, verb: tuple[str, ...], *options: str, says: str = ""
) -> bool:
    first, *rest = verb
    return works(project, *kind.words, first, kind.identifier, *rest, *options, says=says)


def with_first_version(project: acceptance.Project, kind: Kind) -> list[str]:
    found = []
    if works(project, *kind.words, "search", says=kind.identifier):
        found.append("search")
    if run(project, kind, ("info",), says="1.0.0"):
        found.append("info")
    if run(project, kind, kind.install) and installed(project, kind, "1.0.0"):
        found.append("add")
    return found


def with_second_version(project: acceptance.Project, kind: Kind) -> list[str]:
    found = []
    if run(project, kind, kind.update) and installed(project, kind, "1.1.0"):
        found.append("update")
    if run(project, kind, kind.remove) and not (project.root / kind.file).exists():
        found.append("remove")
    version = ("--version", "1.0.0")
    if run(project, kind, kind.install, *version) and installed(project, kind, "1.0.0"):
        found.append("add --version")
    run(project, kind, kind.remove)
    return found


def delete(name: str) -> None:
    request = urllib.request.Request(f"{acceptance.BASE}/assets/{name}", method="DELETE")
    request.add_header("Authorization", f"Bearer {os.environ['TOKEN']}")
    with contextlib.suppress(urllib.error.HTTPError):
        urllib.request.urlopen(request, timeout=30).close()


def publish(version: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        acceptance.publish_all(version)


def start(scratch: Path, name: str) -> acceptance.Project:
    """A new project with the catalogs of all kinds."""
    project = acceptance.Project(scratch, name)
    options = ("--integration", "claude", "--ignore-agent-tools")
    assert works(project, "init", name, *options, within=scratch)
    for kind in KINDS.values():
        url = f"{acceptance.BASE}/catalog.json"
        works(project, *kind.words, "catalog", "add", url, *kind.catalog)
    return project


def main():
    scratch = Path(tempfile.mkdtemp(prefix="versions-"))
    try:
        for name in KINDS:
            delete(f"acme-{name}-v1.1.0.zip")
        publish("1.0.0")
        # Bundles install packages of the other kinds.
        project, of_bundles = start(scratch, "project"), start(scratch, "bundles")
        projects = {name: of_bundles if name == "bundle" else project for name in KINDS}
        found = {name: with_first_version(projects[name], kind) for name, kind in KINDS.items()}
        publish("1.1.0")
        forget(project)
        forget(of_bundles)
        for name, kind in KINDS.items():
            found[name] += with_second_version(projects[name], kind)
            print(f"{name}: {', '.join(found[name]) or 'nothing'}", flush=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
