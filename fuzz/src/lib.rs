//! The properties that the test suite checks too, for the fuzz targets beside this folder.
//!
//! `scripts/fuzz.sh` runs the targets, from corpora that the suite's tables make.

#[path = "../../tests/parsers/properties/mod.rs"]
pub mod properties;
