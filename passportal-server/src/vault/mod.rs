//! What the vault does: every operation of the API and of the dashboard, over the database.

mod account;
mod agents;
mod api_keys;
mod attempts;
mod audit;
mod changes;
mod clients;
mod condition;
mod credentials;
mod cursor;
mod details;
mod epoch;
mod error;
mod expired;
mod flags;
mod history;
mod import;
mod invitations;
mod key_rotation;
mod known_browsers;
mod lease;
mod members;
mod notices;
mod overviews;
mod passwords;
mod people;
pub(crate) mod person_password;
mod person_vault;
mod plans;
mod prune;
mod recovery_codes;
mod reports;
mod rights;
mod search;
mod second_factor;
mod server_sealed;
mod sign_in;
mod snoozes;
mod tokens;
mod touched;
mod trends;
mod wakeups;
mod words;

use passportal_client::wire::KeyParameters;
use sqlx::SqliteConnection;
use uuid::Uuid;

pub(crate) use agents::Agent;
pub(crate) use audit::{chain_what_was_there, head as audit_head, note, page_after, verify};
pub(crate) use clients::{CompanyVault, NewClientRow};
pub(crate) use epoch::begin_epoch;
pub(crate) use error::VaultError;
pub(crate) use key_rotation::{NewOrganizationKey, Rotated};
pub(crate) use notices::{Fact, News, OpenChannel};
pub(crate) use people::Person;
pub(crate) use person_vault::{Member, PersonVault};
pub(crate) use plans::Part;
pub(crate) use rights::{Act, Rights};
pub(crate) use second_factor::{Begun, TakenCode};
pub(crate) use server_sealed::{Forgotten, forget_sealed, server_key_fits};
pub(crate) use sign_in::{Generations, Identified, SignIn};
pub(crate) use tokens::Holder;
pub(crate) use trends::{FlagsOfDay, Latency};
use wakeups::Wakeups;
pub(crate) use words::word;

use crate::database::Database;
use crate::server_key::ServerKey;

/// The organization that the vault belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Organization {
    pub(crate) id: Uuid,
    pub(crate) name: String,
}

/// Who does something, for the audit trail.
#[derive(Clone, Debug)]
pub(crate) struct Actor(String);

impl Actor {
    pub(crate) fn person(email: &str) -> Self {
        Self(email.to_owned())
    }

    pub(crate) fn agent(id: Uuid) -> Self {
        Self(format!("agent {id}"))
    }

    /// Whoever runs the program on the vault's own machine.
    pub(crate) fn operator() -> Self {
        Self("operator".to_owned())
    }

    /// The vault by itself.
    pub(crate) fn vault() -> Self {
        Self("vault".to_owned())
    }

    /// Somebody who did not prove who they are. What they typed may be a secret in the wrong field.
    pub(crate) fn unknown() -> Self {
        Self("unknown".to_owned())
    }

    fn as_str(&self) -> &str {
        &self.0
    }
}

/// One organization's vault.
pub(crate) struct Vault {
    database: Database,
    server_key: ServerKey,
    organization: Organization,
    wakeups: Wakeups,
}

impl Vault {
    /// Takes over an open database that `init` has filled.
    pub(crate) async fn new(database: Database, server_key: ServerKey) -> Result<Self, VaultError> {
        audit::chain_what_was_there(&database).await?;
        let organization = {
            let mut view = database.read().await?;
            read_organization(&mut view).await?
        };
        Ok(Self {
            database,
            server_key,
            organization,
            wakeups: Wakeups::default(),
        })
    }

    pub(crate) fn organization(&self) -> &Organization {
        &self.organization
    }

    /// Closes the database.
    pub(crate) async fn close(&self) {
        self.database.close().await;
    }
}

async fn read_organization(view: &mut SqliteConnection) -> Result<Organization, VaultError> {
    let found: Option<(String, String)> = sqlx::query_as("SELECT id, name FROM organization")
        .fetch_optional(view)
        .await?;
    let (id, name) = found.ok_or(VaultError::NotFound {
        what: "organization in the database",
    })?;
    Ok(Organization {
        id: words::id(&id)?,
        name,
    })
}

/// What the organization key is derived with now.
async fn key_parameters(view: &mut SqliteConnection) -> Result<KeyParameters, VaultError> {
    let parameters: String = sqlx::query_scalar("SELECT key_parameters FROM organization")
        .fetch_one(view)
        .await?;
    words::from_json(&parameters)
}

/// Writes the organization's row into a new database.
pub(crate) async fn insert_organization(
    transaction: &mut SqliteConnection,
    organization: &Organization,
    parameters: &KeyParameters,
) -> Result<(), VaultError> {
    sqlx::query(
        "INSERT INTO organization (only_row, id, name, epoch, key_parameters) VALUES (1, ?, ?, ?, ?)",
    )
    .bind(organization.id.to_string())
    .bind(&organization.name)
    .bind(Uuid::new_v4().to_string())
    .bind(words::to_json(parameters)?)
    .execute(transaction)
    .await?;
    Ok(())
}

pub(crate) use clients::insert as insert_client;
pub(crate) use people::insert as insert_person;

/// The next `count` numbers of the organization's count of changes; returns the one before them.
async fn take_seqs(transaction: &mut SqliteConnection, count: i64) -> Result<i64, VaultError> {
    let (last,): (i64,) = sqlx::query_as("UPDATE organization SET seq = seq + ? RETURNING seq")
        .bind(count)
        .fetch_one(transaction)
        .await?;
    Ok(last - count)
}

/// The next number of the organization's count of changes.
async fn next_seq(transaction: &mut SqliteConnection) -> Result<i64, VaultError> {
    Ok(take_seqs(transaction, 1).await? + 1)
}
