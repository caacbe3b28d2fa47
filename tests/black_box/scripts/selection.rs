//! The files and names that the scripts choose, leave out, warn about and show progress for.

use super::workshop::{Workshop, script};
use super::{DELETE, UPLOAD, stored};
use crate::support::{TestServer, hex};
use std::net::TcpListener;

#[test]
fn files_of_the_run_that_the_server_removes_are_a_failure() {
    let server = TestServer::with(&[("MAX_PACKAGES", "3")]);
    let workshop = Workshop::of(&server);
    let names: Vec<_> = (0..10).map(|number| format!("{number}.zip")).collect();
    for name in &names {
        workshop.file(name, name.as_bytes());
    }
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let warning = "upload.sh: the server removed 7 packages to make room, 7 of them files of this \
                   run: its max_packages is too low\n";
    let run = workshop.run(UPLOAD, &[&["-q"], &names[..]].concat());
    run.assert(1, "", warning);
    assert_eq!(stored(&server).len(), 3);
    // The three of the first run are removed; the files of this run stay.
    let run = workshop.run(UPLOAD, &["-qj3", "0.zip", "1.zip", "2.zip"]);
    run.assert(
        0,
        "",
        "upload.sh: the server removed 3 packages to make room\n",
    );
}

#[test]
fn checksum_files_are_compared_and_not_sent() {
    let server = TestServer::start();
    let workshop = Workshop::of(&server);
    let digest = hex(b"content");
    workshop.file("a.zip", b"content");
    workshop.file("b.zip", b"other");
    workshop.file("a.zip.sha256", digest.to_uppercase().as_bytes());
    workshop.file("SHA256SUMS", format!("{digest} *dist/a.zip\n").as_bytes());
    let all = ["a.zip", "a.zip.sha256", "b.zip", "SHA256SUMS"];
    let run = workshop.run(UPLOAD, &all);
    let left_out = "a.zip.sha256 ... not sent: the server makes its own checksums\n\
                    SHA256SUMS ... not sent: the server makes its own checksums\n[1/2] a.zip";
    run.assert(0, left_out, "");
    assert_eq!(stored(&server).len(), 2);

    let run = workshop.run(UPLOAD, &["SHA256SUMS"]);
    run.assert(
        2,
        "SHA256SUMS ... not sent",
        "only checksum files are given",
    );
    for (sums, text) in [
        ("b.zip.sha256", format!("{digest}  b.zip\n")),
        ("SHA256SUMS", format!("{digest}  a.zip\n{digest}  b.zip")),
    ] {
        workshop.file(sums, text.as_bytes());
        let run = workshop.run(UPLOAD, &["-q", "-f", "a.zip", "b.zip", sums]);
        let differs = format!("the checksum of 'b.zip' differs from the one in '{sums}'");
        run.assert(2, "", &differs);
    }
    assert_eq!(stored(&server)["b.zip"], b"other");
}

#[test]
fn a_url_of_a_page_or_of_https_gets_a_hint_and_no_retry() {
    let server = TestServer::start();
    let workshop = Workshop::of(&server);
    workshop.file("a.zip", b"content");
    workshop.file("b.zip", b"content");
    let url = server.url();
    let run = workshop.run(
        UPLOAD,
        &["-q", "-u", &format!("{url}/latest/"), "a.zip", "b.zip"],
    );
    let hint = format!("(--url takes the base of the server: try {url})\nupload.sh: 1 of 2 files");
    run.assert(1, "", &hint);
    // An empty variable counts as not set.
    let in_clear = TestServer::with(&[("TLS_CERTIFICATE", ""), ("TLS_KEY", "")]);
    let https = in_clear.url().replace("http:", "https:");
    let run = workshop.run(UPLOAD, &["-q", "-u", &https, "a.zip"]);
    run.assert(3, "", "; the server does not use TLS there: try http://\n");
    assert!(!run.stderr.contains("retrying"), "{}", run.stderr);
}

#[test]
fn patterns_select_packages_to_delete() {
    let server = TestServer::start();
    let workshop = Workshop::of(&server);
    let names = [
        "kit-1.zip",
        "kit-2.zip",
        "kit-10.zip",
        "a[b]c\"d.zip",
        "é \", \".zip",
    ];
    for name in names {
        workshop.file(name, b"content");
    }
    workshop.run(UPLOAD, &names).assert(0, "5 published", "");
    let run = workshop.run(DELETE, &["kit-?.zip"]);
    run.assert(
        2,
        "kit-2.zip\nkit-1.zip\n",
        "without a terminal needs --yes",
    );
    let run = workshop.run(DELETE, &["-n", "a[b]*"]);
    let from = format!("a[b]c\"d.zip ... would be deleted from {}", server.url());
    run.assert(0, &from, "");
    workshop
        .run(DELETE, &["-y", "a[bx]c*"])
        .assert(1, "", "no package matches 'a[bx]c*'");
    workshop.run(DELETE, &["-yf", "none*"]).assert(0, "", "");
    assert_eq!(stored(&server).len(), 5);
    let run = workshop.run(DELETE, &["-y", "a[b]c*", "kit-?.zip", "kit-1*"]);
    run.assert(0, "\n4 packages: 4 deleted, 0 not there, 0 failed\n", "");
    workshop.run(DELETE, &["-qy", "*"]).assert(0, "", "");
    assert_eq!(stored(&server).len(), 0);
}

#[test]
fn a_pattern_needs_a_list_of_packages() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let workshop = Workshop::at(&format!("http://{}", closed.local_addr().unwrap()));
    drop(closed);
    let mut command = workshop.command_with(&super::TOOLS, DELETE);
    let run = workshop.finish(command.args(["-y", "*"]));
    run.assert(
        3,
        "",
        "delete.sh: the list of packages ... Failed to connect",
    );
}

#[test]
fn a_terminal_shows_the_total_progress_and_asks_before_deleting() {
    let server = TestServer::start();
    let workshop = Workshop::of(&server);
    workshop.file("a.zip", b"content");
    workshop.file("b.zip", b"content");
    let (upload, delete) = (script(UPLOAD), script(DELETE));
    let (code, text) = workshop.on_terminal(&format!("{} -j2 a.zip b.zip", upload.display()), "");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("\r0 of 2 files, 0 B of 14 B"), "{text}");
    let (code, text) = workshop.on_terminal(&format!("{} \"*.zip\"", delete.display()), "no\\n");
    assert_eq!(code, Some(1), "{text}");
    let question = format!("Delete these 2 packages from {}", server.url());
    assert!(text.contains(&question), "{text}");
    assert_eq!(stored(&server).len(), 2);
    let (code, text) = workshop.on_terminal(&format!("{} \"?.zip\"", delete.display()), "y\\n");
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(stored(&server).len(), 0);
}
