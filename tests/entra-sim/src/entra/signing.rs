//! The key that signs tokens, made anew in each process, and the half of it that is published.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::PrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::sha2::{Digest, Sha256};
use rsa::signature::{SignatureEncoding, Signer};
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

static KEY: LazyLock<TokenKey> = LazyLock::new(TokenKey::new);

struct TokenKey {
    key: SigningKey<Sha256>,
    id: String,
    modulus: String,
    exponent: String,
}

impl TokenKey {
    #[expect(
        clippy::expect_used,
        reason = "2048 bits are enough, and a machine has random numbers"
    )]
    fn new() -> Self {
        let key = PrivateKey::new(&mut rand::rng(), 2048).expect("an RSA key");
        let (modulus, exponent) = (key.n_bytes(), key.e_bytes());
        Self {
            id: URL_SAFE_NO_PAD.encode(Sha256::digest(&modulus)),
            modulus: URL_SAFE_NO_PAD.encode(modulus),
            exponent: URL_SAFE_NO_PAD.encode(exponent),
            key: SigningKey::new(key),
        }
    }
}

/// A token with these claims, signed with RS256.
pub(super) fn sign(claims: &Value) -> String {
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": KEY.id });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(claims));
    let signature = KEY.key.sign(signed.as_bytes()).to_vec();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The JSON Web Key Set by which tokens are verified. Entra's own keys have `x5t` and `x5c`, too.
pub(super) fn key_set(issuer: &str) -> Value {
    json!({ "keys": [{
        "kty": "RSA",
        "use": "sig",
        "kid": KEY.id,
        "n": KEY.modulus,
        "e": KEY.exponent,
        "issuer": issuer,
    }] })
}
