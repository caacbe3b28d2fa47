"""Packages of every kind that spec-kit installs, as archives in memory."""

import io
import zipfile

EXTENSION = """\
schema_version: "1.0"
extension:
  id: {id}
  name: "Acme: tools"
  version: "{version}"
  description: >-
    Folded over
    two lines, with ümlauts
  author: Acme
  license: MIT
  repository: https://example.org/acme
  category: docs
  effect: read-only
requires:
  speckit_version: ">=0.9.0"
provides:
  commands:
    - name: speckit.{id}.hello
      file: commands/hello.md
      description: 'Says "hello"'
hooks:
  after_tasks:
    command: speckit.{id}.hello
tags: [docs, 'two words']
"""

PRESET = """\
schema_version: "1.0"
preset:
  id: {id}
  name: Acme preset
  version: "{version}"
  description: "Templates of Acme"
  author: Acme
requires:
  speckit_version: ">=0.9.0,<99"
provides:
  templates:
    - type: template
      name: spec-template
      file: templates/spec-template.md
tags:
  - templates
"""

WORKFLOW = """\
schema_version: "1.0"
workflow:
  id: {id}
  name: Acme workflow
  version: "{version}"
  author: Acme
  description: |
    Asks, then
    runs
requires:
  speckit_version: ">=0.9.0"
inputs:
  topic: {{type: string, default: "x"}}
steps:
  - id: greet
    type: shell
    run: echo hello
"""

STEP = """\
step:
  type_key: {id}
  name: Acme step
  version: "{version}"
  description: A step of Acme
  author: Acme
"""

INTEGRATION = """\
schema_version: "1.0"
integration:
  id: {id}
  name: Acme agent
  version: "{version}"
  description: Talks to the agent of Acme
  author: Acme
  repository: https://example.org/acme
  license: MIT
requires:
  speckit_version: ">=0.9.0"
"""

BUNDLE = """\
schema_version: "1.0"
bundle:
  id: {id}
  name: Acme bundle
  version: "{version}"
  role: developer
  description: Everything of Acme
  author: Acme
  license: MIT
requires:
  speckit_version: ">=0.9.0"
provides:
{components}
tags: [all]
"""

STEP_CODE = """\
from specify_cli.workflows.base import StepBase, StepResult, StepStatus


class AcmeStep(StepBase):
    type_key = "{id}"

    def execute(self, config, context):
        return StepResult(status=StepStatus.COMPLETED, output={{}})
"""

INTEGRATION_CODE = """\
from specify_cli.integrations.base import MarkdownIntegration


class AcmeIntegration(MarkdownIntegration):
    key = "{id}"
    config = {{
        "name": "Acme agent",
        "folder": ".{id}/",
        "commands_subdir": "commands",
        "install_url": "https://example.org/acme",
        "requires_cli": False,
    }}
    registrar_config = {{
        "dir": ".{id}/commands",
        "format": "markdown",
        "args": "$ARGUMENTS",
        "extension": ".md",
    }}
    context_file = "ACME.md"
"""

KINDS = ("extension", "preset", "workflow", "step", "integration", "bundle")


def files(kind, package_id=None, version="1.0.0", components=None):
    """The files of a package: path to text, the manifest first."""
    values = {"id": package_id or f"acme-{kind}", "version": version}
    if kind == "extension":
        return {
            "extension.yml": EXTENSION.format(**values),
            "commands/hello.md": "---\ndescription: Says hello\n---\nSay hello.\n",
        }
    if kind == "preset":
        template = "# Specification of Acme\n"
        return {"preset.yml": PRESET.format(**values), "templates/spec-template.md": template}
    if kind == "workflow":
        return {"workflow.yml": WORKFLOW.format(**values), "README.md": "Acme\n"}
    if kind == "step":
        return {
            "step.yml": STEP.format(**values),
            "__init__.py": STEP_CODE.format(**values),
            "helper/words.py": "HELLO = 'hello'\n",
        }
    if kind == "integration":
        code = INTEGRATION_CODE.format(**values)
        return {"integration.yml": INTEGRATION.format(**values), "__init__.py": code}
    components = components or [("extensions", "acme-extension", "1.0.0")]
    lines = [
        f'  {plural}:\n    - id: {component}\n      version: "{pinned}"{more(plural)}'
        for plural, component, pinned in components
    ]
    return {"bundle.yml": BUNDLE.format(components="\n".join(lines), **values)}


def more(plural):
    """What a bundle says of a preset beyond its id and version."""
    return "\n      priority: 10\n      strategy: replace" if plural == "presets" else ""


def archive(contents, folder="", method=zipfile.ZIP_DEFLATED):
    """A ZIP archive of some files, below a folder or not."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as target:
        for path, content in contents.items():
            entry = zipfile.ZipInfo(folder + path, (2026, 1, 1, 0, 0, 0))
            entry.compress_type = method
            entry.external_attr = 0o100644 << 16
            target.writestr(entry, content)
    return buffer.getvalue()
