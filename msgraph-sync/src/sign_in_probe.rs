//! Whether the tenant lets passwords be tested at all, found out without anybody's password.

use sync_engine::model::{
    DomainKind, Domains, Password, UnknownReason, UserPrincipalName, Verdict,
};
use uuid::Uuid;

use crate::EntraDirectory;

/// The user does not exist: the request came as far as the directory.
/// Source: Microsoft Entra authentication and authorization error codes (AADSTS).
const NO_SUCH_USER: u32 = 50034;

/// Whether passwords can be tested by signing in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInTestState {
    /// Nothing is in its way, as far as a user that does not exist can tell.
    Possible,
    /// The tenant or the app does not allow it.
    Refused {
        /// The sign-in code.
        code: Option<u32>,
    },
    /// The answer says neither.
    Unclear {
        /// The sign-in code.
        code: Option<u32>,
    },
}

impl EntraDirectory {
    /// Asks once for a sign-in of a user whom nobody has: no account counts it. It uses the app that
    /// tests passwords. `None` where no domain of the tenant is managed.
    pub async fn probe_sign_in_test(&self, domains: &Domains) -> Option<SignInTestState> {
        let mut managed = domains
            .iter()
            .filter(|(_, kind)| **kind == DomainKind::Managed);
        let (domain, _) = managed.next()?;
        let nobody = UserPrincipalName::new(format!("passportal-{}@{domain}", Uuid::new_v4()));
        let password = Password::new(format!("Probe-{}", Uuid::new_v4()));
        let answer = self.sign_in_test.run(&nobody, &password).await;
        let code = answer.code;
        Some(match answer.verdict {
            Verdict::Match | Verdict::Mismatch => SignInTestState::Possible,
            Verdict::Unknown(_) if code == Some(NO_SUCH_USER) => SignInTestState::Possible,
            Verdict::Unknown(UnknownReason::NotPermitted) => SignInTestState::Refused { code },
            Verdict::Unknown(_) => SignInTestState::Unclear { code },
        })
    }
}

#[cfg(test)]
mod tests {
    use wiremock::ResponseTemplate;

    use super::*;
    use crate::test_tenant::{TOKEN_PATH, Tenant, entra_error};

    fn domains() -> Domains {
        [
            ("fed.example".to_owned(), DomainKind::Federated),
            ("contoso.com".to_owned(), DomainKind::Managed),
        ]
        .into()
    }

    async fn probed(answer: ResponseTemplate) -> (Tenant, Option<SignInTestState>) {
        let tenant = Tenant::without_tokens().await;
        tenant.answer_sign_ins(answer).await;
        let state = tenant.directory().probe_sign_in_test(&domains()).await;
        (tenant, state)
    }

    #[tokio::test]
    async fn a_user_that_is_not_found_shows_that_a_test_would_reach_the_directory() {
        let (tenant, state) = probed(entra_error(400, &[50034])).await;
        assert_eq!(state, Some(SignInTestState::Possible));
        let asked = tenant.requests("POST", TOKEN_PATH).await;
        assert_eq!(asked.len(), 1);
        let form: Vec<(String, String)> = url::form_urlencoded::parse(&asked[0].body)
            .into_owned()
            .collect();
        let name = form.iter().find(|(name, _)| name == "username").unwrap();
        assert!(name.1.starts_with("passportal-"), "{}", name.1);
        assert!(name.1.ends_with("@contoso.com"), "{}", name.1);
    }

    #[tokio::test]
    async fn what_forbids_the_test_is_told_by_its_code() {
        for code in [530_035, 7_000_218] {
            let (_, state) = probed(entra_error(400, &[code])).await;
            let refused = SignInTestState::Refused { code: Some(code) };
            assert_eq!(state, Some(refused));
        }
    }

    #[tokio::test]
    async fn an_answer_that_says_nothing_is_unclear() {
        for answer in [ResponseTemplate::new(503), entra_error(400, &[90055])] {
            let (_, state) = probed(answer).await;
            assert!(matches!(state, Some(SignInTestState::Unclear { .. })));
        }
    }

    #[tokio::test]
    async fn nobody_is_asked_for_in_a_federated_domain() {
        let tenant = Tenant::without_tokens().await;
        let federated = [("fed.example".to_owned(), DomainKind::Federated)];
        let state = tenant
            .directory()
            .probe_sign_in_test(&federated.into())
            .await;
        assert_eq!(state, None);
        assert!(tenant.requests("POST", TOKEN_PATH).await.is_empty());
    }
}
