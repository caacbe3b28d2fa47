//! What attackers and mistaken pipelines send in place of an identity token that fits: the attacks
//! of RFC 8725 and of the usual tools, each refused with its sentence.

use super::identities::{ask, start};
use crate::support::issuer::{Issuer, base64url, now};
use serde_json::{Value, json};

/// A sentence, and the tokens that it answers.
type Refused = (&'static str, Vec<String>);

/// A token without one of its claims.
fn without(issuer: &Issuer, name: &str) -> String {
    let mut claims = issuer.claims(&json!({}));
    claims.as_object_mut().unwrap().remove(name);
    issuer.sign("rsa", &claims.to_string())
}

fn by_claims(issuer: &Issuer) -> Vec<Refused> {
    let now = now();
    let with = |claims: Value| issuer.token(&claims);
    let without = |name| without(issuer, name);
    let claim = "No entry accepts the identity token: its claim";
    vec![
        (
            "The identity token expired at",
            vec![with(json!({"exp": now - 61})), with(json!({"exp": 0}))],
        ),
        (
            "The identity token is not valid before",
            vec![
                with(json!({"nbf": now + 90})),
                with(json!({"iat": now + 90})),
            ],
        ),
        (
            "The identity token is for another audience",
            vec![
                with(json!({"aud": "other"})),
                with(json!({"aud": ["release-server2", "x"]})),
                with(json!({"aud": {"release-server": true}})),
                without("aud"),
            ],
        ),
        (
            "No entry accepts identity tokens of the issuer",
            vec![
                with(json!({"iss": "https://token.actions.githubusercontent.com"})),
                with(json!({"iss": format!("{}/", issuer.url)})),
            ],
        ),
        (
            claim,
            vec![
                with(json!({"repository": "zlink/templates2"})),
                with(json!({"repository": {"zlink/templates": 1}})),
                with(json!({"repository": [["zlink/templates"]]})),
                with(json!({"repository": null})),
                with(json!({"ref": "refs/heads/main"})),
                with(json!({"Repository": "zlink/templates", "repository": "x"})),
                without("ref"),
            ],
        ),
    ]
}

fn by_malformed_claims(issuer: &Issuer) -> Vec<Refused> {
    let with = |claims: Value| issuer.token(&claims);
    let without = |name| without(issuer, name);
    let text = issuer.claims(&json!({})).to_string();
    let also = |more: &str| issuer.sign("rsa", &text.replacen('{', &format!("{{{more},"), 1));
    let malformed = "The identity token is malformed, says something twice";
    vec![(
        malformed,
        vec![
            also("\"repository\":\"other\""),
            also("\"aud\":\"other\""),
            also("\"iss\":\"https://other\""),
            with(json!({"exp": "never"})),
            with(json!({"exp": -1})),
            with(json!({"exp": 1e300})),
            with(json!({"nbf": null})),
            with(json!({"iss": 5})),
            without("exp"),
            without("iss"),
            issuer.sign("rsa", "[]"),
            issuer.sign("rsa", "{"),
            issuer.sign("rsa", &"[".repeat(3000)),
        ],
    )]
}

fn by_algorithm(issuer: &Issuer) -> Vec<Refused> {
    let claims = issuer.claims(&json!({})).to_string();
    let algorithm = |word: &str| {
        let header = json!({"alg": word, "kid": "rsa"}).to_string();
        issuer.sign_with("rsa", &header, &claims)
    };
    // A shared secret that everybody knows: the public key (RFC 8725, section 2.1).
    let jwk = issuer.keys()["keys"][2].clone();
    let hmac = |secret: &str| {
        let signed = format!(
            "{}.{}",
            base64url(r#"{"alg":"HS256","kid":"rsa"}"#),
            base64url(&claims)
        );
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
        format!(
            "{signed}.{}",
            base64url(ring::hmac::sign(&key, signed.as_bytes()))
        )
    };
    vec![(
        "signed with another algorithm than RS256 and ES256",
        [
            "none", "None", "nOnE", "", "HS256", "RS384", "PS256", "ES384", "EdDSA", "rs256",
        ]
        .map(algorithm)
        .into_iter()
        .chain([hmac(jwk["n"].as_str().unwrap()), hmac(&jwk.to_string())])
        .collect(),
    )]
}

fn by_header(issuer: &Issuer) -> Vec<Refused> {
    let claims = issuer.claims(&json!({})).to_string();
    let header = |header: Value| issuer.sign_with("rsa", &header.to_string(), &claims);
    let rs256 = |more: Value| {
        let mut all = json!({"alg": "RS256", "kid": "rsa"});
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        header(all)
    };
    let jwk = &issuer.keys()["keys"][2];
    vec![
        (
            "names the key to check it with",
            vec![
                rs256(json!({"jku": format!("{}/keys", issuer.url)})),
                rs256(json!({"jku": "https://attacker.example/keys"})),
                rs256(json!({"x5u": "https://attacker.example/cert"})),
                rs256(json!({"x5c": ["MIIB"]})),
                rs256(json!({"jwk": jwk})),
            ],
        ),
        (
            "malformed",
            vec![
                rs256(json!({"crit": ["exp"]})),
                rs256(json!({"crit": ["b64"], "b64": false})),
                rs256(json!({"zip": "DEF"})),
                rs256(json!({"kid": 1})),
                issuer.sign_with(
                    "rsa",
                    r#"{"alg":"RS256","alg":"none","kid":"rsa"}"#,
                    &claims,
                ),
                issuer.sign_with("rsa", r#"{"kid":"rsa"}"#, &claims),
                issuer.sign_with("rsa", "{\"alg\"", &claims),
            ],
        ),
        (
            "a key that its issuer does not publish",
            [
                "../../../../dev/null",
                "x' UNION SELECT 'rsa",
                "enc",
                "ed",
                "p256",
                "RSA",
                "",
            ]
            .map(|kid| rs256(json!({"kid": kid})))
            .to_vec(),
        ),
    ]
}

fn by_signature(issuer: &Issuer) -> Vec<Refused> {
    let token = issuer.token(&json!({}));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (head, _) = signed.split_once('.').unwrap();
    let other = issuer.claims(&json!({"ref": "refs/tags/v2"})).to_string();
    let p256 = issuer.sign("p256", &issuer.claims(&json!({})).to_string());
    let (p256_signed, p256_signature) = p256.rsplit_once('.').unwrap();
    let mut der = vec![0x30, 68, 2, 32];
    let raw = issuer.signature("p256", p256_signed.as_bytes());
    der.extend_from_slice(&raw[..32]);
    der.extend([2, 32]);
    der.extend_from_slice(&raw[32..]);
    vec![
        (
            "The signature of the identity token is wrong",
            vec![
                format!("{signed}."),
                format!("{head}.{}.{signature}", base64url(&other)),
                format!("{signed}.{}", base64url([0; 256])),
                format!("{signed}.{p256_signature}"),
                // r and s are 0 (CVE-2022-21449).
                format!("{p256_signed}.{}", base64url([0; 64])),
                format!("{p256_signed}.{}", base64url(der)),
                issuer.sign_with("p256", r#"{"alg":"RS256","kid":"rsa"}"#, &other),
            ],
        ),
        (
            "malformed",
            vec![
                format!("{signed}.{signature}="),
                format!("{signed}.+{}", &signature[1..]),
                format!("{head}..{signature}"),
            ],
        ),
        (
            "The identity token is over 8192 bytes",
            vec![issuer.token(&json!({"x": "y".repeat(7000)}))],
        ),
        (
            "The token is wrong",
            vec![
                signed.to_owned(),
                format!("{token}.{signature}"),
                token[3..].to_owned(),
            ],
        ),
    ]
}

#[test]
fn forged_and_unfit_tokens_are_refused() {
    let issuer = Issuer::start();
    let (mut server, _directory) = start(&issuer);
    let accepted = issuer.token(&json!({}));
    ask(&server, &accepted).assert_error(400, "The file is empty");
    for slack in [
        json!({"exp": now() - 30}),
        json!({"nbf": now() + 30, "iat": now() + 30}),
    ] {
        ask(&server, &issuer.token(&slack)).assert_error(400, "The file is empty");
    }
    let several = json!({"aud": ["other", "release-server"], "exp": 4_102_444_800.5});
    ask(&server, &issuer.token(&several)).assert_error(400, "The file is empty");
    for refused in [
        by_claims(&issuer),
        by_malformed_claims(&issuer),
        by_algorithm(&issuer),
        by_header(&issuer),
        by_signature(&issuer),
    ] {
        for (sentence, tokens) in refused {
            for token in tokens {
                ask(&server, &token).assert_error(401, sentence);
            }
        }
    }
    // Whatever they named, the issuer was asked once: its keys were fetched a moment ago.
    assert_eq!(issuer.fetches(), 1);
    ask(&server, &accepted).assert_error(400, "The file is empty");
    let too_long = format!("Authorization: Bearer {}\r\n", "eyJ".repeat(6000));
    assert_eq!(
        server
            .request("PUT", "/assets/x.zip", &too_long, b"")
            .status,
        431
    );
    server.assert_alive();
}
