//! How a command ended, as its exit status tells scripts.

use std::process::ExitCode;

use agent_bin::setup::SetupError;
use msgraph_sync::GraphError;
use passportal_client::ApiError;
use passportal_client::envelope::EnvelopeError;
use sync_engine::ports::{DirectoryError, VaultError};

use crate::session::SessionError;

/// How a command ended. Status 2 (usage) is clap's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Done.
    Done,
    /// Failed.
    Failed,
    /// Done, and there are mismatches.
    Mismatches,
    /// Done, and something waits for a person's approval.
    Held,
    /// Not authorised.
    NotAuthorised,
}

impl Ending {
    /// How a command that failed with this error ended.
    pub(crate) fn of_error(error: &anyhow::Error) -> Self {
        if error.chain().any(is_not_authorised) {
            Self::NotAuthorised
        } else {
            Self::Failed
        }
    }

    pub(crate) fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Mismatches => 3,
            Self::Held => 4,
            Self::NotAuthorised => 5,
        }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(ending.status())
    }
}

fn is_not_authorised(cause: &(dyn std::error::Error + 'static)) -> bool {
    matches!(cause.downcast_ref(), Some(ApiError::NotAuthorised { .. }))
        || matches!(
            cause.downcast_ref(),
            Some(EnvelopeError::WrongOrganizationKey)
        )
        || matches!(cause.downcast_ref(), Some(VaultError::NotAuthorised(_)))
        || cause
            .downcast_ref()
            .is_some_and(is_refused_by_the_directory)
        || cause
            .downcast_ref()
            .is_some_and(SetupError::is_not_authorised)
        || matches!(
            cause.downcast_ref(),
            Some(SessionError::NotSignedIn | SessionError::Expired { .. })
        )
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

    #[test]
    fn each_ending_has_its_documented_status() {
        let endings = [
            Ending::Done,
            Ending::Failed,
            Ending::Mismatches,
            Ending::Held,
            Ending::NotAuthorised,
        ];
        assert_eq!(endings.map(Ending::status), [0, 1, 3, 4, 5]);
    }

    #[test]
    fn whatever_refuses_the_caller_ends_with_5_however_deep_it_lies() {
        let refused = || ApiError::NotAuthorised {
            message: "no".into(),
            code: 4001,
        };
        let deep = EngineError::Vault(VaultError::Unavailable(Box::new(refused())));
        let sign_in = EngineError::Directory(DirectoryError::SignIn("wrong secret".into()));
        for error in [
            anyhow::Error::new(refused()).context("could not sign in"),
            anyhow::Error::new(deep),
            anyhow::Error::new(sign_in),
            EnvelopeError::WrongOrganizationKey.into(),
            SessionError::NotSignedIn.into(),
        ] {
            assert_eq!(Ending::of_error(&error), Ending::NotAuthorised, "{error:#}");
        }
    }

    #[test]
    fn a_wrong_clock_is_no_refusal_although_no_sign_in_is_possible() {
        let off = "is slow by about 1 h".to_owned();
        let clock = DirectoryError::from(GraphError::ClockOff { off });
        assert!(matches!(clock, DirectoryError::SignIn(_)));
        let error = anyhow::Error::new(EngineError::Directory(clock));
        assert_eq!(Ending::of_error(&error), Ending::Failed);
    }

    #[test]
    fn any_other_error_ends_with_1() {
        let error = anyhow::Error::new(ApiError::NotFound {
            message: "no client".into(),
        });
        assert_eq!(Ending::of_error(&error), Ending::Failed);
        assert_eq!(
            Ending::of_error(&anyhow::anyhow!("disk full")),
            Ending::Failed
        );
    }
}
