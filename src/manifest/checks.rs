//! What `specify` demands of a manifest's fields, kind by kind.
//!
//! Invariant: what passes here passes the manifest's own reader in `specify` 1.2.3, but for what
//! lies deeper than a section's lists (names of commands, steps of workflows), which stays the
//! client's to say.

use super::archive_path::is_device;
use super::field::{Checked, Field, is_refused};
use super::kind::Kind;
use super::outcome::{Manifest, Reason, Unlisted};
use super::package_version::{PackageVersion, is_semantic, is_specifier, is_three_numbers};
use super::yaml::Yaml;
use crate::limits::spec_kit::{
    MANIFEST_NAME_BYTES_MAX, MANIFEST_TAG_BYTES_MAX, MANIFEST_TAGS_MAX, MANIFEST_TEXT_BYTES_MAX,
};

/// A manifest with the kind it is to be of.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'y> {
    pub kind: Kind,
    root: &'y Yaml,
    /// The mapping with id and version.
    section: &'y Yaml,
}

impl<'y> Fields<'y> {
    pub fn new(kind: Kind, root: &'y Yaml) -> Checked<Self> {
        let Yaml::Mapping(_) = root else {
            let message = format!("{} is not a mapping", kind.manifest());
            return Err(Unlisted::new(Reason::Manifest, message));
        };
        let section = root.get(kind.name()).unwrap_or(&Yaml::Null);
        let fields = Self {
            kind,
            root,
            section,
        };
        Self::at(root, "", kind.name())?.mapping()?;
        Ok(fields)
    }

    /// The field of a mapping, whose path is given; an alias in its place is not looked up.
    fn at(mapping: &'y Yaml, path: &str, key: &str) -> Checked<Field<'y>> {
        let dot = if path.is_empty() { "" } else { "." };
        let field = Field {
            path: format!("{path}{dot}{key}"),
            value: mapping.get(key),
        };
        if field.value == Some(&Yaml::Alias) {
            let message = format!("{} is an alias, which is not looked up", field.path);
            return Err(Unlisted::new(Reason::Manifest, message));
        }
        Ok(field)
    }

    pub fn root(&self, key: &str) -> Checked<Field<'y>> {
        Self::at(self.root, "", key)
    }

    pub fn section(&self, key: &str) -> Checked<Field<'y>> {
        Self::at(self.section, self.kind.name(), key)
    }

    /// The field below one of the root's mappings.
    pub fn below(&self, outer: &str, key: &str) -> Checked<Field<'y>> {
        Self::at(self.root(outer)?.value.unwrap_or(&Yaml::Null), outer, key)
    }

    /// A text of the section; `specify` strips those of bundles.
    pub fn name(&self, key: &str) -> Checked<&'y str> {
        let field = self.section(key)?;
        match self.kind {
            Kind::Bundle => field.filled_text(MANIFEST_NAME_BYTES_MAX).map(str::trim),
            _ => field.text(MANIFEST_NAME_BYTES_MAX),
        }
    }

    pub fn id(&self) -> Checked<&'y str> {
        let key = if self.kind == Kind::Step {
            "type_key"
        } else {
            "id"
        };
        let id = self.name(key)?;
        let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9');
        let belongs = |byte: u8| match byte {
            b'.' | b'_' => self.kind == Kind::Bundle,
            _ => byte == b'-' || is_plain(byte),
        };
        let begins = id.bytes().next().is_some_and(is_plain);
        let ends = id.bytes().next_back().is_some_and(is_plain);
        let fits = match self.kind {
            Kind::Workflow | Kind::Bundle => begins && ends,
            Kind::Integration => begins && !is_device(id),
            Kind::Step => !id.is_empty() && !is_device(id),
            Kind::Extension | Kind::Preset => !id.is_empty(),
        };
        if fits && id.bytes().all(belongs) {
            return Ok(id);
        }
        Err(self.section(key)?.fault(match self.kind {
            Kind::Bundle => "an id of a-z, 0-9 and, inside, '-', '.', '_'",
            Kind::Workflow => "an id of a-z, 0-9 and, inside, '-'",
            _ => "an id of a-z, 0-9 and '-'",
        }))
    }

    pub fn version(&self) -> Checked<PackageVersion> {
        let text = self.name("version")?;
        let accepted = match self.kind {
            Kind::Workflow if !is_three_numbers(text) => "three numbers, such as 1.0.0",
            Kind::Bundle if !is_semantic(text) => "a semantic version, such as 1.0.0",
            _ => "a version, such as 1.0.0 or 1.0.0rc1",
        };
        let is_refused = accepted.starts_with("three") || accepted.starts_with("a semantic");
        PackageVersion::parse(text)
            .filter(|_| !is_refused)
            .ok_or_else(|| {
                let message = format!("{}.version is not {accepted}", self.kind.name());
                Unlisted::new(Reason::Version, message)
            })
    }

    /// Checks the rest, which no reason needs the id or the version for.
    pub fn manifest(&self) -> Checked<Manifest> {
        self.check_schema_version()?;
        let (id, version) = (self.id()?.to_owned(), self.version()?);
        let name = match self.kind {
            Kind::Step if self.section("name")?.is_absent() => id.clone(),
            _ => self.name("name")?.to_owned(),
        };
        let description = self.section("description")?;
        let description = match self.kind {
            Kind::Step | Kind::Workflow if description.is_absent() => "",
            Kind::Bundle => description.filled_text(MANIFEST_TEXT_BYTES_MAX)?.trim(),
            Kind::Integration => description.filled_text(MANIFEST_TEXT_BYTES_MAX)?,
            _ => description.text(MANIFEST_TEXT_BYTES_MAX)?,
        };
        if self.kind == Kind::Integration {
            self.section("name")?.filled_text(MANIFEST_NAME_BYTES_MAX)?;
        }
        let speckit_version = self.speckit_version()?;
        self.check_kind()?;
        Ok(Manifest {
            id,
            version,
            name,
            description: description.to_owned(),
            texts: self.texts()?,
            tags: self.tags()?,
            speckit_version,
            provides: self.provides()?,
            files: Vec::new(),
        })
    }

    fn check_schema_version(&self) -> Checked<()> {
        let field = self.root("schema_version")?;
        let is_lenient = matches!(self.kind, Kind::Workflow | Kind::Bundle);
        let fits = match field.value {
            Some(Yaml::Text(text)) => {
                text == "1.0" || self.kind == Kind::Bundle && text.trim() == "1.0"
            }
            Some(Yaml::Float(number)) => is_lenient && number.to_bits() == 1.0_f64.to_bits(),
            None => self.kind == Kind::Workflow,
            _ => false,
        };
        if fits || self.kind == Kind::Step {
            Ok(())
        } else {
            Err(field.fault("\"1.0\""))
        }
    }

    /// The range of versions of spec-kit; a catalog gives it for three kinds.
    fn speckit_version(&self) -> Checked<Option<String>> {
        let requires = self.root("requires")?;
        let is_free = matches!(self.kind, Kind::Workflow | Kind::Step);
        if is_free
            && (requires.is_absent() || self.below("requires", "speckit_version")?.is_absent())
        {
            return Ok(None);
        }
        requires.mapping()?;
        let field = self.below("requires", "speckit_version")?;
        let text = field.filled_text(MANIFEST_TEXT_BYTES_MAX)?;
        if !is_specifier(text) {
            return Err(field.fault("a range of versions, such as \">=1.0,<2\""));
        }
        let is_given = matches!(self.kind, Kind::Extension | Kind::Preset | Kind::Bundle);
        Ok(is_given.then(|| text.to_owned()))
    }

    fn texts(&self) -> Checked<Vec<(&'static str, String)>> {
        let mut texts = Vec::new();
        for key in [
            "author",
            "license",
            "repository",
            "category",
            "effect",
            "role",
        ] {
            let field = self.section(key)?;
            if let Some(Yaml::Text(_)) = field.value {
                let text = field.text(MANIFEST_TEXT_BYTES_MAX)?;
                let text = if self.kind == Kind::Bundle {
                    text.trim()
                } else {
                    text
                };
                texts.push((key, text.to_owned()));
            }
        }
        Ok(texts)
    }

    fn tags(&self) -> Checked<Vec<String>> {
        let mut field = self.root("tags")?;
        if field.is_absent() {
            field = self.section("tags")?;
        }
        let Some(Yaml::List(list)) = field.value else {
            return Ok(Vec::new());
        };
        let texts = list.iter().filter_map(|tag| match tag {
            Yaml::Text(text) if !text.trim().is_empty() && !text.contains(is_refused) => {
                Some(text.clone())
            }
            _ => None,
        });
        let tags: Vec<String> = texts.collect();
        if tags.len() > MANIFEST_TAGS_MAX
            || tags.iter().any(|tag| tag.len() > MANIFEST_TAG_BYTES_MAX)
        {
            return Err(field.fault("a list of at most 20 texts of 64 bytes"));
        }
        Ok(tags)
    }

    fn provides(&self) -> Checked<Vec<(&'static str, usize)>> {
        let keys: &[&str] = match self.kind {
            Kind::Extension => &["commands", "templates", "scripts"],
            Kind::Preset => &["templates"],
            Kind::Bundle => &["extensions", "presets", "steps", "workflows"],
            _ => &[],
        };
        let mut provides = Vec::new();
        for key in keys {
            if let Some(Yaml::List(list)) = self.below("provides", key)?.value {
                provides.push((*key, list.len()));
            }
        }
        if let (Kind::Extension, Some(Yaml::Mapping(hooks))) =
            (self.kind, self.root("hooks")?.value)
        {
            provides.push(("hooks", hooks.len()));
        }
        Ok(provides)
    }
}
