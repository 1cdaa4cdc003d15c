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
        let password = Password::new(&format!("Probe-{}", Uuid::new_v4()));
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
