//! The vault as a person sees it. Whatever a person does begins with [`Act`] and [`Place`], or with [`Act`] and
//! [`Reach`]: there is no other way to the database from here. Who the person is now is read in the same transaction,
//! because a request's body may take minutes.

use passportal_client::wire::Role;
use sqlx::{Sqlite, SqliteConnection, Transaction};
use uuid::Uuid;

use super::rights::{Act, Rights};
use super::{Actor, Organization, Person, Vault, VaultError, members};
use crate::server_key::ServerKey;

/// Whether a client's id, in a column, is within the [`Reach`] that is bound as a parameter.
macro_rules! within {
    ($client:literal, $reach:literal) => {
        concat!(
            "(",
            $reach,
            " IS NULL OR ",
            $client,
            " IN (SELECT client FROM assigned_clients WHERE person = ",
            $reach,
            "))"
        )
    };
}
pub(super) use within;

/// A person of the organization and what they may do, as it is for this request.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) person: Person,
    pub(crate) rights: Rights,
    pub(super) reach: Reach,
    /// The number that the person's sessions begin under: those that began under another one are over.
    pub(crate) generation: i64,
}

impl Member {
    /// For the audit trail.
    pub(crate) fn actor(&self) -> Actor {
        Actor::person(&self.person.email)
    }

    /// Refuses a place that the person does not reach, as one that does not exist; and then an act that they may not do.
    pub(super) async fn require(
        &self,
        view: &mut SqliteConnection,
        act: Act,
        place: Place,
    ) -> Result<(), VaultError> {
        self.reach.require(view, place).await?;
        self.rights.require(act)
    }
}

/// The clients that a person has access to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// All of them.
    All,
    /// Those that are assigned to this person.
    Assigned(Uuid),
}

impl Reach {
    /// An Organization Admin reaches everything.
    pub(super) fn new(person: Uuid, role: Role, access: &str) -> Self {
        if role == Role::OrganizationAdmin || access == "all" {
            Self::All
        } else {
            Self::Assigned(person)
        }
    }

    /// The parameter of `within!`.
    pub(super) fn bound(&self) -> Option<String> {
        match self {
            Self::All => None,
            Self::Assigned(person) => Some(person.to_string()),
        }
    }

    /// Refuses a place beyond, as one that does not exist.
    async fn require(&self, view: &mut SqliteConnection, place: Place) -> Result<(), VaultError> {
        let (sql, id, what) = match place {
            Place::Organization => return Ok(()),
            Place::Client(id) => (
                concat!(
                    "SELECT 1 FROM clients WHERE id = ?1 AND ",
                    within!("id", "?2")
                ),
                id,
                "client",
            ),
            Place::Credential(id) => (
                concat!(
                    "SELECT 1 FROM credentials WHERE id = ?1 AND ",
                    within!("client", "?2")
                ),
                id,
                "credential",
            ),
            Place::Plan(id) => (
                concat!(
                    "SELECT 1 FROM plans WHERE id = ?1 AND ",
                    within!("client", "?2")
                ),
                id,
                "plan",
            ),
            Place::Agent(id) => (
                concat!(
                    "SELECT 1 FROM agents WHERE id = ?1 AND ",
                    within!("client", "?2")
                ),
                id,
                "agent",
            ),
        };
        let found: Option<(i64,)> = sqlx::query_as(sql)
            .bind(id.to_string())
            .bind(self.bound())
            .fetch_optional(view)
            .await?;
        found.map(drop).ok_or(VaultError::NotFound { what })
    }
}

/// What an act is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// The organization as a whole: nothing of any client.
    Organization,
    Client(Uuid),
    Credential(Uuid),
    Plan(Uuid),
    Agent(Uuid),
}

/// The vault for one person.
pub(crate) struct PersonVault<'a> {
    vault: &'a Vault,
    member: &'a Member,
}

impl Vault {
    /// The vault as a person sees it.
    pub(crate) fn as_seen_by<'a>(&'a self, member: &'a Member) -> PersonVault<'a> {
        PersonVault {
            vault: self,
            member,
        }
    }
}

impl PersonVault<'_> {
    /// Begins to read what belongs to one place.
    pub(super) async fn read_at(
        &self,
        act: Act,
        place: Place,
    ) -> Result<Transaction<'static, Sqlite>, VaultError> {
        let mut view = self.vault.database.read().await?;
        self.require(&mut view, act, place).await?;
        Ok(view)
    }

    /// Begins to read what has to be filtered by the person's reach.
    pub(super) async fn read_within(
        &self,
        act: Act,
    ) -> Result<(Transaction<'static, Sqlite>, Reach), VaultError> {
        let mut view = self.vault.database.read().await?;
        let now = self.now(&mut view).await?;
        now.rights.require(act)?;
        Ok((view, now.reach))
    }

    /// Begins to write at one place.
    pub(super) async fn write_at(
        &self,
        act: Act,
        place: Place,
    ) -> Result<Transaction<'static, Sqlite>, VaultError> {
        let mut transaction = self.vault.database.write().await?;
        self.require(&mut transaction, act, place).await?;
        Ok(transaction)
    }

    /// As [`Member::require`], for the person as they are now.
    pub(super) async fn require(
        &self,
        view: &mut SqliteConnection,
        act: Act,
        place: Place,
    ) -> Result<(), VaultError> {
        self.now(view).await?.require(view, act, place).await
    }

    /// Who the person is in this view; refuses somebody who was disabled, or whose sessions ended, since the request began.
    pub(super) async fn now(&self, view: &mut SqliteConnection) -> Result<Member, VaultError> {
        let now = members::find(view, self.member.person.id).await?;
        now.filter(|now| now.generation == self.member.generation)
            .ok_or(VaultError::Revoked)
    }

    /// Tells the agent of a client that something is new.
    pub(super) fn wake(&self, client: Uuid) {
        self.vault.wakeups.wake(client);
    }

    /// Leaves nothing of what was overwritten in the files.
    pub(super) async fn forget_overwritten(&self) -> Result<(), VaultError> {
        Ok(self.vault.database.forget_overwritten().await?)
    }

    pub(super) fn server_key(&self) -> &ServerKey {
        &self.vault.server_key
    }

    pub(super) fn organization(&self) -> &Organization {
        &self.vault.organization
    }

    /// Refuses what the person's role does not allow.
    pub(crate) fn require_right(&self, act: Act) -> Result<(), VaultError> {
        self.member.rights.require(act)
    }

    /// For the audit trail.
    pub(super) fn actor(&self) -> Actor {
        self.member.actor()
    }
}
