//! Whether passwords can be tested in this tenant, found out without anybody's password.

use msgraph_sync::{EntraDirectory, SecurityDefaults, SignInTestState};
use sync_engine::model::Domains;
use sync_engine::plan::Verification;

use super::Check;

const NAME: &str = "sign-in test";
const WITHOUT: &str = "without it, what did not change in the vault is held for a person; verification.enabled = false says so";
const DEFAULTS_ON: &str =
    "security defaults are on in the tenant: passwords cannot be tested by signing in";
const DEFAULTS_OFF: &str = "turn security defaults off, and Conditional Access on in their stead, with the app of the sign-in test excluded";

/// Sign-in codes whose remedy is known.
/// Source: Microsoft Entra authentication and authorization error codes (AADSTS).
const KNOWN: [(u32, &str, &str); 11] = [
    (530_035, DEFAULTS_ON, DEFAULTS_OFF),
    (
        7_000_218,
        "the app of the sign-in test is no public client",
        "set \"Allow public client flows\" on the app that verification_client_id names",
    ),
    (
        65_001,
        "nobody consented to the app of the sign-in test",
        "consent to `openid` for the app of the sign-in test, as an administrator",
    ),
    (
        90094,
        "the app of the sign-in test needs an administrator's consent",
        "consent to `openid` for the app of the sign-in test, as an administrator",
    ),
    (
        500_011,
        "the tenant does not know the service that the sign-in test asks a token for",
        "check client.microsoft.tenant and client.microsoft.cloud",
    ),
    (
        700_016,
        "the tenant has no such app as that of the sign-in test",
        "correct verification_client_id, or client_id where there is none, and see that the app is in this tenant",
    ),
    (
        700_025,
        "the app of the sign-in test is a public client, and is sent a credential",
        "name it in verification_client_id too: an app that is named there is sent none",
    ),
    (
        700_038,
        "the id of the sign-in test's app is none that Entra ID gives",
        "set verification_client_id, or client_id where there is none, to the application (client) id of the app registration",
    ),
    (
        7_000_112,
        "the app of the sign-in test is disabled in the tenant",
        "enable its enterprise application for sign-in",
    ),
    (
        7_000_215,
        "the client secret of the sign-in test's app is wrong",
        "store the secret's value, not its id; or name a public client in verification_client_id, which needs none",
    ),
    (
        7_000_222,
        "the client secret of the sign-in test's app has expired",
        "make a new client secret for the app, store it, and restart the agent; or name a public client in verification_client_id, which needs none",
    ),
];

pub(super) async fn examine(
    directory: &EntraDirectory,
    test: Verification,
    domains: &Domains,
) -> Check {
    if test == Verification::SwitchedOff {
        let note = "switched off in the configuration";
        return Check::note(
            NAME,
            note,
            "set verification.enabled = true, if that is not meant",
        );
    }
    // Where it may not be read, the tenant's answer below has to do.
    if let Ok(SecurityDefaults::On) = directory.security_defaults().await {
        return fault(DEFAULTS_ON, DEFAULTS_OFF);
    }
    match directory.probe_sign_in_test(domains).await {
        None => Check::skipped(NAME, "no domain of the tenant is managed"),
        Some(SignInTestState::Possible) => Check::fine(
            NAME,
            "possible: Entra ID says of an invented user that there is none",
        ),
        Some(SignInTestState::Refused { code }) => refused(code),
        Some(SignInTestState::Unclear { code }) => Check::note(
            NAME,
            format!(
                "unclear whether it is possible: Entra ID answers a sign-in of an invented user with something else{}",
                code_words(code)
            ),
            "look the code up at Microsoft; `passportal explain ACCOUNT` tells what single tests came to",
        ),
    }
}

fn refused(code: Option<u32>) -> Check {
    let known = KNOWN.iter().find(|(listed, ..)| Some(*listed) == code);
    match known {
        Some((_, what, remedy)) => fault(&format!("{what}{}", code_words(code)), remedy),
        None => fault(
            &format!("Entra ID lets no sign-in test through{}", code_words(code)),
            "look the code up at https://login.microsoftonline.com/error",
        ),
    }
}

fn fault(what: &str, remedy: &str) -> Check {
    Check::fault(NAME, what, format!("{remedy}; {WITHOUT}"))
}

fn code_words(code: Option<u32>) -> String {
    code.map_or_else(String::new, |code| format!(" (AADSTS{code})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Checked;

    fn told(code: u32) -> (String, String) {
        match refused(Some(code)).result {
            Checked::Fault { fault, remedy } => (fault, remedy),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_code_has_its_own_remedy_and_one_that_is_not_known_names_no_cause() {
        for (code, mend) in [
            (90094, "consent"),
            (500_011, "cloud"),
            (700_016, "correct verification_client_id"),
            (700_025, "verification_client_id too"),
            (700_038, "application (client) id"),
            (7_000_112, "enterprise application"),
            (7_000_215, "secret's value"),
            (7_000_222, "new client secret"),
            (4_711, "https://login.microsoftonline.com/error"),
        ] {
            let (fault, remedy) = told(code);
            assert!(fault.ends_with(&format!("(AADSTS{code})")), "{fault}");
            assert!(remedy.contains(mend), "{code}: {remedy}");
            assert!(!format!("{fault}{remedy}").contains("Conditional Access"));
        }
    }
}
