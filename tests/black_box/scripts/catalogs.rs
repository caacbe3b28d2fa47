//! `upload.sh` and packages of spec-kit.

use super::workshop::Workshop;
use super::{UPLOAD, outcomes};
use crate::packages::catalogs::extension;
use crate::support::TestServer;

#[test]
fn packages_are_reported_and_may_be_required_to_be_in_the_catalogs() {
    let server = TestServer::start();
    let workshop = Workshop::of(&server);
    workshop.file("good.zip", &extension("acme", "1.0.0"));
    workshop.file("bad.zip", &extension("Acme", "1.0.0"));
    let refused = workshop.run(UPLOAD, &["-c", "bad.zip"]);
    assert!(
        refused.stderr.contains("refused: Catalogs would leave"),
        "{}",
        refused.stderr
    );
    assert_eq!(server.listed(), [""; 0]);
    let published = workshop.run(UPLOAD, &["good.zip", "bad.zip"]);
    let outcomes = outcomes(&published);
    assert!(outcomes[0].ends_with("; in the catalogs"), "{outcomes:?}");
    assert!(
        outcomes[1].contains("; not in the catalogs: extension.id is not"),
        "{outcomes:?}"
    );
    let replaced = workshop.run(UPLOAD, &["--force", "--catalog", "good.zip"]);
    assert!(replaced.stdout.contains("replaced"), "{}", replaced.stdout);
}
