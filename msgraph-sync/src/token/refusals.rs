//! What the token endpoint's codes say of the agent's own sign-in, as data.

use jiff::SignedDuration;
use reqwest::StatusCode;
use sync_engine::model::TenantId;

use super::endpoint::Refusal;
use crate::GraphError;
use crate::service_clock::Off;

/// What is wrong with the agent's own sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Tenant,
    App,
    AppDisabled,
    Secret,
    SecretExpired,
    Certificate,
    Federation,
    NotPublic,
    Clock,
    Later,
}

/// Source: Microsoft Entra authentication and authorization error codes (AADSTS); 700024, 900023 and those of
/// federated credentials (70021, 700211 to 700213, 7002138) from reports of live answers.
const TROUBLES: &[(u32, Trouble)] = &[
    (50059, Trouble::Tenant),
    (50128, Trouble::Tenant),
    (90002, Trouble::Tenant),
    (90019, Trouble::Tenant),
    (900_023, Trouble::Tenant),
    (700_016, Trouble::App),
    (700_038, Trouble::App),
    (7_000_112, Trouble::AppDisabled),
    (7_000_215, Trouble::Secret),
    (7_000_222, Trouble::SecretExpired),
    (700_027, Trouble::Certificate),
    (70021, Trouble::Federation),
    (700_211, Trouble::Federation),
    (700_212, Trouble::Federation),
    (700_213, Trouble::Federation),
    (7_002_138, Trouble::Federation),
    (7_000_218, Trouble::NotPublic),
    (500_133, Trouble::Clock),
    (700_024, Trouble::Clock),
    (50196, Trouble::Later),
    (90024, Trouble::Later),
    (90033, Trouble::Later),
    (90055, Trouble::Later),
];

fn trouble(code: u32) -> Option<Trouble> {
    TROUBLES
        .iter()
        .find_map(|(listed, trouble)| (*listed == code).then_some(*trouble))
}

/// Says in words why the agent may not sign in. `clock_off` is how far this machine's clock is off, where what was
/// sent has its time.
pub(super) fn explain(
    refusal: &Refusal,
    tenant: &TenantId,
    client_id: &str,
    clock_off: Option<SignedDuration>,
) -> GraphError {
    let listed = refusal
        .codes
        .iter()
        .find_map(|code| Some((*code, trouble(*code)?)));
    let client_id = client_id.to_owned();
    let tenant = tenant.clone();
    match (listed, clock_off) {
        (Some((code, Trouble::Tenant)), _) => GraphError::UnknownTenant { tenant, code },
        (Some((code, Trouble::App)), _) => GraphError::UnknownApp {
            tenant,
            client_id,
            code,
        },
        (Some((code, Trouble::AppDisabled)), _) => GraphError::AppDisabled { client_id, code },
        (Some((code, Trouble::Secret)), _) => GraphError::WrongSecret { client_id, code },
        (Some((code, Trouble::SecretExpired)), _) => GraphError::SecretExpired { client_id, code },
        (Some((code, Trouble::Certificate)), _) => {
            GraphError::CertificateRefused { client_id, code }
        }
        (Some((code, Trouble::Federation)), _) => GraphError::FederationRefused { client_id, code },
        (Some((code, Trouble::NotPublic)), _) => GraphError::NotAPublicClient { client_id, code },
        (Some((_, Trouble::Later)), _) => GraphError::Service(refusal.fault()),
        (None, _) if is_passing(refusal.status) => GraphError::Service(refusal.fault()),
        (Some((_, Trouble::Clock)), Some(skew)) => clock_off_by(skew),
        (None, Some(skew)) if refusal.codes.is_empty() => clock_off_by(skew),
        (Some((_, Trouble::Clock)) | None, _) => GraphError::SignInRefused(refusal.fault()),
    }
}

fn clock_off_by(skew: SignedDuration) -> GraphError {
    GraphError::ClockOff {
        off: Off(skew).to_string(),
    }
}

fn is_passing(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(status: u16, codes: &[u32], clock_off: Option<SignedDuration>) -> String {
        let refusal = Refusal {
            status: StatusCode::from_u16(status).unwrap(),
            codes: codes.to_vec(),
            wait: None,
            request_id: None,
            client_request_id: None,
        };
        explain(
            &refusal,
            &TenantId("contoso.com".to_owned()),
            "app-1",
            clock_off,
        )
        .to_string()
    }

    #[test]
    fn a_clock_that_is_off_is_to_blame_for_the_clock_s_own_codes_only() {
        let off = Some(SignedDuration::from_hours(1));
        let clock = "this machine's clock is slow by about 1 h";
        assert_eq!(explained(401, &[500_133], off), clock);
        assert_eq!(explained(400, &[], off), clock);
        let refused = "Entra ID refused the agent's sign-in (status 401, AADSTS4711)";
        assert_eq!(explained(401, &[4_711], off), refused);
    }

    #[test]
    fn each_trouble_is_told_in_its_own_words() {
        let text = [
            explained(400, &[90002], None),
            explained(400, &[700_016], None),
            explained(400, &[7_000_112], None),
            explained(401, &[7_000_215], None),
            explained(401, &[7_000_222], None),
            explained(401, &[700_027], None),
            explained(401, &[700_213], None),
            explained(401, &[700_024], Some(SignedDuration::from_hours(1))),
            explained(401, &[700_024], None),
            explained(400, &[90055], None),
            explained(502, &[], None),
            explained(400, &[1], None),
        ]
        .join("\n");
        insta::assert_snapshot!(text, @r"
        there is no tenant `contoso.com` (AADSTS90002)
        tenant `contoso.com` has no app `app-1` (AADSTS700016)
        app `app-1` is disabled in its tenant (AADSTS7000112)
        the client secret of app `app-1` is wrong (AADSTS7000215)
        the client secret of app `app-1` has expired (AADSTS7000222)
        app `app-1` does not accept the certificate (AADSTS700027)
        app `app-1` has no federated credential for this token (AADSTS700213)
        this machine's clock is slow by about 1 h
        Entra ID refused the agent's sign-in (status 401, AADSTS700024)
        Microsoft's service is not available now (status 400, AADSTS90055)
        Microsoft's service is not available now (status 502)
        Entra ID refused the agent's sign-in (status 400, AADSTS1)
        ");
    }
}
