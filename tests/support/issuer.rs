//! An issuer of identity tokens on this host: it serves keys as a test wants, and signs tokens.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

/// How the issuer answers.
#[derive(Clone, Debug)]
pub enum Manner {
    /// With its configuration and these keys.
    Keys(Value),
    /// With this configuration, and the keys of both kinds.
    Configuration(Value),
    Redirect,
    Status(u16),
    /// It accepts connections and says nothing.
    Silent,
    /// With a body that does not end.
    Endless,
    /// With text that is not JSON.
    Garbage,
}

/// The subject of its tokens.
pub const SUBJECT: &str = "repo:zlink/templates:ref:refs/tags/v1";

pub struct Issuer {
    pub url: String,
    manner: Arc<Mutex<Manner>>,
    /// The paths that it was asked for.
    asked: Arc<Mutex<Vec<String>>>,
    pub rsa: RsaKeyPair,
    pub p256: EcdsaKeyPair,
}

pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Seconds since 1970.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

fn rsa_key() -> RsaKeyPair {
    let pem = include_str!("rsa_test_key.pem");
    let text: String = pem.lines().filter(|line| !line.starts_with("--")).collect();
    RsaKeyPair::from_pkcs8(&STANDARD.decode(text).unwrap()).unwrap()
}

fn p256_key() -> EcdsaKeyPair {
    let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
    let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).unwrap()
}

impl Issuer {
    /// An issuer that serves its two keys, under the names `rsa` and `p256`.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (rsa, p256) = (rsa_key(), p256_key());
        let manner = Arc::new(Mutex::new(Manner::Keys(Value::Null)));
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let issuer = Self {
            url: url.clone(),
            manner: Arc::clone(&manner),
            asked: Arc::clone(&asked),
            rsa,
            p256,
        };
        let both = issuer.keys();
        issuer.behave(Manner::Keys(both.clone()));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (manner, asked) = (Arc::clone(&manner), Arc::clone(&asked));
                let (url, both) = (url.clone(), both.clone());
                std::thread::spawn(move || serve(stream, &url, &both, &manner, &asked));
            }
        });
        issuer
    }

    pub fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// How often its keys were asked for.
    pub fn fetches(&self) -> usize {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|path| path.starts_with("/.well"))
            .count()
    }

    /// Both keys, as a JSON Web Key Set, beside ones that are of no use.
    pub fn keys(&self) -> Value {
        let rsa = RsaPublicKeyComponents::<Vec<u8>>::from(self.rsa.public());
        let (x, y) = self.p256.public_key().as_ref()[1..].split_at(32);
        json!({"keys": [
            {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": "AA"},
            {"kty": "RSA", "kid": "enc", "use": "enc", "n": "AQ", "e": "AQAB"},
            {"kty": "RSA", "kid": "rsa", "use": "sig", "alg": "RS256",
             "n": base64url(&rsa.n), "e": base64url(&rsa.e)},
            {"kty": "EC", "crv": "P-256", "kid": "p256", "use": "sig",
             "x": base64url(x), "y": base64url(y)},
            {"kty": 5},
        ]})
    }

    /// Claims that are valid now, with these besides.
    pub fn claims(&self, others: &Value) -> Value {
        let now = now();
        let mut claims = json!({
            "iss": self.url, "aud": "release-server", "sub": SUBJECT,
            "iat": now, "nbf": now, "exp": now + 300,
            "repository": "zlink/templates", "ref": "refs/tags/v1.0",
        });
        for (name, value) in others.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    /// A token with these claims, by RS256.
    pub fn token(&self, others: &Value) -> String {
        self.sign("rsa", &self.claims(others).to_string())
    }

    /// A token with these claims as text, signed with one of the keys.
    pub fn sign(&self, key: &str, claims: &str) -> String {
        let algorithm = if key == "rsa" { "RS256" } else { "ES256" };
        let header = json!({"typ": "JWT", "alg": algorithm, "kid": key}).to_string();
        self.sign_with(key, &header, claims)
    }

    pub fn sign_with(&self, key: &str, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", base64url(header), base64url(claims));
        format!(
            "{signed}.{}",
            base64url(self.signature(key, signed.as_bytes()))
        )
    }

    pub fn signature(&self, key: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        if key == "rsa" {
            let mut signature = vec![0; self.rsa.public().modulus_len()];
            let signed = self
                .rsa
                .sign(&RSA_PKCS1_SHA256, &random, message, &mut signature);
            signed.unwrap();
            signature
        } else {
            self.p256.sign(&random, message).unwrap().as_ref().to_vec()
        }
    }
}

fn serve(
    mut stream: TcpStream,
    url: &str,
    both: &Value,
    manner: &Mutex<Manner>,
    asked: &Mutex<Vec<String>>,
) {
    let mut lines = BufReader::new(stream.try_clone().unwrap())
        .lines()
        .map_while(Result::ok);
    let Some(first) = lines.next() else {
        return;
    };
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    lines.find(String::is_empty);
    asked.lock().unwrap().push(path.clone());
    let manner = manner.lock().unwrap().clone();
    let is_keys = path == "/keys";
    let configuration = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
    let (status, extra, body) = match manner {
        Manner::Keys(keys) if is_keys => (200, String::new(), keys.to_string()),
        Manner::Configuration(_) if is_keys => (200, String::new(), both.to_string()),
        Manner::Keys(_) => (200, String::new(), configuration.to_string()),
        Manner::Configuration(other) => (200, String::new(), other.to_string()),
        Manner::Redirect => (302, format!("Location: {url}/elsewhere\r\n"), String::new()),
        Manner::Status(status) => (status, String::new(), String::new()),
        Manner::Garbage => (200, String::new(), "<html>".to_owned()),
        Manner::Silent => {
            // Until the other side gives up.
            let _ = lines.next();
            return;
        }
        Manner::Endless => {
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            let _ = stream.write_all(head.as_bytes());
            let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
            while stream.write_all(chunk.as_bytes()).is_ok() {}
            return;
        }
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Status\r\n{extra}Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body.as_bytes());
}
