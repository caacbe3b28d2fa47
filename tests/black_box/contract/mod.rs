//! The server against its published contract, `openapi.yaml`, in both directions.

mod answers;
mod bounds;
mod document;
mod pattern;
mod releases;
mod schema;
