//! Manifests of every kind, and what is wrong with others.
//!
//! Source: what the readers of `specify` 1.2.3 accept and refuse.

use release_server::manifest::kind::Kind::{
    self, Bundle, Extension, Integration, Preset, Step, Workflow,
};
use release_server::manifest::outcome::Reason;

/// One good manifest of each kind.
pub const GOOD: &[(Kind, &str)] = &[
    (
        Extension,
        "schema_version: \"1.0\"\nextension:\n  id: acme\n  name: Acme\n  version: \"1.0.0\"\n  \
         description: d\n  \
         author: A\n  effect: read-only\nrequires:\n  speckit_version: \">=1.0\"\nprovides:\n  \
         commands:\n  - \
         name: speckit.acme.x\n    file: x.md\nhooks: {after: {command: x}}\ntags: [a, 'b c']\n",
    ),
    (
        Preset,
        "schema_version: '1.0'\npreset: {id: acme, name: Acme, version: 1.0.0, description: \
         d}\nrequires: \
         {speckit_version: '>=1.0'}\nprovides: {templates: [{type: template, name: x, file: \
         x.md}]}\n",
    ),
    (
        Workflow,
        "schema_version: 1.0\nworkflow:\n  id: acme\n  name: Acme\n  version: 1.0.0\nsteps:\n- \
         id: a\n",
    ),
    (Step, "step:\n  type_key: acme\n  version: 1.0.0\n"),
    (
        Integration,
        "schema_version: '1.0'\nintegration: {id: acme, name: Acme, version: 1.0.0, description: \
         d}\nrequires: \
         {speckit_version: '>=1.0'}\n",
    ),
    (
        Bundle,
        "schema_version: '1.0'\nbundle: {id: acme.all_x, name: Acme, version: 1.0.0, role: dev, \
         description: d, \
         author: A, license: MIT}\nrequires: {speckit_version: '>=1.0'}\nprovides: {extensions: \
         [{id: a, \
         version: 1.0.0}]}\ntags: [x]\n",
    ),
];

/// Why a manifest is refused, with a part of the sentence.
pub type Refusal = Option<(Reason, &'static str)>;

/// A good manifest with one text replaced by another; `None` where it stays good.
pub const CHANGED: &[(Kind, &str, &str, Refusal)] = &[
    (
        Extension,
        "\"1.0\"",
        "1.0",
        Some((Reason::Field, "schema_version")),
    ),
    (
        Extension,
        "extension:\n  id",
        "other:\n  id",
        Some((Reason::Field, "extension")),
    ),
    (
        Extension,
        "id: acme",
        "id: Acme",
        Some((Reason::Field, "extension.id")),
    ),
    (
        Extension,
        "id: acme",
        "id: yes",
        Some((Reason::Field, "extension.id")),
    ),
    (
        Extension,
        "id: acme",
        "id: ''",
        Some((Reason::Field, "extension.id")),
    ),
    (
        Extension,
        "id: acme",
        "id: ../x",
        Some((Reason::Field, "extension.id")),
    ),
    (
        Extension,
        "id: acme",
        "id: <script>",
        Some((Reason::Field, "extension.id")),
    ),
    (Extension, "id: acme", "id: &a acme", None),
    (
        Extension,
        "name: Acme",
        "name: 2026-01-01",
        Some((Reason::Field, "extension.name")),
    ),
    (
        Extension,
        "name: Acme",
        "name: *x",
        Some((Reason::Manifest, "YAML")),
    ),
    (
        Extension,
        "description: d",
        "x: y",
        Some((Reason::Field, "extension.description is missing")),
    ),
    (
        Extension,
        "\"1.0.0\"",
        "1.0",
        Some((Reason::Field, "extension.version")),
    ),
    (
        Extension,
        "\"1.0.0\"",
        "one",
        Some((Reason::Version, "extension.version")),
    ),
    (
        Extension,
        "\"1.0.0\"",
        "' 1.0'",
        Some((Reason::Version, "extension.version")),
    ),
    (
        Extension,
        "read-only",
        "write",
        Some((Reason::Field, "extension.effect")),
    ),
    (
        Extension,
        "author: A",
        "category: ''",
        Some((Reason::Field, "extension.category")),
    ),
    (Extension, "author: A", "author: 1", None),
    (
        Extension,
        "\">=1.0\"",
        "1.0",
        Some((Reason::Field, "requires.speckit_version")),
    ),
    (
        Extension,
        "\">=1.0\"",
        "new",
        Some((Reason::Field, "requires.speckit_version")),
    ),
    (
        Extension,
        "\">=1.0\"",
        "', '",
        Some((Reason::Field, "requires.speckit_version")),
    ),
    (
        Extension,
        "requires:\n  speckit_version",
        "requires: []\nx:\n  y",
        Some((Reason::Field, "requires")),
    ),
    (
        Extension,
        "hooks: {after: {command: x}}",
        "hooks: []",
        Some((Reason::Field, "hooks")),
    ),
    (Extension, "commands:", "other:", None),
    (Extension, "tags: [a, 'b c']", "tags: [1, '', x]", None),
    (Extension, "tags: [a, 'b c']", "tags: x", None),
    (
        Extension,
        "tags: [a, 'b c']",
        "<<: {a: b}",
        Some((Reason::Manifest, "merge key")),
    ),
    (
        Extension,
        "tags: [a, 'b c']",
        "tags: !!str a",
        Some((Reason::Manifest, "tag")),
    ),
    (
        Extension,
        "tags: [a, 'b c']",
        "hooks: {}",
        Some((Reason::Manifest, "twice")),
    ),
    (
        Extension,
        "tags: [a, 'b c']",
        "---\na: b",
        Some((Reason::Manifest, "document")),
    ),
    (
        Preset,
        "templates: [{type: template, name: x, file: x.md}]",
        "templates: []",
        Some((Reason::Field, "provides.templates")),
    ),
    (
        Preset,
        "{speckit_version",
        "{extensions: x, speckit_version",
        Some((Reason::Field, "requires.extensions")),
    ),
    (
        Workflow,
        "1.0.0",
        "1.0",
        Some((Reason::Field, "workflow.version")),
    ),
    (
        Workflow,
        "1.0.0",
        "'1.0'",
        Some((Reason::Version, "three numbers")),
    ),
    (
        Workflow,
        "1.0.0",
        "1.0.0rc1",
        Some((Reason::Version, "three numbers")),
    ),
    (
        Workflow,
        "id: acme",
        "id: -acme",
        Some((Reason::Field, "workflow.id")),
    ),
    (
        Workflow,
        "id: acme",
        "id: acme-",
        Some((Reason::Field, "workflow.id")),
    ),
    (
        Workflow,
        "name: Acme",
        "name: ''",
        Some((Reason::Field, "workflow.name")),
    ),
    (Workflow, "- id: a", "", Some((Reason::Field, "steps"))),
    (
        Workflow,
        "steps:",
        "requires: {permissions: x}\nsteps:",
        Some((Reason::Field, "requires")),
    ),
    (
        Workflow,
        "steps:",
        "inputs:\nsteps:",
        Some((Reason::Field, "inputs")),
    ),
    (Workflow, "schema_version: 1.0\n", "", None),
    (Step, "acme", "con", Some((Reason::Field, "step.type_key"))),
    (Step, "acme", "a_b", Some((Reason::Field, "step.type_key"))),
    (Step, "1.0.0", "1", Some((Reason::Field, "step.version"))),
    (
        Integration,
        "id: acme",
        "id: -acme",
        Some((Reason::Field, "integration.id")),
    ),
    (
        Integration,
        "name: Acme",
        "name: ' '",
        Some((Reason::Field, "integration.name")),
    ),
    (
        Integration,
        "description: d",
        "description: ''",
        Some((Reason::Field, "integration.description")),
    ),
    (
        Integration,
        "description: d",
        "description: d, author: 1",
        Some((Reason::Field, "integration.author")),
    ),
    (
        Bundle,
        "acme.all_x",
        "acme_",
        Some((Reason::Field, "bundle.id")),
    ),
    (
        Bundle,
        "version: 1.0.0, role",
        "version: 1.0, role",
        Some((Reason::Field, "bundle.version")),
    ),
    (
        Bundle,
        "version: 1.0.0, role",
        "version: '1.0', role",
        Some((Reason::Version, "semantic")),
    ),
    (
        Bundle,
        "version: 1.0.0, role",
        "version: 01.0.0, role",
        Some((Reason::Version, "semantic")),
    ),
    (
        Bundle,
        "role: dev, ",
        "",
        Some((Reason::Field, "bundle.role")),
    ),
    (
        Bundle,
        "license: MIT",
        "license: ' '",
        Some((Reason::Field, "bundle.license")),
    ),
    (
        Bundle,
        "tags: [x]",
        "tags: [1]",
        Some((Reason::Field, "tags")),
    ),
    (
        Bundle,
        "extensions: [",
        "extensions: x, presets: [",
        Some((Reason::Field, "provides.extensions")),
    ),
];

/// The good manifest of a kind.
pub fn good(kind: Kind) -> &'static str {
    GOOD.iter()
        .find(|(good, _)| *good == kind)
        .expect("every kind")
        .1
}
