//! Agents: enrolment, heartbeat, rotation of the token, revocation.

use jiff::{SignedDuration, Timestamp};
use passportal_client::wire::{
    EnrolRequest, Enrolled, Heartbeat, LeaseAnswer, MicrosoftSync, RotatedToken, SeenAgent,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::condition::{LastWord, condition};
use super::person_vault::{Place, Reach, within};
use super::tokens::{self, Holder, NewToken};
use super::{Act, Actor, PersonVault, Vault, VaultError, audit, clients, lease, plans, words};
use crate::token::{Token, TokenHash};

/// A token that is older should be rotated.
const TOKEN_AGE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The longest host name or version that is kept.
const NAME_LENGTH: usize = 255;

/// An agent as people see it, with its client.
#[derive(Clone, Debug)]
pub(crate) struct Agent {
    pub(crate) client: Uuid,
    pub(crate) client_name: String,
    pub(crate) seen: SeenAgent,
}

impl PersonVault<'_> {
    /// Agents that are not revoked, the one seen last first.
    pub(crate) async fn agents(&self) -> Result<Vec<Agent>, VaultError> {
        let (mut view, reach) = self.read_within(Act::Read).await?;
        all(&mut view, None, &reach, Timestamp::now()).await
    }

    /// Enrols an agent for a client whose Microsoft sync is on.
    pub(crate) async fn enrol(&self, request: &EnrolRequest) -> Result<Enrolled, VaultError> {
        let place = Place::Client(request.client);
        let mut transaction = self.write_at(Act::ManageAgents, place).await?;
        let (settings, _) = clients::settings_and_seq(&mut transaction, request.client).await?;
        if settings.sync == MicrosoftSync::None {
            return Err(VaultError::Refused(format!(
                "Microsoft sync is off for the client {}; switch it on first",
                settings.name
            )));
        }
        let id = Uuid::new_v4();
        insert(&mut transaction, id, request).await?;
        let token = issue(&mut transaction, id, request.client).await?;
        let what = format!(
            "enrolled an agent on {} for {}",
            shortened(&request.host),
            settings.name
        );
        audit::write(&mut transaction, &self.actor(), &what, &id.to_string()).await?;
        let key = clients::wrapped_key(&mut transaction, request.client).await?;
        transaction.commit().await?;
        Ok(Enrolled {
            agent: id,
            token: token.expose().to_owned(),
            client: request.client,
            client_name: settings.name,
            key,
        })
    }

    /// Revokes an agent: its tokens end, its lease is free, and none of its plans waits any more.
    pub(crate) async fn revoke_agent(&self, id: Uuid) -> Result<(), VaultError> {
        let now = Timestamp::now();
        let place = Place::Agent(id);
        let mut transaction = self.write_at(Act::ManageAgents, place).await?;
        let found: Option<(String,)> = sqlx::query_as(
            "UPDATE agents SET revoked = ? WHERE id = ? AND revoked IS NULL RETURNING client",
        )
        .bind(words::time(now))
        .bind(id.to_string())
        .fetch_optional(&mut *transaction)
        .await?;
        let (client,) = found.ok_or(VaultError::NotFound { what: "agent" })?;
        sqlx::query("UPDATE tokens SET revoked = ? WHERE agent = ? AND revoked IS NULL")
            .bind(words::time(now))
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        lease::release(&mut transaction, id, now).await?;
        plans::end_of_agent(&mut transaction, id).await?;
        audit::write(
            &mut transaction,
            &self.actor(),
            "revoked an agent",
            &id.to_string(),
        )
        .await?;
        transaction.commit().await?;
        self.wake(words::id(&client)?);
        Ok(())
    }
}

impl Vault {
    /// Notes that an agent is alive, and decides about the lease.
    pub(crate) async fn heartbeat(
        &self,
        agent: Uuid,
        client: Uuid,
        token: &TokenHash,
        heartbeat: &Heartbeat,
    ) -> Result<LeaseAnswer, VaultError> {
        let now = Timestamp::now();
        let mut transaction = self.database.write().await?;
        let alive = sqlx::query(
            "UPDATE agents SET host = ?, version = ?, state = ?, last_seen = ?, interval_seconds = ?
             WHERE id = ? AND revoked IS NULL",
        )
        .bind(shortened(&heartbeat.host))
        .bind(shortened(&heartbeat.version))
        .bind(words::word(heartbeat.state)?)
        .bind(words::time(now))
        .bind(heartbeat.interval_seconds)
        .bind(agent.to_string())
        .execute(&mut *transaction)
        .await?;
        if alive.rows_affected() == 0 {
            return Err(VaultError::Revoked);
        }
        let lease = lease::ask(&mut transaction, agent, client, heartbeat, now).await?;
        let (created,): (String,) = sqlx::query_as("SELECT created FROM tokens WHERE hash = ?")
            .bind(token.as_str())
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(LeaseAnswer {
            lease,
            rotate_token: words::parse_time(&created)? + TOKEN_AGE < now,
        })
    }

    /// Issues a new token. The old one lives until the new one is first used.
    pub(crate) async fn rotate_token(
        &self,
        agent: Uuid,
        client: Uuid,
    ) -> Result<RotatedToken, VaultError> {
        let mut transaction = self.database.write().await?;
        let token = issue(&mut transaction, agent, client).await?;
        let actor = Actor::agent(agent);
        audit::write(&mut transaction, &actor, "asked for a new token", "").await?;
        transaction.commit().await?;
        Ok(RotatedToken {
            token: token.expose().to_owned(),
        })
    }
}

/// Agents that are not revoked, as they are at `now`, the one seen last first.
pub(super) async fn all(
    view: &mut SqliteConnection,
    client: Option<Uuid>,
    reach: &Reach,
    now: Timestamp,
) -> Result<Vec<Agent>, VaultError> {
    let rows = sqlx::query(concat!(
        "SELECT a.*, c.name AS client_name FROM agents a JOIN clients c ON c.id = a.client
         WHERE a.revoked IS NULL AND (?1 IS NULL OR a.client = ?1) AND ",
        within!("a.client", "?2"),
        " ORDER BY a.last_seen DESC, a.host",
    ))
    .bind(client.map(|id| id.to_string()))
    .bind(reach.bound())
    .fetch_all(view)
    .await?;
    rows.iter().map(|row| agent(row, now)).collect()
}

async fn insert(
    transaction: &mut SqliteConnection,
    id: Uuid,
    request: &EnrolRequest,
) -> Result<(), VaultError> {
    sqlx::query("INSERT INTO agents (id, client, host, version, enrolled) VALUES (?, ?, ?, ?, ?)")
        .bind(id.to_string())
        .bind(request.client.to_string())
        .bind(shortened(&request.host))
        .bind(shortened(&request.version))
        .bind(words::time(Timestamp::now()))
        .execute(transaction)
        .await?;
    Ok(())
}

async fn issue(
    transaction: &mut SqliteConnection,
    agent: Uuid,
    client: Uuid,
) -> Result<Token, VaultError> {
    let token = Token::generate();
    let row = NewToken {
        hash: token.hash(),
        holder: Holder::Agent { agent, client },
        expires: None,
    };
    tokens::insert(transaction, &row).await?;
    Ok(token)
}

/// What an agent says of itself is only shown, so a long text is cut and not refused.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(NAME_LENGTH).collect()
}

/// The host name of an agent.
pub(super) async fn host(view: &mut SqliteConnection, agent: Uuid) -> Result<String, VaultError> {
    let (host,): (String,) = sqlx::query_as("SELECT host FROM agents WHERE id = ?")
        .bind(agent.to_string())
        .fetch_optional(view)
        .await?
        .ok_or(VaultError::NotFound { what: "agent" })?;
    Ok(host)
}

fn agent(row: &SqliteRow, now: Timestamp) -> Result<Agent, VaultError> {
    let last_word = last_word(row)?;
    Ok(Agent {
        client: words::id(row.try_get("client")?)?,
        client_name: row.try_get("client_name")?,
        seen: SeenAgent {
            id: words::id(row.try_get("id")?)?,
            host: row.try_get("host")?,
            version: row.try_get("version")?,
            condition: condition(last_word, now),
            last_seen: last_word.map(|word| word.at),
        },
    })
}

fn last_word(row: &SqliteRow) -> Result<Option<LastWord>, VaultError> {
    let state = words::optional_value(row.try_get("state")?)?;
    let at = words::parse_optional_time(row.try_get("last_seen")?)?;
    let interval: Option<u32> = row.try_get("interval_seconds")?;
    let word = state.zip(at).map(|(state, at)| LastWord {
        state,
        at,
        interval: interval.map(|it| SignedDuration::from_secs(it.into())),
    });
    Ok(word)
}
