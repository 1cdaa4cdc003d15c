//! Client assertions: a JWT that the app's certificate signs, for one token request.
//!
//! Source: Microsoft identity platform application authentication certificate credentials.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use url::Url;
use uuid::Uuid;

use crate::ClientCertificate;

/// Microsoft recommends five to ten minutes at most.
const LIFETIME: SignedDuration = SignedDuration::from_mins(10);

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(rename = "x5t#S256")]
    thumbprint: &'a str,
}

/// Times in seconds since 1970.
#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: Uuid,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// A new assertion in JWS compact form; `None` where it could not be signed.
pub(super) fn make(
    certificate: &ClientCertificate,
    client_id: &str,
    endpoint: &Url,
    now: Timestamp,
) -> Option<String> {
    let header = Header {
        alg: "PS256",
        typ: "JWT",
        thumbprint: certificate.thumbprint(),
    };
    let claims = Claims {
        aud: endpoint.as_str(),
        iss: client_id,
        sub: client_id,
        jti: Uuid::new_v4(),
        iat: now.as_second(),
        nbf: now.as_second(),
        exp: now.as_second() + LIFETIME.as_secs(),
    };
    let signed = format!("{}.{}", part(&header)?, part(&claims)?);
    let signature = certificate.sign(signed.as_bytes())?;
    Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn part(value: &impl Serialize) -> Option<String> {
    Some(URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).ok()?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rsa::PublicKey;
    use rsa::pss::{Signature, VerifyingKey};
    use rsa::sha2::Sha256;
    use rsa::signature::Verifier as _;
    use serde_json::{Value, json};

    use super::*;
    use crate::certificate::tests::Pair;

    const ENDPOINT: &str = "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token";

    fn made(pair: &Pair, now: Timestamp) -> String {
        let endpoint = Url::parse(ENDPOINT).unwrap();
        make(&pair.certificate(), "app-1", &endpoint, now).unwrap()
    }

    fn decoded(assertion: &str, part: usize) -> Vec<u8> {
        let text = assertion.split('.').nth(part).unwrap();
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    fn json_of(assertion: &str, part: usize) -> Value {
        serde_json::from_slice(&decoded(assertion, part)).unwrap()
    }

    #[test]
    fn header_and_claims_are_as_microsoft_documents_them() {
        let pair = Pair::of_the_tests();
        let now: Timestamp = "2026-03-01T00:00:00.9Z".parse().unwrap();
        let assertion = made(&pair, now);
        let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": pair.sha256() });
        assert_eq!(json_of(&assertion, 0), header);
        let mut claims = json_of(&assertion, 1);
        let jti = claims.as_object_mut().unwrap().remove("jti").unwrap();
        assert!(Uuid::parse_str(jti.as_str().unwrap()).is_ok());
        let expected = json!({
            "aud": ENDPOINT,
            "iss": "app-1",
            "sub": "app-1",
            "iat": 1_772_323_200,
            "nbf": 1_772_323_200,
            "exp": 1_772_323_800,
        });
        assert_eq!(claims, expected);
    }

    #[test]
    fn the_signature_is_ps256_to_another_library_too() {
        let pair = Pair::of_the_tests();
        let assertion = made(&pair, Timestamp::now());
        let key: VerifyingKey<Sha256> = VerifyingKey::new(PublicKey::from(&pair.key));
        let (signed, _) = assertion.rsplit_once('.').unwrap();
        let signature = Signature::try_from(decoded(&assertion, 2).as_slice()).unwrap();
        key.verify(signed.as_bytes(), &signature).unwrap();
        let other = format!("{signed}x");
        assert!(key.verify(other.as_bytes(), &signature).is_err());
    }

    #[test]
    fn no_two_assertions_have_one_id() {
        let pair = Pair::of_the_tests();
        let now = Timestamp::now();
        let ids: BTreeSet<_> = (0..10)
            .map(|_| json_of(&made(&pair, now), 1)["jti"].to_string())
            .collect();
        assert_eq!(ids.len(), 10);
    }
}
