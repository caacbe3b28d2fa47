//! The kinds of packages that spec-kit installs from catalogs.

/// What a package extends spec-kit with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Extension,
    Preset,
    Workflow,
    Step,
    Integration,
    Bundle,
}

impl Kind {
    /// All kinds, in the order of a catalog's keys.
    pub const ALL: [Self; 6] = [
        Self::Extension,
        Self::Preset,
        Self::Workflow,
        Self::Step,
        Self::Integration,
        Self::Bundle,
    ];

    /// The kind's name, which is also the manifest's mapping with id and version.
    pub fn name(self) -> &'static str {
        match self {
            Self::Extension => "extension",
            Self::Preset => "preset",
            Self::Workflow => "workflow",
            Self::Step => "step",
            Self::Integration => "integration",
            Self::Bundle => "bundle",
        }
    }

    /// The kind's key in a catalog.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Extension => "extensions",
            Self::Preset => "presets",
            Self::Workflow => "workflows",
            Self::Step => "steps",
            Self::Integration => "integrations",
            Self::Bundle => "bundles",
        }
    }

    /// The kind with a key in catalogs.
    pub fn of_plural(plural: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.plural() == plural)
    }

    /// The manifest's file name.
    pub fn manifest(self) -> &'static str {
        match self {
            Self::Extension => "extension.yml",
            Self::Preset => "preset.yml",
            Self::Workflow => "workflow.yml",
            Self::Step => "step.yml",
            Self::Integration => "integration.yml",
            Self::Bundle => "bundle.yml",
        }
    }

    /// Whether the package is Python code, whose entry point lies beside the manifest.
    pub fn is_code(self) -> bool {
        matches!(self, Self::Step | Self::Integration)
    }
}
