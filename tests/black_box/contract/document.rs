//! The contract and the program agree: every path in `openapi.yaml` is routed, every route is
//! documented, and the server serves this very document. `answers.rs` checks single answers.

use super::schema::{Contract, OF_ANY_REQUEST, TEXT, entries};
use crate::support::TestServer;
use release_server::app::router::{self, Endpoint};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// An example of a path pattern.
pub fn filled_in(pattern: &str) -> String {
    let values = [
        ("{filename}", "a.zip"),
        ("{pattern}", "a.*"),
        ("{owner}", "github"),
        ("{repo}", "spec-kit"),
        ("{tag}", "unversioned"),
        ("{id}", "1"),
    ];
    values
        .iter()
        .fold(pattern.to_owned(), |path, (name, value)| {
            path.replace(name, value)
        })
}

/// All objects inside a value, including the value itself.
fn objects<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(members) => {
            found.push(value);
            members.values().for_each(|member| objects(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| objects(item, found)),
        _ => {}
    }
}

/// YAML reads a status without quotes as a number, which many tools refuse as a key.
fn has_text_keys(value: &serde_yaml::Value) -> bool {
    match value {
        serde_yaml::Value::Mapping(members) => members
            .iter()
            .all(|(key, member)| key.is_string() && has_text_keys(member)),
        serde_yaml::Value::Sequence(items) => items.iter().all(has_text_keys),
        _ => true,
    }
}

#[test]
fn every_operation_of_the_document_is_routed_and_allowed() {
    let contract = Contract::load();
    for (path, method, _) in contract.operations() {
        let filled_in = filled_in(path);
        let endpoint = router::route(&filled_in)
            .unwrap_or_else(|| panic!("{path} is in the document and not routed"))
            .endpoint;
        assert_eq!(endpoint.pattern(), path);
        let parsed = method.parse().unwrap();
        assert!(endpoint.allows(&parsed), "{method} {path} is not allowed");
    }
}

#[test]
fn every_endpoint_is_in_the_document_with_exactly_its_methods() {
    let contract = Contract::load();
    for endpoint in Endpoint::ALL {
        let allowed: BTreeSet<String> = endpoint.allow().split(", ").map(str::to_owned).collect();
        let documented: BTreeSet<String> = contract
            .operations()
            .filter(|(path, _, _)| *path == endpoint.pattern())
            .map(|(_, method, _)| method)
            .collect();
        assert_eq!(documented, allowed, "of {}", endpoint.pattern());
    }
    assert_eq!(
        entries(&contract.document()["paths"]).count(),
        Endpoint::ALL.len()
    );
}

#[test]
fn the_document_says_what_it_is() {
    assert!(has_text_keys(&serde_yaml::from_str(TEXT).unwrap()));
    let contract = Contract::load();
    let document = contract.document();
    let text = |pointer: &str| document.pointer(pointer).unwrap().as_str().unwrap();
    assert!(text("/openapi").starts_with("3.1."));
    assert_eq!(text("/info/version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(text("/info/license/identifier"), "MIT");
    assert_eq!(text("/components/securitySchemes/token/type"), "http");
    assert_eq!(text("/components/securitySchemes/token/scheme"), "bearer");
}

#[test]
fn every_operation_is_named_and_says_whether_it_needs_the_token() {
    let contract = Contract::load();
    let with_token = json!([{ "token": [] }]);
    let mut ids = BTreeSet::new();
    for (path, method, operation) in contract.operations() {
        let text = |key: &str| operation[key].as_str().unwrap_or_default();
        let id = text("operationId");
        assert!(!id.is_empty(), "{method} {path} has no operationId");
        assert!(ids.insert(id), "{id} stands twice");
        assert!(!text("summary").is_empty(), "{id} has no summary");
        let writes = !matches!(method.as_str(), "GET" | "HEAD");
        let security = operation.get("security");
        assert_eq!(security, writes.then_some(&with_token), "of {id}");
        let refuses = contract.response(&method, path, 401).is_some();
        assert_eq!(refuses, writes, "401 of {id}");
    }
    assert_eq!(contract.document()["security"], json!([]));
}

/// GitHub Enterprise serves its API below `/api/v3`; so does this server.
#[test]
fn what_is_documented_with_a_prefix_is_routed_with_it() {
    let contract = Contract::load();
    for (path, item) in entries(&contract.document()["paths"]) {
        let prefixed = format!("/api/v3{}", filled_in(path));
        let found = router::route(&prefixed).map(|route| route.endpoint.pattern());
        let documented = item["servers"] == json!([{ "url": "/" }, { "url": "/api/v3" }]);
        assert_eq!(found, documented.then_some(path), "{prefixed}");
    }
}

/// RFC 9110, sections 9.3.2 and 14.2: HEAD is answered like GET, and ranges apply to GET alone.
#[test]
fn head_is_documented_as_get_is() {
    let contract = Contract::load();
    for (path, method, get) in contract.operations() {
        if method != "GET" {
            continue;
        }
        let head = &contract.document()["paths"][path]["head"];
        let mut responses = get["responses"].clone();
        let of_get_alone = ["206", "416"];
        let members = responses.as_object_mut().unwrap();
        members.retain(|status, _| !of_get_alone.contains(&status.as_str()));
        assert_eq!(head["responses"], responses, "HEAD {path}");
    }
}

#[test]
fn what_any_request_may_get_is_said_at_every_operation() {
    let contract = Contract::load();
    let any = json!({ "$ref": "#/components/responses/Any" });
    for (path, method, operation) in contract.operations() {
        assert_eq!(operation["responses"]["default"], any, "{method} {path}");
    }
    let any = &contract.document()["components"]["responses"]["Any"];
    let description = any["description"].as_str().unwrap();
    for status in OF_ANY_REQUEST {
        assert!(description.contains(&status.to_string()), "{status}");
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_referred_to() {
    let contract = Contract::load();
    let mut found = Vec::new();
    objects(contract.document(), &mut found);
    for object in found {
        // Panics if the reference is dangling.
        contract.resolve(object);
    }
    for (kind, components) in entries(&contract.document()["components"]) {
        if kind == "securitySchemes" {
            continue;
        }
        for (name, _) in entries(components) {
            let reference = format!("components/{kind}/{name}");
            let is_whole = |after: &str| !after.starts_with(|c: char| c.is_ascii_alphanumeric());
            let used = TEXT.split(&reference).skip(1).any(is_whole);
            assert!(used, "{reference} is referred to by nothing");
        }
    }
}

#[test]
fn every_response_documents_the_request_id() {
    let contract = Contract::load();
    for (name, response) in entries(&contract.document()["components"]["responses"]) {
        let response = contract.resolve(response);
        let id = &response["headers"]["X-Request-Id"];
        assert_eq!(contract.resolve(id)["required"], true, "of {name}");
    }
}

#[test]
fn every_example_fits_its_schema() {
    let contract = Contract::load();
    let mut found = Vec::new();
    objects(contract.document(), &mut found);
    let mut checked = 0;
    for object in found {
        // A schema has `examples`; what has a schema has an `example`.
        let of_schema = object["examples"].as_array().into_iter().flatten();
        let of_schema = of_schema.map(|example| (object, example));
        let beside = object.get("schema").zip(object.get("example")).into_iter();
        for (schema, example) in of_schema.chain(beside) {
            checked += 1;
            if let Err(why) = contract.fits(schema, example) {
                panic!("an example does not fit{why}");
            }
        }
    }
    assert!(checked > 20, "only {checked} examples were found");
}

#[test]
fn the_server_hands_out_this_very_document() {
    let server = TestServer::start();
    let yaml = server.get("/openapi.yaml");
    assert_eq!(yaml.header("content-type"), "application/yaml");
    assert!(yaml.body == TEXT.as_bytes(), "it is another file");
    let json = server.get("/openapi.json");
    assert_eq!(json.header("content-type"), "application/json");
    assert!(
        json.json() == *Contract::load().document(),
        "it is another document"
    );
}
