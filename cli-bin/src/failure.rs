//! What a person is told of a failure: one line with its causes, and a hint what to do next.

use std::error::Error;

use agent_bin::config::ConfigError;
use agent_bin::secrets::SecretError;
use agent_bin::setup::SetupError;
use agent_bin::setup_args::ArgsError;
use agent_bin::wiring::WiringError;
use msgraph_sync::GraphError;
use passportal_client::ApiError;
use passportal_client::envelope::EnvelopeError;
use state_store::OpenError;
use sync_engine::ports::{DirectoryError, StoreError, VaultError};

use crate::lookup::LookupError;
use crate::output::one_line;
use crate::secret_file::SecretFileError;
use crate::session::SessionError;

/// A failure in words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) error: String,
    pub(crate) hint: Option<String>,
}

/// An error of a command, with what to do next.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Refusal {
    what: String,
    hint: String,
}

impl Refusal {
    pub(crate) fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            hint: hint.into(),
        }
    }
}

impl Told {
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        Self {
            error: one_line(&chain(error)),
            hint: hint_of(error).map(|hint| one_line(&hint)),
        }
    }
}

/// The error and its causes; a cause that its parent already told is left out.
fn chain(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if told.is_empty() {
            told = cause;
        } else if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

/// The outermost error that knows what to do says it; a port, which only knows roughly, comes last.
fn hint_of(error: &anyhow::Error) -> Option<String> {
    let specific = error.chain().find_map(|cause| {
        if let Some(refusal) = cause.downcast_ref::<Refusal>() {
            return Some(refusal.hint.clone());
        }
        if let Some(error) = cause.downcast_ref::<SetupError>() {
            return error.hint();
        }
        own_hint(cause)
            .or_else(|| cause.downcast_ref().and_then(of_api))
            .or_else(|| cause.downcast_ref().and_then(of_envelope))
            .map(str::to_owned)
    });
    specific
        .or_else(|| error.chain().find_map(of_port).map(str::to_owned))
        .or_else(|| Some("run it again with -vv to see more".to_owned()))
}

/// Errors that carry a hint themselves.
fn own_hint<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a str> {
    None.or_else(|| cause.downcast_ref().map(SessionError::hint))
        .or_else(|| cause.downcast_ref().map(SecretFileError::hint))
        .or_else(|| cause.downcast_ref().map(LookupError::hint))
        .or_else(|| cause.downcast_ref().map(ConfigError::hint))
        .or_else(|| cause.downcast_ref().map(OpenError::hint))
        .or_else(|| cause.downcast_ref().map(SecretError::hint))
        .or_else(|| cause.downcast_ref().map(ArgsError::hint))
        .or_else(|| cause.downcast_ref().and_then(WiringError::hint))
        .or_else(|| cause.downcast_ref().and_then(GraphError::hint))
}

fn of_api(error: &ApiError) -> Option<&'static str> {
    Some(match error {
        ApiError::BadUrl { .. } => "write it as https://vault.example",
        ApiError::InsecureUrl { .. } => "use https; http is for this machine only",
        ApiError::BadCertificate(_) => "--extra-ca takes a file of PEM certificates",
        ApiError::Unreachable { .. } => {
            "check the address and the network; a private certificate authority needs --extra-ca"
        }
        ApiError::NotAuthorised { .. } if error.is_bad_token() => {
            "sign in again with `passportal login`; an agent is enrolled again with `passportal setup`"
        }
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
        EnvelopeError::WrongOrganizationKey => Some(
            "the file must hold the organization key and nothing else, as it was given at the organization's start",
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
        .map(|_| "nothing was written to Entra ID; make the state file readable and writable again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_with_its_causes_and_a_hint() {
        let cause = ApiError::NotAuthorised {
            message: "wrong e-mail or\npassword".into(),
            code: 4001,
        };
        let told = Told::of(&anyhow::Error::new(cause).context("could not sign in"));
        assert_eq!(
            told.error,
            "could not sign in: not authorised: wrong e-mail or password"
        );
        assert!(told.hint.unwrap().starts_with("check e-mail, password"));
    }

    #[test]
    fn a_cause_that_was_told_already_is_not_told_again() {
        let error = anyhow::anyhow!("no such file").context("could not read it: no such file");
        assert_eq!(chain(&error), "could not read it: no such file");
    }

    #[test]
    fn the_outermost_hint_wins_and_a_ports_is_the_last_resort() {
        let gone = || ApiError::NotFound {
            message: "no such path".into(),
        };
        let setup = anyhow::Error::new(SetupError::Vault(gone()));
        let hint = Told::of(&setup).hint.unwrap();
        assert!(hint.starts_with("check the base URL"), "{hint}");

        let refused = ApiError::NotAuthorised {
            message: "no".into(),
            code: passportal_client::wire::code::BAD_TOKEN,
        };
        let precise = anyhow::Error::new(VaultError::NotAuthorised(Box::new(refused)));
        let hint = Told::of(&precise).hint.unwrap();
        assert!(hint.starts_with("sign in again"), "{hint}");

        let rough = anyhow::Error::new(VaultError::Unavailable(Box::new(gone())));
        let hint = Told::of(&rough).hint.unwrap();
        assert!(hint.starts_with("is the vault running"), "{hint}");
    }
}
