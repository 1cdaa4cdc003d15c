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
const KNOWN: [(u32, &str, &str); 3] = [
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
            &format!("the tenant does not allow it{}", code_words(code)),
            "allow it for the app of the sign-in test: multi-factor authentication and Conditional Access forbid it",
        ),
    }
}

fn fault(what: &str, remedy: &str) -> Check {
    Check::fault(NAME, what, format!("{remedy}; {WITHOUT}"))
}

fn code_words(code: Option<u32>) -> String {
    code.map_or_else(String::new, |code| format!(" (AADSTS{code})"))
}
