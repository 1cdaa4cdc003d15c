//! Checks, before anything else, that the agent can sign in and read, and tells what it may.

use jiff::SignedDuration;
use serde::Deserialize;
use sync_engine::model::Domains;

use crate::calls::Call;
use crate::service_clock::Off;
use crate::token::TokenFacts;
use crate::{EntraDirectory, Finding, GraphError, Identity};

/// What a preflight found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preflight {
    /// The tenant's verified domains.
    pub domains: Domains,
    /// How far the service's clock is ahead of this machine's; within tolerance.
    pub clock_skew: SignedDuration,
    /// Who the agent is in the tenant.
    pub identity: Identity,
    /// What a person should mend, although the agent can sign in and read.
    pub findings: Vec<Finding>,
}

/// Nothing of the user is looked at.
#[derive(Deserialize)]
struct AnyPage {
    #[serde(rename = "value")]
    _value: Vec<serde::de::IgnoredAny>,
}

impl EntraDirectory {
    /// Signs the agent in and reads the least there is, so that a wrong tenant, app, secret,
    /// permission or clock is told before anything depends on it.
    ///
    /// # Errors
    /// Which of those it is.
    pub async fn preflight(&self) -> Result<Preflight, GraphError> {
        self.check_consent().await?;
        let domains = self.session.domains().await?;
        self.read_any_account().await?;
        let clock_skew = self.clock_skew()?;
        let standing = self.standing().await?;
        Ok(Preflight {
            domains,
            clock_skew,
            identity: standing.identity,
            findings: standing.findings,
        })
    }

    /// Whether anybody consented to any permission of the app.
    ///
    /// # Errors
    /// When nobody did, or the agent cannot sign in.
    pub async fn check_consent(&self) -> Result<(), GraphError> {
        let nobody_did = |facts: &TokenFacts| facts.permissions.is_empty();
        match self.session.token_facts(nobody_did).await? {
            Some(facts) if nobody_did(&facts) => Err(GraphError::NoConsent),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether accounts can be read.
    ///
    /// # Errors
    /// When they cannot.
    pub async fn read_any_account(&self) -> Result<(), GraphError> {
        self.session.read::<AnyPage>(&Call::AnyUser).await?;
        Ok(())
    }

    /// How far the service's clock is ahead of this machine's, by the answers so far.
    ///
    /// # Errors
    /// When it is beyond tolerance.
    pub fn clock_skew(&self) -> Result<SignedDuration, GraphError> {
        match self.clock.off_by() {
            Some(skew) => Err(GraphError::ClockOff {
                off: Off(skew).to_string(),
            }),
            None => Ok(self.clock.skew()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use serde_json::json;
    use wiremock::matchers::{method, path, query_param};
    use wiremock::{Mock, ResponseTemplate};

    use crate::GraphError;
    use crate::test_tenant::{TOKEN_PATH, Tenant};

    async fn readable(tenant: &Tenant, ahead: Duration) {
        let date = httpdate::fmt_http_date(SystemTime::now() + ahead);
        for (what, entry) in [
            (
                "domains",
                json!({ "id": "contoso.com", "authenticationType": "Managed", "isVerified": true }),
            ),
            (
                "users",
                json!({ "id": "11111111-1111-1111-1111-111111111111" }),
            ),
        ] {
            Mock::given(method("GET"))
                .and(path(format!("/v1.0/{what}")))
                .respond_with(
                    ResponseTemplate::new(200)
                        .insert_header("Date", date.as_str())
                        .set_body_json(json!({ "value": [entry] })),
                )
                .mount(&tenant.server)
                .await;
        }
    }

    #[tokio::test]
    async fn a_readable_tenant_passes() {
        let tenant = Tenant::start().await;
        readable(&tenant, Duration::ZERO).await;
        let preflight = tenant.directory().preflight().await.unwrap();
        assert!(preflight.domains.contains_key("contoso.com"));
        assert!(preflight.clock_skew.unsigned_abs() < Duration::from_secs(10));
        let one = query_param("$top", "1");
        let requests = tenant.server.received_requests().await.unwrap();
        assert_eq!(
            requests
                .iter()
                .filter(|r| wiremock::Match::matches(&one, r))
                .count(),
            1
        );
    }

    #[tokio::test]
    async fn a_clock_that_is_off_by_an_hour_is_told() {
        let tenant = Tenant::start().await;
        readable(&tenant, Duration::from_hours(1)).await;
        let error = tenant.directory().preflight().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "this machine's clock is slow by about 1 h"
        );
        assert!(error.hint().is_some());
    }

    #[tokio::test]
    async fn an_app_that_nobody_consented_to_is_told_before_anything_is_read() {
        let tenant = Tenant::with_claims(&json!({ "oid": uuid::Uuid::nil() })).await;
        let error = tenant.directory().preflight().await.unwrap_err();
        assert!(matches!(error, GraphError::NoConsent), "{error:?}");
        assert!(error.hint().unwrap().contains("consent"));
        assert!(tenant.requests("GET", "").await.is_empty());
    }

    #[tokio::test]
    async fn a_consent_that_was_given_later_is_looked_for_in_a_new_token() {
        let tenant = Tenant::with_claims(&json!({ "oid": uuid::Uuid::nil() })).await;
        let directory = tenant.directory();
        for (nth, asked) in [(1, 1), (2, 1), (3, 2), (4, 2)] {
            if nth == 3 {
                directory.session.age_token().await;
            }
            let error = directory.check_consent().await.unwrap_err();
            assert!(matches!(error, GraphError::NoConsent), "{error:?}");
            assert_eq!(tenant.requests("POST", TOKEN_PATH).await.len(), asked);
        }
    }

    #[tokio::test]
    async fn a_missing_permission_is_named() {
        let tenant = Tenant::start().await;
        Mock::given(method("GET"))
            .and(path("/v1.0/domains"))
            .respond_with(ResponseTemplate::new(403).set_body_json(json!({
                "error": { "code": "Authorization_RequestDenied", "message": "no" },
            })))
            .mount(&tenant.server)
            .await;
        let error = tenant.directory().preflight().await.unwrap_err();
        let beginning = "the agent's app lacks the permission Domain.Read.All \
                         (status 403, Authorization_RequestDenied, client request ";
        assert!(error.to_string().starts_with(beginning), "{error}");
    }

    #[tokio::test]
    async fn a_proxy_s_page_is_no_missing_permission() {
        let tenant = Tenant::start().await;
        Mock::given(method("GET"))
            .and(path("/v1.0/domains"))
            .respond_with(ResponseTemplate::new(403).set_body_string("<html>blocked</html>"))
            .mount(&tenant.server)
            .await;
        let error = tenant.directory().preflight().await.unwrap_err();
        assert!(matches!(error, GraphError::Unexpected(_)), "{error:?}");
        assert!(error.hint().unwrap().contains("proxy"));
    }
}
