//! Every documented answer of spec-kit's catalogs and of the files of step packages.

use super::answers::Asker;
use crate::packages::catalogs::step;

/// Catalogs, and a step package that is called `a.zip`, which goes again.
pub fn catalogs(asker: &mut Asker<'_>) {
    let put = "PUT /assets/a.zip?catalog=required";
    asker.ask(422, put, "", b"plain");
    let published = asker.ask(201, put, "", &step());
    assert_eq!(published.json()["package"]["kind"], "step");
    for method in ["GET", "HEAD"] {
        asker.ask(404, &format!("{method} /catalogs/others.json"), "", b"");
        asker.ask(404, &format!("{method} /assets/a.zip/none.py"), "", b"");
        for target in [
            "/catalog.json",
            "/catalogs/steps.json",
            "/assets/a.zip/helper/words.py",
        ] {
            let request = format!("{method} {target}");
            let found = asker.ask(200, &request, "", b"");
            let same = format!("If-None-Match: {}\r\n", found.header("etag"));
            asker.ask(304, &request, &same, b"");
            asker.ask(412, &request, "If-Match: \"other\"\r\n", b"");
        }
    }
    asker.ask(200, "GET /packages?format=json", "", b"");
    asker.ask(204, "DELETE /assets/a.zip", "", b"");
}
