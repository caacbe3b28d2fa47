//! Files that change while the server runs.

use crate::certificates::{Authority, PemPair};
use crate::client::Client;
use release_server::tls::{Acceptor, Reread};
use release_server::watch::Report;
use std::path::Path;
use std::time::SystemTime;

fn open(folder: &Path) -> Acceptor {
    let files = release_server::config::TlsFiles {
        certificate: folder.join("tls.crt"),
        key: folder.join("tls.key"),
    };
    Acceptor::open(files, SystemTime::now()).unwrap()
}

/// The certificate that a new connection is shown.
fn shown(acceptor: &Acceptor, authority: &Authority) -> Vec<u8> {
    let mut session = acceptor.session().unwrap();
    let mut client = Client::new(authority);
    client.handshake(&mut session);
    client.peer_certificate()
}

fn reread(acceptor: &Acceptor) -> Reread {
    acceptor.reread(SystemTime::now(), Report::WhenReadTwice)
}

#[test]
fn a_pair_replaced_in_any_way_is_in_force_at_the_next_reading() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let versions: [PemPair; 4] = std::array::from_fn(|_| authority.pair());
    for (number, pair) in versions.iter().enumerate() {
        let version = path.join(format!("v{number}"));
        std::fs::create_dir(&version).unwrap();
        pair.write(&version);
    }
    let link = |from: &str, to: &str| {
        let new = path.join("new");
        std::os::unix::fs::symlink(from, &new).unwrap();
        std::fs::rename(&new, path.join(to)).unwrap();
    };
    // As Kubernetes mounts a Secret: files link into a folder, and the link to the folder is set
    // anew.
    link("v0", "..data");
    link("..data/tls.crt", "tls.crt");
    link("..data/tls.key", "tls.key");
    let acceptor = open(path);
    let mut seen = vec![shown(&acceptor, &authority)];
    assert_eq!(reread(&acceptor), Reread::Unchanged);
    let mut renewed = || {
        assert!(matches!(reread(&acceptor), Reread::Renewed(_, _)));
        let certificate = shown(&acceptor, &authority);
        assert!(!seen.contains(&certificate));
        seen.push(certificate);
        assert_eq!(reread(&acceptor), Reread::Unchanged);
    };
    link("v1", "..data");
    renewed();
    // As certbot does it: each file's own link is set anew.
    link("v2/tls.crt", "tls.crt");
    link("v2/tls.key", "tls.key");
    renewed();
    // In place, which leaves the same files.
    versions[3].write(&path.join("v2"));
    renewed();
}

#[test]
fn a_pair_that_cannot_be_used_is_reported_once_and_the_old_one_stays() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (authority.pair(), authority.pair());
    let files = old.write(folder.path());
    let acceptor = open(folder.path());
    let before = shown(&acceptor, &authority);
    // Half of a renewal: the next reading may see the other half.
    std::fs::write(&files.certificate, &new.certificate).unwrap();
    assert_eq!(reread(&acceptor), Reread::Unchanged);
    let Reread::Refused(sentence) = reread(&acceptor) else {
        panic!("not refused");
    };
    assert!(
        sentence.contains("the key does not belong to the first certificate"),
        "{sentence}"
    );
    assert_eq!(reread(&acceptor), Reread::Unchanged);
    assert_eq!(shown(&acceptor, &authority), before);
    // A person who asks is answered at once, with another fault than the last.
    std::fs::remove_file(&files.key).unwrap();
    assert!(matches!(
        acceptor.reread(SystemTime::now(), Report::AtOnce),
        Reread::Refused(_)
    ));
    std::fs::write(&files.key, &new.key).unwrap();
    assert!(matches!(reread(&acceptor), Reread::Renewed(_, _)));
    assert_ne!(shown(&acceptor, &authority), before);
}

#[test]
fn a_session_from_before_a_renewal_is_resumed_after_it() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    authority.pair().write(folder.path());
    let acceptor = open(folder.path());
    let mut client = Client::new(&authority);
    let mut session = acceptor.session().unwrap();
    client.handshake(&mut session);
    assert_eq!(session.is_resumed(), Some(false));
    client.exchange(&mut session, b"ping", b"pong");
    authority.pair().write(folder.path());
    assert!(matches!(reread(&acceptor), Reread::Renewed(_, _)));
    let mut session = acceptor.session().unwrap();
    client.again().handshake(&mut session);
    assert_eq!(session.is_resumed(), Some(true));
}
