//! Signs an administrator in, by device code or with the password that the vault has, and finds out who it is.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use msgraph_sync::{
    Connection, DeviceCodeNotice, DeviceSignIn, DeviceSignInError, EntraDirectory, GraphError,
    PasswordSignInError, Preflight, RefreshTokenKeeper, SignedInPerson, VerdictTable,
    sign_in_by_password,
};
use secrecy::SecretString;
use sync_engine::model::{Account, AccountKind, ObjectId, TenantId, UserPrincipalName};
use sync_engine::ports::{Cause, Directory as _, DirectoryError};

use crate::config::ClientConfig;
use crate::outbound::Outbound;
use crate::secrets::Administrator;
use crate::tenant::{self, TenantError};
use crate::vault_admin::VaultAdmin;

/// Shows a person where to enter which code.
pub type ShowCode = Arc<dyn Fn(&DeviceCodeNotice) + Send + Sync>;

/// Shows it in words, with what says them.
pub fn show_in_words(say: impl Fn(&str) + Send + Sync + 'static) -> ShowCode {
    Arc::new(move |notice| {
        let minutes = notice.expires_in.as_secs() / 60;
        say(&format!(
            "to sign in, open {} in a browser and enter the code {} with an administrator's account of the tenant; \
             the code is good for {minutes} minutes",
            notice.address, notice.user_code
        ));
    })
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum AdministratorError {
    /// The tenant's configuration.
    #[error(transparent)]
    Tenant(#[from] TenantError),
    /// The device code.
    #[error(transparent)]
    DeviceCode(#[from] DeviceSignInError),
    /// The password that the vault has.
    #[error(transparent)]
    Password(#[from] PasswordSignInError),
    /// The tenant.
    #[error("tenant `{tenant}` did not go along")]
    Entra {
        /// The tenant.
        tenant: Box<str>,
        /// Why.
        #[source]
        source: GraphError,
    },
    /// The account that signed in cannot be read.
    #[error("the account that signed in cannot be read")]
    Account(#[from] DirectoryError),
    /// It does not tell who it is.
    #[error("Entra ID does not tell who signed in")]
    Nobody,
    /// Another tenant answers.
    #[error("the account that signed in is of another tenant (with {}), not of `{tenant}`", domains.join(", "))]
    OtherTenant {
        /// The tenant that was meant.
        tenant: TenantId,
        /// The domains of the one that answered.
        domains: Vec<String>,
    },
    /// The account is at home elsewhere.
    #[error("the account that signed in is at home in another tenant, and not in `{tenant}`")]
    Stranger {
        /// The tenant that was meant.
        tenant: TenantId,
    },
}

impl AdministratorError {
    /// What to do next.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Tenant(source) => source.hint(),
            Self::DeviceCode(source) => source.hint(),
            Self::Password(PasswordSignInError::Entra(source)) | Self::Entra { source, .. } => {
                source.hint()
            }
            Self::Account(_) | Self::Nobody | Self::Password(_) => None,
            Self::OtherTenant { .. } | Self::Stranger { .. } => {
                Some("sign in with an administrator's account of the client's own tenant")
            }
        }
    }

    /// Whether the person or the app was not let in.
    pub fn is_not_authorised(&self) -> bool {
        match self {
            Self::Entra { source, .. }
            | Self::DeviceCode(DeviceSignInError::Entra(source))
            | Self::Password(PasswordSignInError::Entra(source)) => source.is_not_authorised(),
            Self::DeviceCode(DeviceSignInError::Declined)
            | Self::OtherTenant { .. }
            | Self::Stranger { .. } => true,
            _ => false,
        }
    }
}

/// An administrator who has just signed in, and is kept nowhere yet.
pub(crate) struct SignedIn {
    directory: EntraDirectory,
    token: Arc<LatestToken>,
    tenant: TenantId,
}

impl SignedIn {
    /// Shows a code and waits until a person has entered it.
    pub(crate) async fn by_device_code(
        client: &ClientConfig,
        outbound: &Outbound,
        show: &ShowCode,
    ) -> Result<Self, AdministratorError> {
        let connection = tenant::connection(client, outbound)?;
        let token = first_token(connection.clone(), show).await?;
        Self::with(token, connection, client)
    }

    /// Sends the vault's password of the account once.
    pub(crate) async fn by_vault_admin(
        client: &ClientConfig,
        outbound: &Outbound,
        verdict_table: Option<&VerdictTable>,
        password: VaultAdmin,
    ) -> Result<Self, AdministratorError> {
        let connection = tenant::connection(client, outbound)?;
        let (table, password) = (verdict_table.cloned(), Arc::new(password));
        let token = sign_in_by_password(connection.clone(), table, password).await?;
        Self::with(token, connection, client)
    }

    fn with(
        token: SecretString,
        connection: Connection,
        client: &ClientConfig,
    ) -> Result<Self, AdministratorError> {
        let token = Arc::new(LatestToken(Mutex::new(token)));
        let person = SignedInPerson {
            refresh_token: token.get(),
            keeper: Arc::clone(&token) as _,
            password: None,
        };
        Ok(Self {
            directory: tenant::directory_at(connection, person, client, None)?,
            token,
            tenant: client.microsoft.tenant.clone(),
        })
    }

    /// Who it is, and what it may do in the tenant; another tenant's account is refused.
    pub(crate) async fn check(&self) -> Result<(Administrator, Preflight), AdministratorError> {
        let preflight = self.directory.preflight().await;
        let preflight = preflight.map_err(|source| AdministratorError::Entra {
            tenant: self.tenant.to_string().into(),
            source,
        })?;
        check_tenant(&self.tenant, &preflight)?;
        let object = preflight
            .identity
            .object
            .ok_or(AdministratorError::Nobody)?;
        let account = self.directory.account(object).await?;
        let user_name = at_home(account).ok_or_else(|| AdministratorError::Stranger {
            tenant: self.tenant.clone(),
        })?;
        Ok((self.administrator(user_name, object), preflight))
    }

    fn administrator(&self, user_name: UserPrincipalName, object: ObjectId) -> Administrator {
        Administrator {
            user_name,
            object,
            refresh_token: self.token.get(),
        }
    }
}

async fn first_token(
    connection: Connection,
    show: &ShowCode,
) -> Result<SecretString, DeviceSignInError> {
    let waiting = DeviceSignIn::begin(connection).await?;
    show(&waiting.notice());
    waiting.wait().await
}

/// The configuration names the tenant by its id or by one of its domains.
fn check_tenant(tenant: &TenantId, preflight: &Preflight) -> Result<(), AdministratorError> {
    let wanted = tenant.0.to_lowercase();
    let id = preflight.identity.tenant_id.map(|id| id.to_string());
    if id.as_deref() == Some(&*wanted) || preflight.domains.contains_key(&wanted) {
        return Ok(());
    }
    Err(AdministratorError::OtherTenant {
        tenant: tenant.clone(),
        domains: preflight.domains.keys().cloned().collect(),
    })
}

/// A guest's password, and all that revokes its sign-ins, is elsewhere.
fn at_home(account: Option<Account>) -> Option<UserPrincipalName> {
    let account = account.filter(|account| account.kind == AccountKind::Member)?;
    Some(account.user_name)
}

/// The newest refresh token, in memory until setup knows where it belongs.
struct LatestToken(Mutex<SecretString>);

impl LatestToken {
    fn get(&self) -> SecretString {
        let token = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        token.clone()
    }
}

#[async_trait]
impl RefreshTokenKeeper for LatestToken {
    async fn kept(&self) -> Result<SecretString, Cause> {
        Ok(self.get())
    }

    async fn keep(&self, _: &SecretString, token: &SecretString) -> Result<(), Cause> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = token.clone();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use msgraph_sync::Identity;
    use sync_engine::model::DomainKind;
    use uuid::Uuid;

    use super::*;

    const ID: Uuid = Uuid::from_u128(7);

    fn checked(tenant: &str) -> Result<(), AdministratorError> {
        let answered = Preflight {
            domains: [("contoso.com".to_owned(), DomainKind::Managed)].into(),
            clock_skew: SignedDuration::ZERO,
            identity: Identity {
                tenant_id: Some(ID),
                ..Identity::default()
            },
            findings: Vec::new(),
        };
        check_tenant(&TenantId(tenant.to_owned()), &answered)
    }

    #[test]
    fn the_tenant_is_known_by_a_domain_or_its_id_and_another_is_named() {
        checked("Contoso.com").unwrap();
        checked(&ID.to_string().to_uppercase()).unwrap();
        let error = checked("fabrikam.example").unwrap_err();
        let told = error.to_string();
        assert!(
            told.contains("contoso.com") && told.contains("fabrikam.example"),
            "{told}"
        );
        assert!(error.hint().is_some() && error.is_not_authorised());
    }
}
