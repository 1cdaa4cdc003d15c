//! Client assertions: what is verified of them, and with which code each defect is refused.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entra_sim::{AppSpec, TenantSpec};
use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, date_time_ymd};
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::sha2::{Digest, Sha256};
use rsa::signature::{RandomizedSigner, SignatureEncoding, Signer};
use rsa::{PrivateKey, PublicKey, pkcs1v15, pss};
use serde_json::{Value, json};
use sha1::Sha1;

use crate::support::{APP, Answer, DEFAULT_SCOPE, Sim, TENANT, contoso};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const ISSUER: &str = "https://oidc.example";
const SUBJECT: &str = "system:serviceaccount:passportal:agent";

static KEYS: LazyLock<[PrivateKey; 2]> =
    LazyLock::new(|| [2048, 2048].map(|bits| PrivateKey::new(&mut rand::rng(), bits).unwrap()));

/// A certificate for the first key.
struct Certificate {
    pem: String,
    sha1: String,
    sha256: String,
}

fn certificate(until: i32) -> Certificate {
    let key = KEYS[0].to_pkcs8_pem(LineEnding::LF).unwrap();
    let key = KeyPair::from_pem_and_sign_algo(&key, &PKCS_RSA_SHA256).unwrap();
    let mut params = CertificateParams::new(vec!["app".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    let made = params.self_signed(&key).unwrap();
    Certificate {
        pem: made.pem(),
        sha1: URL_SAFE_NO_PAD.encode(Sha1::digest(made.der())),
        sha256: URL_SAFE_NO_PAD.encode(Sha256::digest(made.der())),
    }
}

fn tenant(app: AppSpec) -> TenantSpec {
    TenantSpec {
        apps: vec![app],
        ..contoso()
    }
}

fn jws(key: &PrivateKey, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = if header["alg"] == "PS256" {
        let key = pss::SigningKey::<Sha256>::new(key.clone());
        key.sign_with_rng(&mut rand::rng(), signed.as_bytes())
            .to_vec()
    } else {
        let key = pkcs1v15::SigningKey::<Sha256>::new(key.clone());
        key.sign(signed.as_bytes()).to_vec()
    };
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn header(certificate: &Certificate) -> Value {
    json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": certificate.sha256 })
}

fn claims(sim: &Sim) -> Value {
    let now = sim.simulator.now().as_second();
    json!({
        "aud": format!("{}/{TENANT}/oauth2/v2.0/token", sim.url),
        "iss": APP,
        "sub": APP,
        "jti": "11111111-1111-4111-8111-111111111111",
        "nbf": now,
        "exp": now + 600,
    })
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

async fn present(sim: &Sim, assertion: &str) -> Answer {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &APP.to_string()),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
        ("scope", DEFAULT_SCOPE),
    ];
    sim.token_request(TENANT, &form).await
}

/// The code of a refusal, which says that the client is not the one.
async fn code(sim: &Sim, assertion: &str) -> u64 {
    let answer = present(sim, assertion).await;
    assert_eq!(answer.status, 401, "{}", answer.body);
    assert_eq!(answer.body["error"], "invalid_client");
    answer.body["error_codes"][0].as_u64().unwrap()
}

fn claims_of(token: &Value) -> Value {
    let part = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn both_algorithms_and_both_thumbprints_are_taken_under_every_name_of_the_tenant() {
    let certificate = certificate(2100);
    let app = AppSpec::without_secret(APP).certificate(&certificate.pem);
    let sim = Sim::of(tenant(app));
    for header in [
        header(&certificate),
        json!({ "alg": "RS256", "typ": "JWT", "x5t#S256": certificate.sha256 }),
        json!({ "alg": "RS256", "typ": "JWT", "x5t": certificate.sha1 }),
        json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": format!("{}=", certificate.sha256) }),
    ] {
        let answer = present(&sim, &jws(&KEYS[0], &header, &claims(&sim))).await;
        assert_eq!(answer.status, 200, "{header}: {}", answer.body);
        assert_eq!(claims_of(&answer.body["access_token"])["azpacr"], "2");
    }
    let soon = sim.simulator.now().as_second() + 600;
    let fraction = with(
        claims(&sim),
        "exp",
        json!(format!("{soon}.25").parse::<f64>().unwrap()),
    );
    let answer = present(&sim, &jws(&KEYS[0], &header(&certificate), &fraction)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let id = TenantSpec::new(TENANT).tenant_id().to_string();
    for name in ["contoso.com", &id] {
        let audience = format!("{}/{name}/oauth2/v2.0/token", sim.url);
        let claims = with(claims(&sim), "aud", json!(audience));
        let answer = present(&sim, &jws(&KEYS[0], &header(&certificate), &claims)).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
    }
}

#[tokio::test]
async fn each_defect_of_an_assertion_has_its_code() {
    let certificate = certificate(2100);
    let app = AppSpec::without_secret(APP).certificate(&certificate.pem);
    let sim = Sim::of(tenant(app));
    let now = sim.simulator.now().as_second();
    let header = header(&certificate);
    let unknown = with(header.clone(), "x5t#S256", json!("AAAA"));
    let nameless = json!({ "alg": "PS256", "typ": "JWT" });
    let unsigned = with(header.clone(), "alg", json!("none"));
    let other_tenant = format!("{}/fabrikam.com/oauth2/v2.0/token", sim.url);
    for (key, header, claim, value, expected) in [
        (0, &unknown, "sub", json!(APP), 700_027),
        (0, &nameless, "sub", json!(APP), 700_027),
        (0, &unsigned, "sub", json!(APP), 700_027),
        (1, &header, "sub", json!(APP), 700_027),
        (0, &header, "aud", json!(other_tenant), 700_023),
        (0, &header, "aud", json!(sim.url), 700_023),
        (0, &header, "sub", json!("another"), 700_021),
        (0, &header, "iss", json!("another"), 700_021),
        (0, &header, "exp", json!(now - 301), 700_024),
        (0, &header, "nbf", json!(now + 330), 700_024),
        (0, &header, "exp", json!("soon"), 50_027),
        (0, &header, "exp", json!(1e300), 50_027),
    ] {
        let claims = with(claims(&sim), claim, value.clone());
        let assertion = jws(&KEYS[key], header, &claims);
        assert_eq!(code(&sim, &assertion).await, expected, "{claim} {value}");
    }
    assert_eq!(code(&sim, "nonsense").await, 50_027);
}

#[tokio::test]
async fn an_altered_assertion_and_an_expired_certificate_are_refused() {
    let old = certificate(2001);
    let app = AppSpec::without_secret(APP).certificate(&old.pem);
    let sim = Sim::of(tenant(app));
    let assertion = jws(&KEYS[0], &header(&old), &claims(&sim));
    let answer = present(&sim, &assertion).await;
    let why = answer.body["error_description"].as_str().unwrap();
    assert!(why.starts_with("AADSTS700027: ") && why.contains("The key used is expired."));

    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let other = URL_SAFE_NO_PAD.encode(with(claims(&sim), "jti", json!("x")).to_string());
    let answer = present(&sim, &format!("{header}.{other}.{signature}")).await;
    let why = answer.body["error_description"].as_str().unwrap();
    assert!(why.contains("did not match the expected"), "{why}");
}

#[tokio::test]
async fn an_assertion_is_taken_again_unless_the_scenario_says_once() {
    let certificate = certificate(2100);
    let app = AppSpec::without_secret(APP).certificate(&certificate.pem);
    for (app, second) in [(app.clone(), 200), (app.single_use_assertions(), 401)] {
        let sim = Sim::of(tenant(app));
        let assertion = jws(&KEYS[0], &header(&certificate), &claims(&sim));
        assert_eq!(present(&sim, &assertion).await.status, 200);
        let answer = present(&sim, &assertion).await;
        assert_eq!(answer.status, second);
        if second == 401 {
            assert_eq!(answer.body["error_codes"][0], 50_013);
        }
    }
}

#[tokio::test]
async fn the_type_of_an_assertion_is_demanded() {
    let sim = Sim::start();
    let mut form = vec![
        ("grant_type", "client_credentials"),
        ("client_id", "6f1d5b6e-1f0a-4a53-9d0e-0a4c3b1d2e01"),
        ("client_assertion", "any"),
        ("scope", DEFAULT_SCOPE),
    ];
    let missing = sim.token_request(TENANT, &form).await;
    assert_eq!(missing.body["error_codes"][0], 900_144);
    form.push(("client_assertion_type", "another"));
    let wrong = sim.token_request(TENANT, &form).await;
    assert_eq!(wrong.body["error_codes"][0], 90_023);
}

#[tokio::test]
async fn another_issuer_s_token_is_verified_by_its_key_and_its_three_names() {
    let key = PublicKey::from(&KEYS[0]);
    let key = key.to_public_key_pem(LineEnding::LF).unwrap();
    let app = AppSpec::without_secret(APP).federated(ISSUER, SUBJECT, &key);
    let sim = Sim::of(tenant(app));
    let now = Timestamp::now().as_second();
    let claims = json!({
        "aud": "api://AzureADTokenExchange",
        "iss": ISSUER,
        "sub": SUBJECT,
        "exp": now + 3_600,
    });
    let header = json!({ "alg": "RS256", "kid": "1" });
    let right = jws(&KEYS[0], &header, &claims);
    // It is good until it expires.
    for _ in 0..2 {
        assert_eq!(present(&sim, &right).await.status, 200);
    }
    assert_eq!(code(&sim, &jws(&KEYS[1], &header, &claims)).await, 50_027);
    for (claim, value, expected) in [
        ("iss", json!("https://oidc.example/"), 700_211),
        ("aud", json!("api://other"), 700_212),
        ("aud", json!(["api://other", "api://another"]), 700_212),
        ("sub", json!(SUBJECT.to_uppercase()), 700_213),
        ("exp", json!(now - 400), 700_024),
    ] {
        let assertion = jws(
            &KEYS[0],
            &header,
            &with(claims.clone(), claim, value.clone()),
        );
        assert_eq!(code(&sim, &assertion).await, expected, "{claim} {value}");
    }
}

#[tokio::test]
async fn an_expired_secret_has_a_code_of_its_own() {
    let end = Timestamp::now() + SignedDuration::from_hours(1);
    let app = AppSpec {
        secret_expires: Some(end),
        ..AppSpec::confidential(APP, crate::support::SECRET)
    };
    let sim = Sim::of(tenant(app));
    sim.token().await;
    sim.simulator.advance(SignedDuration::from_hours(2));
    let secret = |value| {
        [
            ("grant_type", "client_credentials"),
            ("client_id", "6f1d5b6e-1f0a-4a53-9d0e-0a4c3b1d2e01"),
            ("client_secret", value),
            ("scope", DEFAULT_SCOPE),
        ]
    };
    let right = sim
        .token_request(TENANT, &secret(crate::support::SECRET))
        .await;
    assert_eq!(right.body["error_codes"][0], 7_000_222);
    let wrong = sim.token_request(TENANT, &secret("wrong")).await;
    assert_eq!(wrong.body["error_codes"][0], 7_000_215);
}
