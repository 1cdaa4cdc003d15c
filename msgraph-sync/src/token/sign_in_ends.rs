//! What the token endpoint's codes say of a person's sign-in, as data.

use jiff::SignedDuration;
use sync_engine::model::TenantId;

use super::endpoint::Refusal;
use super::refusals;
use crate::{GraphError, SignInEnd};

/// Source: Microsoft Entra authentication and authorization error codes (AADSTS).
const ENDS: &[(u32, SignInEnd)] = &[
    (50132, SignInEnd::Revoked),
    (50133, SignInEnd::Revoked),
    (50173, SignInEnd::Revoked),
    (70008, SignInEnd::Idle),
    (700_082, SignInEnd::Idle),
    (70043, SignInEnd::Frequency),
    (50057, SignInEnd::Disabled),
    (50034, SignInEnd::Deleted),
    (16000, SignInEnd::Interaction),
    (50055, SignInEnd::Interaction),
    (50058, SignInEnd::Interaction),
    (50072, SignInEnd::Interaction),
    (50074, SignInEnd::Interaction),
    (50076, SignInEnd::Interaction),
    (50078, SignInEnd::Interaction),
    (50079, SignInEnd::Interaction),
    (50125, SignInEnd::Interaction),
    (50144, SignInEnd::Interaction),
    (50158, SignInEnd::Interaction),
    (50005, SignInEnd::Policy),
    (53000, SignInEnd::Policy),
    (53001, SignInEnd::Policy),
    (53002, SignInEnd::Policy),
    (53003, SignInEnd::Policy),
    (53004, SignInEnd::Policy),
    (530_032, SignInEnd::Policy),
    (530_034, SignInEnd::Policy),
    (530_035, SignInEnd::Policy),
    (70000, SignInEnd::Unknown),
    (9_002_313, SignInEnd::Unknown),
];

/// Nobody consented to the app, or the person may not.
const WITHOUT_CONSENT: [u32; 4] = [65001, 65004, 90094, 650_056];

/// Says in words why the agent may not sign in on behalf of a person.
pub(crate) fn explain(
    refusal: &Refusal,
    tenant: &TenantId,
    client_id: &str,
    clock_off: Option<SignedDuration>,
) -> GraphError {
    let listed = refusal.codes.iter().find_map(|code| {
        let (code, end) = ENDS.iter().find(|(listed, _)| listed == code)?;
        Some((*code, *end))
    });
    match listed {
        Some((code, end)) => GraphError::SignInEnded { end, code },
        None if refusal.codes.iter().any(|it| WITHOUT_CONSENT.contains(it)) => {
            GraphError::NoConsent
        }
        None => refusals::explain(refusal, tenant, client_id, clock_off),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn explained(codes: &[u32]) -> GraphError {
        let refusal = Refusal {
            status: StatusCode::BAD_REQUEST,
            codes: codes.to_vec(),
            wait: None,
            request_id: None,
            client_request_id: None,
        };
        explain(&refusal, &TenantId("contoso.com".to_owned()), "app", None)
    }

    #[test]
    fn each_end_of_a_sign_in_is_told_apart_and_has_a_remedy() {
        for (code, end) in ENDS {
            let error = explained(&[*code]);
            let GraphError::SignInEnded { end: told, .. } = error else {
                panic!("{code}: {error}");
            };
            assert_eq!(told, *end, "{code}");
            assert!(error.to_string().contains(&code.to_string()), "{error}");
            assert!(error.hint().unwrap().contains("sign in again"), "{code}");
            assert!(error.is_not_authorised(), "{code}");
        }
    }

    #[test]
    fn what_is_wrong_with_the_app_is_told_as_for_every_app() {
        assert!(matches!(explained(&[65001]), GraphError::NoConsent));
        assert!(matches!(
            explained(&[7_000_218]),
            GraphError::NotAPublicClient { .. }
        ));
        assert!(matches!(
            explained(&[700_016]),
            GraphError::UnknownApp { .. }
        ));
    }

    #[test]
    fn a_code_stands_once_in_the_table() {
        let codes: std::collections::BTreeSet<u32> = ENDS.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes.len(), ENDS.len());
    }
}
