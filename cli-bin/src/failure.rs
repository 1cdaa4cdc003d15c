//! What a person is told of a failure: one line with its causes, and a hint what to do next.

use agent_bin::advice;
use agent_bin::causes::chain;

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
            error: one_line(&chain(error.as_ref())),
            hint: hint_of(error).map(|hint| one_line(&hint)),
        }
    }
}

/// The command line's own errors know best what to do; else the agent's advice.
fn hint_of(error: &anyhow::Error) -> Option<String> {
    let own = error.chain().find_map(|cause| {
        None.or_else(|| cause.downcast_ref().map(|it: &Refusal| it.hint.as_str()))
            .or_else(|| cause.downcast_ref().map(SessionError::hint))
            .or_else(|| cause.downcast_ref().map(SecretFileError::hint))
            .or_else(|| cause.downcast_ref().map(LookupError::hint))
    });
    own.map(str::to_owned)
        .or_else(|| advice::hint(error.as_ref()))
        .or_else(|| Some("run it again with -vv to see more".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_bin::setup::SetupError;
    use passportal_client::ApiError;

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
        assert_eq!(chain(error.as_ref()), "could not read it: no such file");
    }

    #[test]
    fn an_error_of_the_agent_comes_with_its_advice_and_a_refusal_with_its_own() {
        let gone = ApiError::NotFound {
            message: "no such path".into(),
        };
        let setup = anyhow::Error::new(SetupError::Vault(gone));
        let hint = Told::of(&setup).hint.unwrap();
        assert!(hint.starts_with("check the base URL"), "{hint}");
        let own = Refusal::new("no", "do something else");
        assert_eq!(Told::of(&own.into()).hint.unwrap(), "do something else");
    }
}
