//! How a command ended, as its exit status tells scripts.

use std::process::ExitCode;

use agent_bin::advice;
use agent_bin::wizard::WizardError;

use crate::session::SessionError;

/// How a command ended. Status 2 (usage) is clap's own, and that of a setup with too few options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Done.
    Done,
    /// Failed.
    Failed,
    /// The command line is wrong.
    Usage,
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
        let is_signed_out = error.chain().any(|cause| {
            matches!(
                cause.downcast_ref(),
                Some(SessionError::NotSignedIn | SessionError::Expired { .. })
            )
        });
        if is_signed_out || advice::is_not_authorised(error.as_ref()) {
            Self::NotAuthorised
        } else if error.downcast_ref().is_some_and(WizardError::is_usage) {
            Self::Usage
        } else {
            Self::Failed
        }
    }

    pub(crate) fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
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

#[cfg(test)]
mod tests {
    use super::*;
    use passportal_client::ApiError;
    use passportal_client::envelope::EnvelopeError;
    use sync_engine::EngineError;
    use sync_engine::ports::{DirectoryError, VaultError};

    #[test]
    fn each_ending_has_its_documented_status() {
        let endings = [
            Ending::Done,
            Ending::Failed,
            Ending::Usage,
            Ending::Mismatches,
            Ending::Held,
            Ending::NotAuthorised,
        ];
        assert_eq!(endings.map(Ending::status), [0, 1, 2, 3, 4, 5]);
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
