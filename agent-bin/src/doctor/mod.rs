//! Looks at a set-up from end to end, and names each fault with its remedy.
//!
//! It has connections of its own, only reads, takes no lease, opens no state and tests nobody's
//! password: a running service does not notice it.

mod accounts;
mod certificate;
mod check;
mod sign_in_test;
mod tenant;
mod vault;
mod way;

use serde::Serialize;

pub use self::check::{Check, Checked};
use crate::config::{ClientConfig, Config, SignIn};
use crate::secrets::SecretFiles;
use crate::tenant as setting;

/// What was found about one client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Examined {
    /// Its name in the configuration.
    pub client: String,
    /// Its tenant, as configured.
    pub tenant: String,
    /// Every check, in the order in which one rests on another.
    pub checks: Vec<Check>,
}

impl Examined {
    fn of(client: &ClientConfig, checks: Vec<Check>) -> Self {
        Self {
            client: client.name.clone(),
            tenant: client.microsoft.tenant.to_string(),
            checks,
        }
    }

    /// Whether something does not work.
    pub fn has_fault(&self) -> bool {
        self.checks.iter().any(Check::is_fault)
    }
}

/// Examines one client of the configuration: its vault first, then its tenant.
pub async fn examine(config: &Config, client: &ClientConfig) -> Examined {
    let mut checks = Vec::new();
    let outbound = match way::examine(config) {
        Ok(outbound) => outbound,
        Err(checks) => return Examined::of(client, checks),
    };
    let stored = vault::examine(config, client, &outbound, &mut checks).await;
    let verdict_table = config.verdict_table().unwrap_or_else(|error| {
        checks.push(Check::failed("configuration", &error));
        None
    });
    let secrets = SecretFiles::beside(&config.state.url);
    match setting::directory(client, &outbound, &secrets, verdict_table.as_ref()) {
        Ok(directory) => {
            let test = config.policy(client).verification;
            tenant::examine(&directory, test, stored.as_ref(), &mut checks).await;
        }
        Err(error) => checks.push(Check::failed(credentials(client.microsoft.sign_in), &error)),
    }
    Examined::of(client, checks)
}

/// What it is that cannot be had.
fn credentials(sign_in: SignIn) -> &'static str {
    match sign_in {
        SignIn::DeviceCode | SignIn::VaultAdmin => "sign-in",
        SignIn::Certificate | SignIn::ClientSecret | SignIn::Federated => "credentials of the app",
    }
}
