//! The server against its published contract, `openapi.yaml`, in both directions.

mod answers;
mod bounds;
mod catalogs;
mod document;
mod forbidden;
mod pattern;
mod releases;
mod schema;
