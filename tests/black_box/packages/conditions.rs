//! Conditions of writes: a change is made only while the package is as the client knows it.
//!
//! Source: RFC 9110, sections 13.1 and 13.2.

use crate::support::{FORM_TYPE, TestServer, form, hex};

const OVERWRITE: &str = "?overwrite=true";
const LONG_AGO: &str = "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
const LATER: &str = "If-Unmodified-Since: Fri, 06 Nov 2099 08:49:37 GMT\r\n";

fn tag(content: &[u8]) -> String {
    format!("\"{}\"", hex(content))
}

/// Replaces `a.zip`, under a condition, and returns the status.
fn replace(server: &TestServer, condition: &str, content: &[u8]) -> u16 {
    let path = format!("/assets/a.zip{OVERWRITE}");
    server.write("PUT", &path, condition, content).status
}

#[test]
fn a_package_is_replaced_only_while_its_condition_holds() {
    let server = TestServer::start();
    let old = tag(b"old");
    let matches = format!("If-Match: {old}\r\n");
    assert_eq!(replace(&server, &matches, b"x"), 412, "there is none");
    assert_eq!(replace(&server, "If-Match: *\r\n", b"x"), 412);
    assert_eq!(replace(&server, "If-None-Match: *\r\n", b"old"), 201);
    for refused in [
        "If-None-Match: *\r\n".to_owned(),
        format!("If-None-Match: \"x\", {old}\r\n"),
        format!("If-None-Match: W/{old}\r\n"),
        format!("If-Match: W/{old}\r\n"),
        "If-Match: \"x\"\r\n".to_owned(),
        format!("If-Match: \"x\"\r\n{LATER}"),
        LONG_AGO.to_owned(),
        format!("{matches}If-None-Match: {old}\r\n"),
    ] {
        assert_eq!(replace(&server, &refused, b"new"), 412, "{refused}");
        assert_eq!(server.get("/assets/a.zip").body, b"old", "{refused}");
    }
    for accepted in [
        matches,
        "If-Match: *\r\n".to_owned(),
        format!("If-Match: \"x\", {old}\r\n{LONG_AGO}"),
        "If-None-Match: \"x\"\r\n".to_owned(),
        LATER.to_owned(),
        "If-Unmodified-Since: yesterday\r\n".to_owned(),
    ] {
        assert_eq!(replace(&server, &accepted, b"old"), 200, "{accepted}");
    }
}

#[test]
fn forms_and_deletes_have_conditions_too() {
    let server = TestServer::start();
    assert_eq!(server.put("a.zip", b"old").status, 201);
    let post = |condition: &str| {
        let headers = format!("{FORM_TYPE}{condition}");
        let path = format!("/upload{OVERWRITE}");
        server.write("POST", &path, &headers, &form("a.zip", b"new"))
    };
    post("If-None-Match: *\r\n").assert_error(412, "If-None-Match");
    post(&format!("If-Match: {}\r\n", tag(b"x"))).assert_error(412, "If-Match");
    assert_eq!(server.get("/assets/a.zip").body, b"old");
    assert_eq!(post(&format!("If-Match: {}\r\n", tag(b"old"))).status, 200);

    let delete = |condition: &str| server.write("DELETE", "/assets/a.zip", condition, b"");
    let matches_new = format!("If-Match: {}\r\n", tag(b"new"));
    delete(&format!("If-Match: {}\r\n", tag(b"old"))).assert_error(412, "If-Match");
    delete(LONG_AGO).assert_error(412, "If-Unmodified-Since");
    assert_eq!(server.get("/assets/a.zip").body, b"new");
    assert_eq!(delete(&matches_new).status, 204);
    // RFC 9110, section 13.2.1: without the condition, it would be 404 as well.
    delete(&matches_new).assert_error(404, "Not Found");
}

/// Where a name is taken, the answer is the same with and without a condition.
#[test]
fn a_conflict_comes_before_a_condition() {
    let server = TestServer::start();
    assert_eq!(server.put("a.zip", b"old").status, 201);
    let put = |condition: &str| server.write("PUT", "/assets/a.zip", condition, b"new");
    put("If-None-Match: *\r\n").assert_error(409, "exists already");
    put(&format!("If-Match: {}\r\n", tag(b"x"))).assert_error(409, "exists already");
}

/// Of many clients that replace the same version, one succeeds.
#[test]
fn of_rivals_with_the_same_condition_one_wins() {
    let server = TestServer::start();
    assert_eq!(server.put("a.zip", b"old").status, 201);
    let condition = format!("If-Match: {}\r\n", tag(b"old"));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let rivals: Vec<_> = (0..16)
            .map(|rival: u32| {
                let (server, condition) = (&server, &condition);
                scope.spawn(move || replace(server, condition, rival.to_string().as_bytes()))
            })
            .collect();
        rivals
            .into_iter()
            .map(|rival| rival.join().unwrap())
            .collect()
    });
    let won = statuses.iter().filter(|status| **status == 200).count();
    let lost = statuses.iter().filter(|status| **status == 412).count();
    assert_eq!((won, lost), (1, 15), "{statuses:?}");
}
