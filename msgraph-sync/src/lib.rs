//! Microsoft Graph and Entra ID sign-in, behind the engine's directory port.
//!
//! [`EntraDirectory`] is the whole of it: one tenant, read and written the way the engine asks for.
//! It decides nothing and knows no vault. Requests are built by graph-rs-sdk and run on a client of
//! our own, so that no token and no password goes where the configuration did not send it.

mod accounts;
mod calls;
mod certificate;
mod clouds;
mod device_sign_in;
mod directory;
mod domains;
mod error;
mod find_tenant;
mod finding;
mod governor;
mod limits;
mod paging;
mod password_sign_in;
mod passwords;
mod permissions;
mod person;
mod preflight;
mod proxy;
mod reset_matrix;
mod retry_after;
mod role_holders;
mod service_clock;
mod session;
mod sign_in_probe;
mod standing;
mod tenant;
mod tenant_facts;
mod token;
mod transport;
mod verdicts;
mod verify;

#[cfg(test)]
mod test_proxy;
#[cfg(test)]
mod test_tenant;
#[cfg(test)]
mod test_world;

pub use certificate::{CertificateError, CertificateLife, ClientCertificate, WARNED_AHEAD};
pub use clouds::{Cloud, Endpoints, UnknownCloud};
pub use device_sign_in::{DeviceCodeNotice, DeviceSignIn, DeviceSignInError};
pub use directory::EntraDirectory;
pub use error::{GraphError, GraphSetupError, ServiceFault};
pub use find_tenant::{FindTenantError, find_tenant};
pub use finding::Finding;
pub use limits::{LimitUse, Limits};
pub use password_sign_in::{PasswordSignInError, sign_in_by_password};
pub use passwords::LONGEST_WRITE;
pub use person::{
    PasswordFault, PasswordNotSent, PasswordTry, PersonPassword, RefreshTokenKeeper, SignInEnd,
    SignedInPerson,
};
pub use preflight::Preflight;
pub use proxy::{Proxy, ProxyTrouble};
pub use sign_in_probe::SignInTestState;
pub use standing::{Identity, Standing};
pub use tenant::{AppCredential, Connection, Credential, TenantConfig, VerificationApp};
pub use tenant_facts::{Organization, SecurityDefaults};
pub use verdicts::{Counts, Ruling, TableFault, VerdictTable, VerdictTableError};
