"""What upstream's own code says of a package: the reader that this server must agree with."""

import tempfile
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import Version
from specify_cli._download_security import safe_extract_archive
from specify_cli.bundles.manifest import BundleManifest
from specify_cli.bundles.versioning import parse_constraint
from specify_cli.extensions import ExtensionManifest
from specify_cli.integrations import IntegrationDescriptor
from specify_cli.integrations.installer import validate_key
from specify_cli.presets._manifest import PresetManifest
from specify_cli.workflows._commands import _workflow_package_root
from specify_cli.workflows.engine import WorkflowDefinition, validate_workflow
from specify_cli.workflows.step.installer import (
    resolve_package_root,
    validate_step_id,
    validate_step_package,
)


class Refused(Exception):
    """The archive or its manifest cannot be installed."""


def read(kind, name, archive):
    """The manifest's fields, or an exception of any class: each ends `specify` with an error."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "archive"
        path.write_bytes(archive)
        root = Path(scratch) / "extracted"
        root.mkdir()
        url = f"https://example.org/assets/{name}"
        safe_extract_archive(path, root, source_name=url)
        return READERS[kind](root)


def only_folder(root, manifest):
    """As extensions and presets do: the root, or the only folder there."""
    if (root / manifest).exists():
        return root / manifest
    folders = [path for path in root.iterdir() if path.is_dir()]
    if len(folders) == 1 and (folders[0] / manifest).exists():
        return folders[0] / manifest
    raise Refused(f"no {manifest}")


def fields(section, specifier=None):
    """What a catalog's entry takes from the manifest."""
    names = ("author", "license", "repository", "category", "effect", "role")
    texts = {name: section[name] for name in names if isinstance(section.get(name), str)}
    Version(section["version"])
    if specifier is not None:
        SpecifierSet(specifier)
    shown = {name: section.get(name) for name in ("name", "version", "description")}
    return {"id": section.get("id"), **shown, **texts}


def extension(root):
    manifest = ExtensionManifest(only_folder(root, "extension.yml"))
    return fields(manifest.data["extension"], manifest.requires_speckit_version)


def preset(root):
    manifest = PresetManifest(only_folder(root, "preset.yml"))
    return fields(manifest.data["preset"], manifest.requires_speckit_version)


def workflow(root):
    path = _workflow_package_root(root) / "workflow.yml"
    definition = WorkflowDefinition.from_string(path.read_bytes().decode("utf-8"))
    errors = validate_workflow(definition)
    if errors:
        raise Refused("; ".join(errors))
    return fields({"description": "", **definition.data["workflow"]})


def step(root):
    package = resolve_package_root(root)
    # The id is the catalog's; its shape is checked first.
    text = (package / "step.yml").read_text(encoding="utf-8")
    import yaml

    step_id = yaml.safe_load(text)["step"]["type_key"]
    validate_step_id(step_id)
    section = validate_step_package(package, step_id)
    return fields({"name": step_id, "description": "", **section, "id": step_id})


def integration(root):
    package = root
    if not (package / "integration.yml").is_file():
        children = list(root.iterdir())
        if len(children) == 1 and children[0].is_dir():
            package = children[0]
    descriptor = IntegrationDescriptor(package / "integration.yml")
    validate_key(descriptor.id)
    section = descriptor.data["integration"]
    for name in ("name", "version", "description"):
        if not section[name].strip():
            raise Refused(f"{name} is empty")
    return fields(section, descriptor.requires_speckit_version)


def bundle(root):
    manifest = BundleManifest.from_file(root / "bundle.yml")
    errors = manifest.structural_errors()
    if errors:
        raise Refused("; ".join(errors))
    parse_constraint(manifest.requires.speckit_version)
    return fields(vars(manifest.bundle))


READERS = {
    "extension": extension,
    "preset": preset,
    "workflow": workflow,
    "step": step,
    "integration": integration,
    "bundle": bundle,
}
