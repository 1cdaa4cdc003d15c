//! Proves who somebody is, by password, one-time code and organization key, within the limit on wrong sign-ins.

use passportal_client::envelope::KeyEncryptionKey;
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use crate::authenticator::TypedCode;
use crate::organization_key;
use crate::sign_in_limit::{Attempt, Source, TooMany};
use crate::state::AppState;
use crate::vault::{Actor, Identified, Person, SignIn, TakenCode, VaultError};

/// Why somebody has not proved who they are.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProofError {
    /// Too many wrong ones before.
    #[error("too many wrong sign-ins; try again in 15 minutes")]
    TooMany,
    /// The password is not the account's, or there is no such account.
    #[error("the e-mail address or the password is wrong")]
    WrongPassword,
    /// The password is right, and a code is needed as well.
    #[error("a one-time code is needed as well: the authenticator shows it")]
    CodeNeeded,
    /// The code is not right.
    #[error("the one-time code is wrong or was used before; wait for the next one")]
    WrongCode,
    /// A code was given where none is asked for: ignoring it would look like a check that never took place.
    #[error("no one-time code is set up for this person; sign in without one")]
    NoSecondFactor,
    /// The organization key is another one.
    #[error("the organization key is not right for this organization")]
    WrongOrganizationKey,
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl From<TooMany> for ProofError {
    fn from(_: TooMany) -> Self {
        Self::TooMany
    }
}

/// Tests a password. The attempt counts as wrong unless it is told otherwise.
pub(crate) async fn by_password<'a>(
    state: &'a AppState,
    email: &str,
    source: Source<'_>,
    password: SecretString,
) -> Result<(Identified, Attempt<'a>), ProofError> {
    let attempt = state.sign_in_limit.begin(email, source)?;
    match state.vault.sign_in(email, password).await? {
        SignIn::Right(identified) => Ok((identified, attempt)),
        SignIn::Wrong => Err(ProofError::WrongPassword),
    }
}

/// What the organization key is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KeyUse {
    SignIn,
    /// The invitation.
    Invitation(Uuid),
    Change,
}

impl KeyUse {
    /// What the audit trail says of a wrong one.
    fn failed(self) -> &'static str {
        match self {
            Self::SignIn => "failed to sign in: wrong organization key",
            Self::Invitation(_) => "failed to accept an invitation: wrong organization key",
            Self::Change => "failed to change the organization key: wrong organization key",
        }
    }

    fn subject(self) -> String {
        match self {
            Self::Invitation(id) => id.to_string(),
            Self::SignIn | Self::Change => String::new(),
        }
    }
}

/// Tests an organization key that somebody typed. The attempt counts as wrong unless it is told otherwise.
pub(crate) async fn by_organization_key<'a>(
    state: &'a AppState,
    email: &str,
    source: Source<'_>,
    key: SecretString,
    used: KeyUse,
) -> Result<(KeyEncryptionKey, Attempt<'a>), ProofError> {
    let attempt = state.sign_in_limit.begin_organization_key(email, source)?;
    let company_vault = state.vault.company_vault().await?;
    if let Some(kek) = organization_key::prove(key, company_vault).await? {
        return Ok((kek, attempt));
    }
    let (who, subject) = (Actor::person(email), used.subject());
    state.vault.note(&who, used.failed(), &subject).await?;
    Err(ProofError::WrongOrganizationKey)
}

/// Takes a one-time or recovery code.
pub(crate) async fn by_code(
    state: &AppState,
    person: &Person,
    source: Source<'_>,
    code: &SecretString,
) -> Result<TakenCode, ProofError> {
    let code = code.expose_secret();
    let limit = &state.sign_in_limit;
    let attempt = match TypedCode::read(code) {
        TypedCode::OneTime(_) => limit.begin_code(&person.email, source)?,
        TypedCode::Recovery(_) => limit.begin_recovery_code(&person.email, source)?,
    };
    if let Some(taken) = state.vault.take_code(person, code).await? {
        attempt.succeeded();
        return Ok(taken);
    }
    let actor = Actor::person(&person.email);
    let what = "failed to sign in: wrong one-time code";
    state.vault.note(&actor, what, "").await?;
    Err(ProofError::WrongCode)
}

/// Tests everything that the account asks for at once; returns how the code, if any, was taken.
pub(crate) async fn whole(
    state: &AppState,
    email: &str,
    source: Source<'_>,
    password: SecretString,
    code: Option<SecretString>,
) -> Result<(Identified, Option<TakenCode>), ProofError> {
    let (identified, attempt) = by_password(state, email, source, password).await?;
    let person = &identified.person;
    match (state.vault.needs_code(person.id).await?, code) {
        (false, None) => {
            attempt.succeeded();
            Ok((identified, None))
        }
        (false, Some(_)) => {
            attempt.passed();
            Err(ProofError::NoSecondFactor)
        }
        (true, None) => {
            attempt.passed();
            let actor = Actor::person(&person.email);
            let what = "failed to sign in: no one-time code";
            state.vault.note(&actor, what, "").await?;
            Err(ProofError::CodeNeeded)
        }
        (true, Some(code)) => {
            attempt.passed();
            let taken = by_code(state, person, source, &code).await?;
            Ok((identified, Some(taken)))
        }
    }
}

impl TakenCode {
    /// What the audit trail says after "signed in".
    pub(crate) fn told(taken: Option<Self>) -> &'static str {
        match taken {
            None => "",
            Some(Self::OneTime) => " with a one-time code",
            Some(Self::Recovery) => " with a recovery code",
        }
    }
}
