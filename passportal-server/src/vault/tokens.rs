//! Access tokens as they rest: hashed, with whom they speak for and how long.

use jiff::{SignedDuration, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{Person, Vault, VaultError, words};
use crate::caller_address;
use crate::token::TokenHash;

/// How exactly a session's last use is known: writing it down at every request would cost more than it tells.
const SEEN: SignedDuration = SignedDuration::from_mins(5);

/// Whom a token speaks for.
#[derive(Clone, Debug)]
pub(crate) enum Holder {
    /// An administrator.
    Person(Person),
    /// An agent, bound to its client.
    Agent {
        /// The agent.
        agent: Uuid,
        /// Its client.
        client: Uuid,
    },
    /// A program with an API key.
    ApiKey(String),
    /// A refresh token of an API key, which opens nothing by itself.
    Refresh(String),
}

/// A token to be kept.
pub(super) struct NewToken {
    pub(super) hash: TokenHash,
    pub(super) holder: Holder,
    pub(super) expires: Option<Timestamp>,
}

/// Where a person's session began.
pub(super) struct Origin {
    program: String,
    address: Option<String>,
}

impl Origin {
    /// With the request that is being answered.
    pub(super) fn here(program: String) -> Self {
        let address = caller_address::current();
        Self {
            program,
            address: address.map(|address| address.to_string()),
        }
    }
}

type Found = (
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

impl Vault {
    /// Whom a presented token speaks for; `None` when it is unknown, expired or revoked.
    ///
    /// The first use of an agent's new token ends its older ones.
    pub(crate) async fn holder(&self, token: &TokenHash) -> Result<Option<Holder>, VaultError> {
        let found = {
            let mut view = self.database.read().await?;
            find(&mut view, token).await?
        };
        let Some((kind, admin, email, agent, client, api_key, used, seen)) = found else {
            return Ok(None);
        };
        let holder = match (kind.as_str(), admin, email, agent, client, api_key) {
            ("person", Some(id), Some(email), ..) => Holder::Person(Person {
                id: words::id(&id)?,
                email,
            }),
            ("agent", _, _, Some(agent), Some(client), _) => Holder::Agent {
                agent: words::id(&agent)?,
                client: words::id(&client)?,
            },
            ("client_token", .., Some(api_key)) => Holder::ApiKey(api_key),
            ("refresh", .., Some(api_key)) => Holder::Refresh(api_key),
            _ => return Ok(None),
        };
        if let (Holder::Agent { agent, .. }, None) = (&holder, used) {
            self.first_use(token, *agent).await?;
        }
        if matches!(holder, Holder::Person(_)) {
            self.note_use(token, seen.as_deref()).await?;
        }
        Ok(Some(holder))
    }

    async fn note_use(&self, token: &TokenHash, seen: Option<&str>) -> Result<(), VaultError> {
        let now = Timestamp::now();
        let seen = words::parse_optional_time(seen)?;
        if seen.is_some_and(|seen| now.duration_since(seen) < SEEN) {
            return Ok(());
        }
        let mut transaction = self.database.write().await?;
        sqlx::query("UPDATE tokens SET seen = ? WHERE hash = ?")
            .bind(words::time(now))
            .bind(token.as_str())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn first_use(&self, token: &TokenHash, agent: Uuid) -> Result<(), VaultError> {
        let now = words::time(Timestamp::now());
        let mut transaction = self.database.write().await?;
        sqlx::query("UPDATE tokens SET used = ? WHERE hash = ?")
            .bind(&now)
            .bind(token.as_str())
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "UPDATE tokens SET revoked = ? WHERE agent = ? AND hash <> ? AND revoked IS NULL",
        )
        .bind(&now)
        .bind(agent.to_string())
        .bind(token.as_str())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}

async fn find(view: &mut SqliteConnection, token: &TokenHash) -> Result<Option<Found>, VaultError> {
    let found = sqlx::query_as(
        "SELECT t.kind, t.admin, p.email, t.agent, a.client, t.api_key, t.used, t.seen
         FROM tokens t
         LEFT JOIN admins p ON p.id = t.admin
         LEFT JOIN agents a ON a.id = t.agent AND a.revoked IS NULL
         WHERE t.hash = ? AND t.revoked IS NULL AND (t.expires IS NULL OR t.expires > ?)",
    )
    .bind(token.as_str())
    .bind(words::time(Timestamp::now()))
    .fetch_optional(view)
    .await?;
    Ok(found)
}

/// Keeps a token.
pub(super) async fn insert(
    transaction: &mut SqliteConnection,
    token: &NewToken,
) -> Result<(), VaultError> {
    let (kind, admin, agent, api_key) = match &token.holder {
        Holder::Person(person) => ("person", Some(person.id.to_string()), None, None),
        Holder::Agent { agent, .. } => ("agent", None, Some(agent.to_string()), None),
        Holder::ApiKey(key) => ("client_token", None, None, Some(key)),
        Holder::Refresh(key) => ("refresh", None, None, Some(key)),
    };
    sqlx::query(
        "INSERT INTO tokens (hash, kind, admin, agent, api_key, created, expires)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(token.hash.as_str())
    .bind(kind)
    .bind(admin)
    .bind(agent)
    .bind(api_key)
    .bind(words::time(Timestamp::now()))
    .bind(token.expires.map(words::time))
    .execute(transaction)
    .await?;
    Ok(())
}

/// Gives a person's session an id and says where it began.
pub(super) async fn set_origin(
    transaction: &mut SqliteConnection,
    token: &TokenHash,
    origin: &Origin,
) -> Result<(), VaultError> {
    sqlx::query(
        "UPDATE tokens SET id = ?, seen = created, address = ?, program = ? WHERE hash = ?",
    )
    .bind(Uuid::new_v4().to_string())
    .bind(&origin.address)
    .bind(&origin.program)
    .bind(token.as_str())
    .execute(transaction)
    .await?;
    Ok(())
}

/// Ends a token.
pub(super) async fn revoke(
    transaction: &mut SqliteConnection,
    token: &TokenHash,
) -> Result<(), VaultError> {
    sqlx::query("UPDATE tokens SET revoked = ? WHERE hash = ? AND revoked IS NULL")
        .bind(words::time(Timestamp::now()))
        .bind(token.as_str())
        .execute(transaction)
        .await?;
    Ok(())
}
