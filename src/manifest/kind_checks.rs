//! What `specify` demands of a manifest of one kind beyond the fields that all kinds have.
//!
//! Source: the manifests' readers in `specify` 1.2.3.

use super::checks::Fields;
use super::field::Checked;
use super::kind::Kind;
use super::yaml::Yaml;
use crate::limits::spec_kit::{MANIFEST_NAME_BYTES_MAX, MANIFEST_TEXT_BYTES_MAX};

impl Fields<'_> {
    /// Checks what is peculiar to the kind.
    pub fn check_kind(&self) -> Checked<()> {
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
            category.filled_text(MANIFEST_TEXT_BYTES_MAX)?;
        }
        let effect = self.section("effect")?;
        if !effect.is_absent()
            && !matches!(
                effect.text(MANIFEST_TEXT_BYTES_MAX)?,
                "read-only" | "read-write"
            )
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
        self.section("name")?
            .text(MANIFEST_NAME_BYTES_MAX)
            .map(drop)?;
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
                field.text(MANIFEST_TEXT_BYTES_MAX)?;
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
                field.filled_text(MANIFEST_TEXT_BYTES_MAX)?;
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
            self.section(key)?.filled_text(MANIFEST_TEXT_BYTES_MAX)?;
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
