//! What to do about an error of the agent, and whether it says that the caller is not allowed.

use std::error::Error;
use std::iter;

use msgraph_sync::GraphError;
use passportal_client::ApiError;
use passportal_client::envelope::EnvelopeError;
use state_store::OpenError;
use sync_engine::ports::{DirectoryError, StoreError, VaultError};

use crate::config::ConfigError;
use crate::control::{AskError, ControlError, Fault};
use crate::new_organization_key::NewKeyError;
use crate::secrets::SecretError;
use crate::setup::SetupError;
use crate::setup_args::ArgsError;
use crate::sign_in_anew::SignInAnewError;
use crate::wiring::WiringError;
use crate::wizard::WizardError;

/// What to do next. The outermost cause that knows it says it; a port, which only knows roughly,
/// comes last.
pub fn hint(error: &(dyn Error + 'static)) -> Option<String> {
    causes(error)
        .find_map(of_cause)
        .or_else(|| causes(error).find_map(of_port).map(str::to_owned))
}

/// Whether the caller is not allowed, however deep that lies.
pub fn is_not_authorised(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(refuses)
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |error| -> Option<&'a (dyn Error + 'static)> {
        let error: &'a (dyn Error + 'static) = *error;
        error.source()
    })
}

/// What this one cause knows, without those beneath it.
fn of_cause(cause: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = cause.downcast_ref::<SetupError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<WizardError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<SignInAnewError>() {
        return error.hint().map(str::to_owned);
    }
    None.or_else(|| cause.downcast_ref().and_then(Fault::hint))
        .or_else(|| cause.downcast_ref().and_then(AskError::hint))
        .or_else(|| cause.downcast_ref().map(ControlError::hint))
        .or_else(|| cause.downcast_ref().map(ConfigError::hint))
        .or_else(|| cause.downcast_ref().map(OpenError::hint))
        .or_else(|| cause.downcast_ref().map(SecretError::hint))
        .or_else(|| cause.downcast_ref().map(ArgsError::hint))
        .or_else(|| cause.downcast_ref().and_then(WiringError::hint))
        .or_else(|| cause.downcast_ref().and_then(NewKeyError::hint))
        .or_else(|| cause.downcast_ref().and_then(GraphError::hint))
        .or_else(|| cause.downcast_ref().and_then(of_api))
        .or_else(|| cause.downcast_ref().and_then(of_envelope))
        .map(str::to_owned)
}

/// What to do where a second factor is on.
pub(crate) const ONE_TIME_CODE: &str =
    "give the code that your authenticator shows now, with --one-time-code; each works once";

fn of_api(error: &ApiError) -> Option<&'static str> {
    Some(match error {
        ApiError::BadUrl { .. } => "write it as https://vault.example",
        ApiError::InsecureUrl { .. } => "use https; http is for this machine only",
        ApiError::BadCertificate(_) => "--extra-ca takes a file of PEM certificates",
        ApiError::Unreachable { .. } => {
            "check the address, the network and the proxy; a private certificate authority needs --extra-ca"
        }
        ApiError::NotAuthorised { .. } if error.is_bad_token() => {
            "sign in again with `passportal login`; an agent is enrolled again with `passportal setup`"
        }
        ApiError::NotAuthorised { .. } if error.needs_one_time_code() => ONE_TIME_CODE,
        ApiError::NotAuthorised { .. } => {
            "check e-mail, password and one-time code; only an administrator may do this"
        }
        ApiError::Invalid { .. } => "nothing was changed; correct it and try again",
        ApiError::Conflict { .. } => "look at it as it is now, then decide again",
        ApiError::TooMany { .. } => "wait a moment, then try again",
        ApiError::Server { .. } => "try again; the server's log says more",
        ApiError::Protocol { .. } => "is this the address of a Passportal server of this version?",
        ApiError::Setup(_) | ApiError::NotFound { .. } => return None,
    })
}

fn of_envelope(error: &EnvelopeError) -> Option<&'static str> {
    match error {
        EnvelopeError::WrongOrganizationKey => {
            Some("the file must hold the organization key and nothing else, as it is now")
        }
        EnvelopeError::OtherKey { .. } => Some(
            "the organization key was changed: `passportal organization-key CLIENT --organization-key-file FILE` gives this machine the new data key",
        ),
        _ => None,
    }
}

fn of_port(cause: &(dyn Error + 'static)) -> Option<&'static str> {
    if let Some(VaultError::NotAuthorised(_)) = cause.downcast_ref() {
        return Some(
            "the agent was revoked or its token is stale: enrol it again with `passportal setup`",
        );
    }
    if let Some(VaultError::Unavailable(_)) = cause.downcast_ref() {
        return Some("is the vault running and reachable from here?");
    }
    match cause.downcast_ref() {
        Some(DirectoryError::SignIn(_)) => {
            return Some(
                "check the tenant, the application id and its secret; `passportal setup` checks them again",
            );
        }
        Some(DirectoryError::NotAuthorised(_)) => {
            return Some("grant the application the permission, with an administrator's consent");
        }
        Some(DirectoryError::Unavailable(_) | DirectoryError::Throttled { .. }) => {
            return Some("try again later; nothing was lost");
        }
        _ => {}
    }
    cause
        .downcast_ref::<StoreError>()
        .map(|_| "nothing was written to Entra ID; make the state readable and writable again")
}

fn refuses(cause: &(dyn Error + 'static)) -> bool {
    let is = |told: Option<bool>| told.unwrap_or(false);
    matches!(cause.downcast_ref(), Some(ApiError::NotAuthorised { .. }))
        || matches!(
            cause.downcast_ref(),
            Some(EnvelopeError::WrongOrganizationKey)
        )
        || matches!(cause.downcast_ref(), Some(VaultError::NotAuthorised(_)))
        || is(cause.downcast_ref().map(is_refused_by_the_directory))
        || is(cause.downcast_ref().map(SetupError::is_not_authorised))
        || is(cause.downcast_ref().map(WizardError::is_not_authorised))
        || is(cause.downcast_ref().map(SignInAnewError::is_not_authorised))
        || is(cause.downcast_ref().map(AskError::is_not_authorised))
        || is(cause.downcast_ref().map(ControlError::is_not_authorised))
        || is(cause.downcast_ref().map(Fault::is_not_authorised))
}

/// Where the adapter knows more than the port tells, it decides: a wrong clock or an unknown tenant
/// refuses nobody.
fn is_refused_by_the_directory(error: &DirectoryError) -> bool {
    let (DirectoryError::SignIn(source) | DirectoryError::NotAuthorised(source)) = error else {
        return false;
    };
    source
        .downcast_ref()
        .is_none_or(GraphError::is_not_authorised)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync_engine::EngineError;

    fn refused(code: u32) -> ApiError {
        ApiError::NotAuthorised {
            message: "no".into(),
            code,
        }
    }

    #[test]
    fn a_data_key_of_before_is_told_with_its_remedy() {
        let named = uuid::Uuid::from_u128(1);
        let error = VaultError::Sealed(Box::new(EnvelopeError::OtherKey { named }));
        assert!(
            hint(&error)
                .unwrap()
                .contains("passportal organization-key")
        );
        let wrong = NewKeyError::OrganizationKey(EnvelopeError::WrongOrganizationKey);
        assert!(is_not_authorised(&wrong));
        assert!(hint(&wrong).unwrap().contains("changed to"));
    }

    #[test]
    fn a_code_that_is_needed_is_asked_for_in_words() {
        let needed = refused(passportal_client::wire::code::ONE_TIME_CODE_NEEDED);
        assert_eq!(hint(&needed).unwrap(), ONE_TIME_CODE);
        assert!(is_not_authorised(&needed));
        let of_setup = SetupError::Vault(needed);
        assert_eq!(hint(&of_setup).unwrap(), ONE_TIME_CODE);
        assert!(is_not_authorised(&of_setup));
    }

    #[test]
    fn the_outermost_cause_that_knows_it_says_what_to_do_and_a_port_is_the_last_resort() {
        let stale = refused(passportal_client::wire::code::BAD_TOKEN);
        let precise = VaultError::NotAuthorised(Box::new(stale));
        assert!(hint(&precise).unwrap().starts_with("sign in again"));

        let gone = ApiError::NotFound {
            message: "no such path".into(),
        };
        let rough = EngineError::Vault(VaultError::Unavailable(Box::new(gone)));
        assert!(hint(&rough).unwrap().starts_with("is the vault running"));
    }

    #[test]
    fn whatever_refuses_the_caller_is_found_however_deep_it_lies() {
        let deep = EngineError::Vault(VaultError::Unavailable(Box::new(refused(4001))));
        assert!(is_not_authorised(&deep));
        let sign_in = EngineError::Directory(DirectoryError::SignIn("wrong secret".into()));
        assert!(is_not_authorised(&sign_in));
        let fault = Fault::of(&sign_in);
        assert!(is_not_authorised(&fault));
        assert!(!is_not_authorised(&std::io::Error::other("disk full")));
    }

    #[test]
    fn what_a_service_refused_is_told_as_it_said_it() {
        let refused = AskError::from(Fault::refusal("no", "ask somebody else"));
        assert_eq!(hint(&refused).unwrap(), "ask somebody else");
        assert!(is_not_authorised(&refused));
    }

    #[test]
    fn a_wrong_clock_is_no_refusal_although_no_sign_in_is_possible() {
        let off = "is slow by about 1 h".to_owned();
        let clock = DirectoryError::from(GraphError::ClockOff { off });
        assert!(matches!(clock, DirectoryError::SignIn(_)));
        assert!(!is_not_authorised(&EngineError::Directory(clock)));
    }
}
