//! What `specify` demands of a manifest's fields, kind by kind.
//!
//! Invariant: what passes here passes the manifest's own reader in `specify` 1.2.3, but for what lies
//! deeper than a section's lists (names of commands, steps of workflows), which stays the client's to
//! say.

use super::archive_path::is_device;
use super::kind::Kind;
use super::outcome::{Manifest, Reason, Unlisted};
use super::package_version::{PackageVersion, is_semantic, is_specifier, is_three_numbers};
use super::yaml::Yaml;
use std::collections::BTreeMap;

const TEXT_BYTES_MAX: usize = 1024;
const NAME_BYTES_MAX: usize = 200;
const TAGS_MAX: usize = 20;
const TAG_BYTES_MAX: usize = 64;

type Checked<T> = Result<T, Unlisted>;

/// A manifest with the kind it is to be of.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'y> {
    kind: Kind,
    root: &'y Yaml,
    /// The mapping with id and version.
    section: &'y Yaml,
}

/// A field's path and its value, if there is one.
struct Field<'y> {
    path: String,
    value: Option<&'y Yaml>,
}

impl<'y> Field<'y> {
    fn fault(&self, accepted: &str) -> Unlisted {
        Unlisted::new(Reason::Field, format!("{} is not {accepted}", self.path))
    }

    fn text(&self, bytes_max: usize) -> Checked<&'y str> {
        match self.value {
            Some(Yaml::Text(text)) if text.len() > bytes_max => {
                let message = format!("{} is over {bytes_max} bytes", self.path);
                Err(Unlisted::new(Reason::Field, message))
            }
            Some(Yaml::Text(text)) => Ok(text),
            Some(_) => Err(self.fault("a text; a number, date or yes needs quotes")),
            None => Err(Unlisted::new(
                Reason::Field,
                format!("{} is missing", self.path),
            )),
        }
    }

    fn filled_text(&self, bytes_max: usize) -> Checked<&'y str> {
        let text = self.text(bytes_max)?;
        if text.trim().is_empty() {
            Err(self.fault("a text with anything in it"))
        } else {
            Ok(text)
        }
    }

    fn mapping(&self) -> Checked<&'y BTreeMap<String, Yaml>> {
        match self.value {
            Some(Yaml::Mapping(pairs)) => Ok(pairs),
            _ => Err(self.fault("a mapping")),
        }
    }

    fn list(&self) -> Checked<&'y [Yaml]> {
        match self.value {
            Some(Yaml::List(list)) => Ok(list),
            _ => Err(self.fault("a list")),
        }
    }

    fn is_absent(&self) -> bool {
        self.value.is_none()
    }

    /// Absent, or there without a value.
    fn is_empty(&self) -> bool {
        matches!(self.value, None | Some(Yaml::Null))
    }
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
        fields.at(root, "", kind.name())?.mapping()?;
        Ok(fields)
    }

    /// The field of a mapping, whose path is given; an alias in its place is not looked up.
    fn at(&self, mapping: &'y Yaml, path: &str, key: &str) -> Checked<Field<'y>> {
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

    fn root(&self, key: &str) -> Checked<Field<'y>> {
        self.at(self.root, "", key)
    }

    fn section(&self, key: &str) -> Checked<Field<'y>> {
        self.at(self.section, self.kind.name(), key)
    }

    /// The field below one of the root's mappings.
    fn below(&self, outer: &str, key: &str) -> Checked<Field<'y>> {
        self.at(self.root(outer)?.value.unwrap_or(&Yaml::Null), outer, key)
    }

    /// A text of the section; `specify` strips those of bundles.
    fn name(&self, key: &str) -> Checked<&'y str> {
        let field = self.section(key)?;
        match self.kind {
            Kind::Bundle => field.filled_text(NAME_BYTES_MAX).map(str::trim),
            _ => field.text(NAME_BYTES_MAX),
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
            Kind::Bundle => description.filled_text(TEXT_BYTES_MAX)?.trim(),
            Kind::Integration => description.filled_text(TEXT_BYTES_MAX)?,
            _ => description.text(TEXT_BYTES_MAX)?,
        };
        if self.kind == Kind::Integration {
            self.section("name")?.filled_text(NAME_BYTES_MAX)?;
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
        let text = field.filled_text(TEXT_BYTES_MAX)?;
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
                let text = field.text(TEXT_BYTES_MAX)?;
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
            Yaml::Text(text) if !text.trim().is_empty() => Some(text.clone()),
            _ => None,
        });
        let tags: Vec<String> = texts.collect();
        if tags.len() > TAGS_MAX || tags.iter().any(|tag| tag.len() > TAG_BYTES_MAX) {
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

    fn check_kind(&self) -> Checked<()> {
        match self.kind {
            Kind::Extension => self.check_extension(),
            Kind::Preset => self.check_preset(),
            Kind::Workflow => self.check_workflow(),
            Kind::Step => Ok(()),
            Kind::Integration => self.check_integration(),
            Kind::Bundle => self.check_bundle(),
        }
    }

    fn check_extension(&self) -> Checked<()> {
        self.root("provides")?.mapping()?;
        let mut count = 0;
        for key in ["commands", "templates", "scripts"] {
            let field = self.below("provides", key)?;
            if !field.is_absent() {
                count += field.list()?.len();
            }
        }
        for key in ["hooks", "events"] {
            let field = self.root(key)?;
            if !field.is_absent() {
                count += field.mapping()?.len();
            }
        }
        let category = self.section("category")?;
        if !category.is_absent() {
            category.filled_text(TEXT_BYTES_MAX)?;
        }
        let effect = self.section("effect")?;
        if !effect.is_absent()
            && !matches!(effect.text(TEXT_BYTES_MAX)?, "read-only" | "read-write")
        {
            return Err(effect.fault("\"read-only\" or \"read-write\""));
        }
        if count == 0 {
            return Err(self
                .root("provides")?
                .fault("a mapping with any command, template or script"));
        }
        Ok(())
    }

    fn check_preset(&self) -> Checked<()> {
        self.root("provides")?.mapping()?;
        let templates = self.below("provides", "templates")?;
        if templates.list()?.is_empty() {
            return Err(templates.fault("a list with any template"));
        }
        let extensions = self.below("requires", "extensions")?;
        if extensions.is_absent() {
            Ok(())
        } else {
            extensions.list().map(drop)
        }
    }

    fn check_workflow(&self) -> Checked<()> {
        self.section("name")?.text(NAME_BYTES_MAX).map(drop)?;
        if self.name("name")?.is_empty() {
            return Err(self.section("name")?.fault("a text with anything in it"));
        }
        for key in ["inputs", "outputs", "requires"] {
            let field = self.root(key)?;
            if !field.is_absent() {
                field.mapping()?;
            }
        }
        let requires = self.root("requires")?;
        if let Some(Yaml::Mapping(pairs)) = requires.value {
            let is_known = |key: &String| matches!(&key[..], "speckit_version" | "integrations");
            if !pairs.keys().all(is_known) {
                return Err(requires.fault("a mapping with speckit_version or integrations alone"));
            }
        }
        for key in ["integration", "model"] {
            let field = self.section(key)?;
            if !field.is_empty() {
                field.text(TEXT_BYTES_MAX)?;
            }
        }
        let options = self.section("options")?;
        if !options.is_empty() {
            options.mapping()?;
        }
        let steps = self.root("steps")?;
        if steps.list()?.is_empty() {
            Err(steps.fault("a list with any step"))
        } else {
            Ok(())
        }
    }

    fn check_integration(&self) -> Checked<()> {
        for key in ["author", "repository", "license"] {
            let field = self.section(key)?;
            if !field.is_absent() {
                field.filled_text(TEXT_BYTES_MAX)?;
            }
        }
        let tools = self.below("requires", "tools")?;
        if !tools.is_empty() {
            tools.list()?;
        }
        if self.root("provides")?.is_absent() {
            return Ok(());
        }
        self.root("provides")?.mapping()?;
        for key in ["commands", "scripts"] {
            let field = self.below("provides", key)?;
            if !field.is_absent() {
                field.list()?;
            }
        }
        Ok(())
    }

    fn check_bundle(&self) -> Checked<()> {
        for key in ["role", "author", "license"] {
            self.section(key)?.filled_text(TEXT_BYTES_MAX)?;
        }
        for field in [
            self.root("tags")?,
            self.below("requires", "tools")?,
            self.below("requires", "mcp")?,
        ] {
            let is_text = |value: &Yaml| matches!(value, Yaml::Text(_));
            if !field.is_empty() && !field.list()?.iter().all(is_text) {
                return Err(field.fault("a list of texts"));
            }
        }
        for key in ["integration", "provides"] {
            let field = self.root(key)?;
            if !field.is_empty() {
                field.mapping()?;
            }
        }
        for key in ["extensions", "presets", "steps", "workflows"] {
            let field = self.below("provides", key)?;
            if !field.is_empty() {
                field.list()?;
            }
        }
        Ok(())
    }
}
