//! Writes with a token that does not have the right: 403 wherever the contract has it.

use super::answers::Asker;
use crate::support::{TestServer, hex};
use tempfile::TempDir;

const MAY_PUBLISH: &str = "may-publish";
const MAY_DELETE: &str = "may-delete";

/// A server with these settings and two named tokens.
pub fn server(settings: &[(&str, &str)]) -> (TestServer, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.yaml");
    let entry = |token: &str, right: &str| {
        let hash = hex(token.as_bytes());
        format!("- {{name: {token}, sha256: {hash}, may: [{right}]}}\n")
    };
    let entries = entry(MAY_PUBLISH, "publish") + &entry(MAY_DELETE, "delete");
    std::fs::write(&file, format!("tokens:\n{entries}")).unwrap();
    let tokens = [("TOKENS_FILE", file.to_str().unwrap())];
    (TestServer::with(&[settings, &tokens].concat()), folder)
}

/// Sends a write with the token that has the other right.
pub fn check(asker: &mut Asker<'_>, request: &str) {
    let (method, target) = request.split_once(' ').unwrap();
    let token = if method == "DELETE" {
        MAY_PUBLISH
    } else {
        MAY_DELETE
    };
    let header = format!("Authorization: Bearer {token}\r\n");
    let answer = asker.server.request(method, target, &header, b"");
    asker.check(403, request, &answer);
}
