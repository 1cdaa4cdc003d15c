//! A person's session with the vault: what the command line may do on a person's behalf.

use std::fmt;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::http::{Call, Transport};
use crate::wire::{
    AuditLine, AuditQuery, Client, ClientPatch, Credential, CredentialPatch, EnrolRequest,
    Enrolled, FlagCleared, FlagKind, FlagQuery, FlaggedCredential, HistoryEntry, Import, Imported,
    NewClient, NewCredential, NewPassword, Overview, OverviewKind, OverviewQuery, Plan,
    PlanDetails, PlanQuery, Ruling, SealedSecrets, SessionRequest, SessionToken,
};
use crate::{ApiError, HttpConfig};

const SESSION: &str = "api/v2/auth/session";
const CLIENTS: &str = "api/v2/vault/clients";
const CREDENTIALS: &str = "api/v2/vault/credentials";
const IMPORTS: &str = "api/v2/vault/imports";
const FLAGS: &str = "api/v2/vault/flags";
const AUDIT: &str = "api/v2/audit";
const REPORTS: &str = "api/v2/reports";
const PLANS: &str = "api/v2/plans";
const ENROLMENTS: &str = "api/v2/agent/enrolments";

/// A signed-in person.
pub struct PersonSession {
    transport: Transport,
    token: SecretString,
}

/// What the vault says of a new session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionDetails {
    /// When it ends.
    pub expires: Timestamp,
    /// The person's organization.
    pub organization: Uuid,
    /// Its name.
    pub organization_name: String,
}

/// Whether a vault answers at this address. Nobody signs in.
///
/// # Errors
/// When nothing answers, or something that does not speak Passportal's API.
pub async fn reach(config: &HttpConfig) -> Result<(), ApiError> {
    match Transport::new(config)?
        .done(&Call::get(CLIENTS), None)
        .await
    {
        Ok(()) | Err(ApiError::NotAuthorised { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

impl PersonSession {
    /// Signs in. The password is sent this once and not kept.
    ///
    /// # Errors
    /// [`ApiError::NotAuthorised`] when e-mail, password or one-time code is wrong, or a one-time code is needed as well
    /// ([`needs_one_time_code`](ApiError::needs_one_time_code));
    /// [`ApiError::Invalid`] for a one-time code of a person who has not set one up.
    pub async fn sign_in(
        config: &HttpConfig,
        email: &str,
        password: &SecretString,
        one_time_code: Option<&str>,
    ) -> Result<(Self, SessionDetails), ApiError> {
        let transport = Transport::new(config)?;
        let call = Call::post(SESSION).json(&SessionRequest {
            email: email.to_owned(),
            password: password.expose_secret().to_owned(),
            one_time_code: one_time_code.map(str::to_owned),
        });
        let answer: SessionToken = transport.results(&call, None).await?;
        let details = SessionDetails {
            expires: answer.expires,
            organization: answer.organization,
            organization_name: answer.organization_name,
        };
        let token = SecretString::from(answer.access_token);
        Ok((Self { transport, token }, details))
    }

    /// Takes up a session that was begun before.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up; whether the session still lives shows in its first call.
    pub fn from_token(config: &HttpConfig, token: SecretString) -> Result<Self, ApiError> {
        Ok(Self {
            transport: Transport::new(config)?,
            token,
        })
    }

    /// The access token, for the one place where the session is kept.
    pub fn token(&self) -> &SecretString {
        &self.token
    }

    /// Ends the session: its token is worth nothing afterwards.
    pub async fn sign_out(self) -> Result<(), ApiError> {
        self.done(Call::delete(SESSION)).await
    }

    /// All clients, with their flags counted.
    pub async fn clients(&self) -> Result<Vec<Client>, ApiError> {
        self.results(Call::get(CLIENTS)).await
    }

    /// One client.
    pub async fn client(&self, id: Uuid) -> Result<Client, ApiError> {
        self.results(Call::get(format!("{CLIENTS}/{id}"))).await
    }

    /// Creates a client.
    pub async fn create_client(&self, new: &NewClient) -> Result<Client, ApiError> {
        self.results(Call::post(CLIENTS).json(new)).await
    }

    /// Changes a client's settings.
    pub async fn patch_client(&self, id: Uuid, patch: &ClientPatch) -> Result<Client, ApiError> {
        self.results(Call::patch(format!("{CLIENTS}/{id}")).json(patch))
            .await
    }

    /// A client's credentials, without their passwords.
    pub async fn credentials(&self, client: Uuid) -> Result<Vec<Credential>, ApiError> {
        self.results(Call::get(format!("{CLIENTS}/{client}/credentials")))
            .await
    }

    /// One credential, without its password.
    pub async fn credential(&self, id: Uuid) -> Result<Credential, ApiError> {
        self.results(Call::get(format!("{CREDENTIALS}/{id}"))).await
    }

    /// Adds a credential to a client.
    pub async fn create_credential(
        &self,
        client: Uuid,
        new: &NewCredential,
    ) -> Result<Credential, ApiError> {
        self.results(Call::post(format!("{CLIENTS}/{client}/credentials")).json(new))
            .await
    }

    /// Changes a credential's mode or standing, or confirms a version.
    pub async fn patch_credential(
        &self,
        id: Uuid,
        patch: &CredentialPatch,
    ) -> Result<Credential, ApiError> {
        self.results(Call::patch(format!("{CREDENTIALS}/{id}")).json(patch))
            .await
    }

    /// The sealed secrets of a credential. The vault notes it.
    pub async fn secrets(&self, id: Uuid) -> Result<SealedSecrets, ApiError> {
        self.results(Call::post(format!("{CREDENTIALS}/{id}/secrets")))
            .await
    }

    /// Stores and changes many credentials, all or nothing.
    pub async fn import(&self, import: &Import) -> Result<Imported, ApiError> {
        self.results(Call::post(IMPORTS).json(import)).await
    }

    /// Gives a credential a new password.
    ///
    /// # Errors
    /// [`ApiError::Conflict`] when it has another version by now.
    pub async fn set_password(&self, id: Uuid, new: &NewPassword) -> Result<Credential, ApiError> {
        self.results(Call::put(format!("{CREDENTIALS}/{id}/password")).json(new))
            .await
    }

    /// A credential's sync results, newest first.
    pub async fn history(&self, id: Uuid) -> Result<Vec<HistoryEntry>, ApiError> {
        self.results(Call::get(format!("{CREDENTIALS}/{id}/history")))
            .await
    }

    /// The flags that stand.
    pub async fn flags(&self, query: &FlagQuery) -> Result<Vec<FlaggedCredential>, ApiError> {
        let call = Call::get(FLAGS)
            .maybe("client", query.client)
            .maybe("kind", query.kind.map(FlagKind::name));
        self.results(call).await
    }

    /// Clears a flag until its fact changes.
    pub async fn clear_flag(&self, id: Uuid, kind: FlagKind) -> Result<FlagCleared, ApiError> {
        let name = kind.name();
        self.results(Call::delete(format!("{CREDENTIALS}/{id}/flags/{name}")))
            .await
    }

    /// Lines of the audit trail.
    pub async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditLine>, ApiError> {
        let call = Call::get(AUDIT)
            .maybe("who", query.who.as_deref())
            .maybe("what", query.what.as_deref())
            .maybe("client", query.client)
            .maybe("from", query.from)
            .maybe("until", query.until)
            .maybe("before", query.before)
            .maybe("after", query.after)
            .maybe("limit", query.limit);
        self.results(call).await
    }

    /// A report, made now.
    pub async fn overview(
        &self,
        report: OverviewKind,
        query: &OverviewQuery,
    ) -> Result<Overview, ApiError> {
        let call = Call::get(format!("{REPORTS}/{report}"))
            .maybe("client", query.client)
            .maybe("days", query.days)
            .maybe("from", query.from)
            .maybe("until", query.until);
        self.results(call).await
    }

    /// The held plans that agents show now.
    pub async fn plans(&self, query: &PlanQuery) -> Result<Vec<Plan>, ApiError> {
        self.results(Call::get(PLANS).maybe("client", query.client))
            .await
    }

    /// One held plan, with its writes.
    pub async fn plan(&self, id: Uuid) -> Result<PlanDetails, ApiError> {
        self.results(Call::get(format!("{PLANS}/{id}"))).await
    }

    /// Approves or rejects exactly this plan. The agent hears of it at once.
    ///
    /// # Errors
    /// [`ApiError::Conflict`] when it expired or somebody ruled on it before.
    pub async fn rule(&self, id: Uuid, ruling: Ruling) -> Result<Plan, ApiError> {
        let word = match ruling {
            Ruling::Approve => "approval",
            Ruling::Reject => "rejection",
        };
        self.results(Call::post(format!("{PLANS}/{id}/{word}")))
            .await
    }

    /// Enrols an agent for one client. Its token is shown this once.
    pub async fn enrol(&self, request: &EnrolRequest) -> Result<Enrolled, ApiError> {
        self.results(Call::post(ENROLMENTS).json(request)).await
    }

    /// Revokes an agent at once.
    pub async fn revoke_agent(&self, agent: Uuid) -> Result<(), ApiError> {
        self.done(Call::delete(format!("{ENROLMENTS}/{agent}")))
            .await
    }

    async fn results<T: DeserializeOwned>(&self, call: Call) -> Result<T, ApiError> {
        self.transport.results(&call, Some(&self.token)).await
    }

    async fn done(&self, call: Call) -> Result<(), ApiError> {
        self.transport.done(&call, Some(&self.token)).await
    }
}

impl fmt::Debug for PersonSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonSession(redacted)")
    }
}
