//! Claims: the capability that every request of the agent declares, and the challenges that this allows.
//!
//! Source: Microsoft identity platform, claims challenges, claims requests and client capabilities.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use serde_json::{Map, Value, json};

/// What a resource demanded of the next token: the JSON object of a claims request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClaimsChallenge(Map<String, Value>);

/// Base64 with or without its padding; services send either.
const STANDARD: GeneralPurpose = lenient(&alphabet::STANDARD);
const URL_SAFE: GeneralPurpose = lenient(&alphabet::URL_SAFE);

const fn lenient(alphabet: &alphabet::Alphabet) -> GeneralPurpose {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
}

impl ClaimsChallenge {
    /// The challenge of a 401, if it is one that can be answered.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .find_map(|value| Self::parse(value.to_str().ok()?))
    }

    fn parse(header: &str) -> Option<Self> {
        let challenges = http_auth::parse_challenges(header).ok()?;
        challenges.iter().find_map(|challenge| {
            let parameter = |name: &str| {
                let mut all = challenge.params.iter();
                let (_, value) = all.find(|(given, _)| given.eq_ignore_ascii_case(name))?;
                Some(value.to_unescaped())
            };
            let is_ours = challenge.scheme.eq_ignore_ascii_case("Bearer")
                && parameter("error")? == "insufficient_claims";
            is_ours.then(|| decode(&parameter("claims")?))?
        })
    }
}

#[cfg(test)]
impl ClaimsChallenge {
    pub(super) fn example() -> Self {
        let claims = json!({ "access_token": { "nbf": { "value": "1" } } });
        Self(serde_json::from_value(claims).unwrap_or_default())
    }
}

/// Something that is no claims request is not passed on to the token endpoint.
fn decode(claims: &str) -> Option<ClaimsChallenge> {
    let json = STANDARD.decode(claims).or_else(|_| URL_SAFE.decode(claims));
    let claims: Map<String, Value> = serde_json::from_slice(&json.ok()?).ok()?;
    claims
        .get("access_token")?
        .is_object()
        .then_some(ClaimsChallenge(claims))
}

/// The `claims` parameter of a token request: continuous access evaluation is understood (`cp1`), and what the
/// challenge demands.
pub(super) fn request(challenge: Option<&ClaimsChallenge>) -> String {
    let mut claims = challenge.map_or_else(Map::new, |challenge| challenge.0.clone());
    let access_token = claims
        .entry("access_token")
        .or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(access_token) = access_token {
        access_token.insert("xms_cc".to_owned(), json!({ "values": ["cp1"] }));
    }
    Value::Object(claims).to_string()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    const DEMAND: &str = r#"{"access_token":{"nbf":{"essential":true,"value":"1772323200"}}}"#;

    fn header(claims: &str) -> String {
        format!(
            "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
             client_id=\"00000003-0000-0000-c000-000000000000\", error=\"insufficient_claims\", claims=\"{claims}\""
        )
    }

    fn challenge(values: &[&str]) -> Option<ClaimsChallenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_str(value).unwrap());
        }
        ClaimsChallenge::of(&headers)
    }

    fn demand() -> ClaimsChallenge {
        ClaimsChallenge(serde_json::from_str(DEMAND).unwrap())
    }

    #[test]
    fn a_challenge_is_found_with_either_alphabet_padded_or_not_and_among_others() {
        let padded = STANDARD.encode(DEMAND);
        assert!(padded.ends_with('='));
        assert_eq!(challenge(&[&header(&padded)]), Some(demand()));
        assert_eq!(
            challenge(&[&header(padded.trim_end_matches('='))]),
            Some(demand())
        );
        let with_both = r#"{"access_token":{"x":{"value":"ÿÿ?>~"}}}"#;
        let (standard, url_safe) = (STANDARD.encode(with_both), URL_SAFE.encode(with_both));
        assert_ne!(standard, url_safe);
        let found = challenge(&[&header(&standard)]);
        assert!(found.is_some());
        assert_eq!(challenge(&[&header(&url_safe)]), found);
        let in_one = format!("PoP nonce=\"x\", {}", header(&padded));
        assert_eq!(challenge(&[&in_one]), Some(demand()));
        assert_eq!(challenge(&["Negotiate", &header(&padded)]), Some(demand()));
    }

    #[test]
    fn what_is_no_whole_challenge_is_none() {
        let encoded = STANDARD.encode(DEMAND);
        let without_object = STANDARD.encode(r#"{"access_token":"cp1"}"#);
        let no_json = STANDARD.encode("nonsense");
        for value in [
            "Bearer",
            &header("<base64 JSON>"),
            &header(&no_json),
            &header(&without_object),
            &header(&STANDARD.encode("[]")),
            &header(&encoded).replace("insufficient_claims", "invalid_token"),
            &header(&encoded).replace("Bearer", "PoP"),
            &header(&encoded).replace("realm=\"\"", "realm=\""),
        ] {
            assert_eq!(challenge(&[value]), None, "{value}");
        }
        assert_eq!(challenge(&[]), None);
    }

    #[test]
    fn a_request_declares_the_capability_and_adds_what_is_demanded() {
        let alone = r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#;
        assert_eq!(request(None), alone);
        let merged: Value = serde_json::from_str(&request(Some(&demand()))).unwrap();
        let expected = json!({ "access_token": {
            "nbf": { "essential": true, "value": "1772323200" },
            "xms_cc": { "values": ["cp1"] },
        } });
        assert_eq!(merged, expected);
    }
}
