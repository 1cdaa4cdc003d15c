//! Clients: their settings, their counts and their wrapped data keys.

use std::collections::BTreeMap;

use jiff::Timestamp;
use passportal_client::wire::{
    Client, ClientPatch, ClientSettings, DocumentsClient, MicrosoftSync, Mute, NewClient, SyncMode,
    WrappedKey,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::person_vault::{Place, Reach, within};
use super::{
    Act, PersonVault, Vault, VaultError, agents, audit, flags, members, next_seq, plans, take_seqs,
    words,
};

const NAME_TAKEN: &str = "another client has this name; choose a different one";

/// The longest name of a client.
const NAME_LENGTH: usize = 200;

/// A client's row to be made.
pub(crate) struct NewClientRow<'a> {
    pub(crate) id: Uuid,
    pub(crate) name: &'a str,
    pub(crate) company_vault: CompanyVault,
    pub(crate) sync: MicrosoftSync,
    pub(crate) default_mode: SyncMode,
    pub(crate) key: &'a WrappedKey,
}

/// Whether a client is the organization's own vault.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum CompanyVault {
    Yes,
    No,
}

impl Vault {
    /// The company vault, whose key proves an organization key.
    pub(crate) async fn company_vault(&self) -> Result<Client, VaultError> {
        let mut view = self.database.read().await?;
        let (id,): (String,) = sqlx::query_as("SELECT id FROM clients WHERE company_vault = 1")
            .fetch_optional(&mut *view)
            .await?
            .ok_or(VaultError::NotFound {
                what: "company vault",
            })?;
        one(&mut view, words::id(&id)?).await
    }

    /// One page of clients by name, for the documented API.
    pub(crate) async fn client_page(
        &self,
        per_page: u32,
        page: u32,
    ) -> Result<Vec<DocumentsClient>, VaultError> {
        let mut view = self.database.read().await?;
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT id, name FROM clients ORDER BY name COLLATE NOCASE, id LIMIT ? OFFSET ?",
        )
        .bind(i64::from(per_page))
        .bind(i64::from(per_page) * i64::from(page.saturating_sub(1)))
        .fetch_all(&mut *view)
        .await?;
        rows.into_iter()
            .map(|(id, name)| {
                let id = words::id(&id)?;
                Ok(DocumentsClient { id, name })
            })
            .collect()
    }
}

impl PersonVault<'_> {
    /// The clients that the person has access to, the company vault first, then by name.
    pub(crate) async fn clients(&self) -> Result<Vec<Client>, VaultError> {
        self.clients_for(Act::Read).await
    }

    /// The same clients, for somebody who may do this with them.
    pub(crate) async fn clients_for(&self, act: Act) -> Result<Vec<Client>, VaultError> {
        let (mut view, reach) = self.read_within(act).await?;
        select(&mut view, None, &reach).await
    }

    /// One client.
    pub(crate) async fn client(&self, id: Uuid) -> Result<Client, VaultError> {
        self.client_for(Act::Read, id).await
    }

    /// One client, for somebody who may do this with it.
    pub(crate) async fn client_for(&self, act: Act, id: Uuid) -> Result<Client, VaultError> {
        let mut view = self.read_at(act, Place::Client(id)).await?;
        one(&mut view, id).await
    }

    /// Adds a client. Who has access to some clients only gets it assigned.
    pub(crate) async fn create_client(&self, new: &NewClient) -> Result<Client, VaultError> {
        let place = Place::Organization;
        let mut transaction = self.write_at(Act::CreateClients, place).await?;
        if new.sync != MicrosoftSync::None {
            self.require(&mut transaction, Act::SetUpSync, place)
                .await?;
        }
        let name = checked_name(&new.name)?;
        check_key(&mut transaction, new).await?;
        let row = NewClientRow {
            id: new.id,
            name,
            company_vault: CompanyVault::No,
            sync: new.sync,
            default_mode: new.default_mode,
            key: &new.key,
        };
        insert(&mut transaction, &row).await?;
        if let Reach::Assigned(person) = self.now(&mut transaction).await?.reach {
            members::assign(&mut transaction, person, new.id).await?;
        }
        let what = format!("created the client {name}");
        audit::write(&mut transaction, &self.actor(), &what, &new.id.to_string()).await?;
        transaction.commit().await?;
        self.client(new.id).await
    }

    /// Changes a client's settings; what is absent stays.
    pub(crate) async fn change_client(
        &self,
        id: Uuid,
        patch: &ClientPatch,
    ) -> Result<Client, VaultError> {
        let place = Place::Client(id);
        let mut transaction = self.write_at(Act::Read, place).await?;
        for act in acts(patch) {
            self.require(&mut transaction, act, place).await?;
        }
        let name = patch.name.as_deref().map(checked_name).transpose()?;
        let seq = next_seq(&mut transaction).await?;
        let changed = sqlx::query(
            "UPDATE clients SET name = COALESCE(?, name), sync = COALESCE(?, sync),
                 default_mode = COALESCE(?, default_mode), mute = COALESCE(?, mute), seq = ?
             WHERE id = ?",
        )
        .bind(name)
        .bind(words::optional_word(patch.sync)?)
        .bind(words::optional_word(patch.default_mode)?)
        .bind(words::optional_word(patch.mute)?)
        .bind(seq)
        .bind(id.to_string())
        .execute(&mut *transaction)
        .await
        .map_err(|error| VaultError::unless_unique(error, NAME_TAKEN))?;
        if changed.rows_affected() == 0 {
            return Err(VaultError::NotFound { what: "client" });
        }
        if patch.default_mode.is_some() {
            touch_inheriting(&mut transaction, id).await?;
        }
        audit::write(
            &mut transaction,
            &self.actor(),
            &said(patch)?,
            &id.to_string(),
        )
        .await?;
        transaction.commit().await?;
        self.wake(id);
        self.client(id).await
    }
}

/// What a change takes.
fn acts(patch: &ClientPatch) -> Vec<Act> {
    let sync = patch.sync.is_some() || patch.default_mode.is_some() || patch.mute.is_some();
    let name = patch.name.is_some() || !sync;
    let acts = [(name, Act::EditClients), (sync, Act::SetUpSync)];
    let acts = acts.into_iter().filter(|(is_so, _)| *is_so);
    acts.map(|(_, act)| act).collect()
}

async fn one(view: &mut SqliteConnection, id: Uuid) -> Result<Client, VaultError> {
    let found = select(view, Some(id), &Reach::All).await?.pop();
    found.ok_or(VaultError::NotFound { what: "client" })
}

/// One client, or all of them: the company vault first, then by name.
async fn select(
    view: &mut SqliteConnection,
    only: Option<Uuid>,
    reach: &Reach,
) -> Result<Vec<Client>, VaultError> {
    let id = only.map(|id| id.to_string());
    let rows = sqlx::query(concat!(
        "SELECT c.*, (SELECT COUNT(*) FROM credentials p
                      WHERE p.client = c.id AND p.standing = 'active') AS credentials
         FROM clients c WHERE (?1 IS NULL OR c.id = ?1) AND ",
        within!("c.id", "?2"),
        " ORDER BY c.company_vault DESC, c.name COLLATE NOCASE",
    ))
    .bind(&id)
    .bind(reach.bound())
    .fetch_all(&mut *view)
    .await?;
    let mut flags = flags::counts(view, only).await?;
    let waiting = plans::waiting_writes(view).await?;
    let agents = agents::all(view, only, reach, Timestamp::now()).await?;
    rows.iter()
        .map(|row| {
            let mut client = client(row)?;
            client.flags = flags.remove(&client.id).unwrap_or_default();
            client.waiting_writes = waiting.get(&client.id).copied().unwrap_or_default();
            let of_it = agents.iter().filter(|agent| agent.client == client.id);
            client.agents = of_it.map(|agent| agent.seen.clone()).collect();
            Ok(client)
        })
        .collect()
}

/// Marks a client as changed, so that its agent hears of it.
pub(super) async fn touch(transaction: &mut SqliteConnection, id: Uuid) -> Result<(), VaultError> {
    let seq = next_seq(transaction).await?;
    sqlx::query("UPDATE clients SET seq = ? WHERE id = ?")
        .bind(seq)
        .bind(id.to_string())
        .execute(transaction)
        .await?;
    Ok(())
}

/// Credentials without a mode of their own change with their client's default mode.
async fn touch_inheriting(
    transaction: &mut SqliteConnection,
    client: Uuid,
) -> Result<(), VaultError> {
    let client = client.to_string();
    let (count,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM credentials WHERE client = ? AND own_mode IS NULL")
            .bind(&client)
            .fetch_one(&mut *transaction)
            .await?;
    let before = take_seqs(transaction, count).await?;
    sqlx::query(
        "UPDATE credentials SET seq = ? + ranked.place
         FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS place
               FROM credentials WHERE client = ? AND own_mode IS NULL) AS ranked
         WHERE ranked.id = credentials.id",
    )
    .bind(before)
    .bind(&client)
    .execute(transaction)
    .await?;
    Ok(())
}

fn said(patch: &ClientPatch) -> Result<String, VaultError> {
    let mut parts = Vec::new();
    if let Some(name) = &patch.name {
        parts.push(format!("renamed a client to {name}"));
    }
    if let Some(sync) = patch.sync {
        parts.push(format!("set Microsoft sync to {}", words::word(sync)?));
    }
    if let Some(mode) = patch.default_mode {
        parts.push(format!("set the default mode to {}", words::word(mode)?));
    }
    if let Some(mute) = patch.mute {
        parts.push(format!("set mute to {}", words::word(mute)?));
    }
    if parts.is_empty() {
        parts.push("changed nothing of a client".to_owned());
    }
    Ok(parts.join(", "))
}

fn checked_name(name: &str) -> Result<&str, VaultError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_LENGTH || name.contains(char::is_control) {
        return Err(VaultError::Refused(format!(
            "a client's name has between 1 and {NAME_LENGTH} characters on one line"
        )));
    }
    Ok(name)
}

/// Adds a client's row.
pub(crate) async fn insert(
    transaction: &mut SqliteConnection,
    row: &NewClientRow<'_>,
) -> Result<(), VaultError> {
    let seq = next_seq(transaction).await?;
    sqlx::query(
        "INSERT INTO clients
             (id, name, company_vault, sync, default_mode, mute, wrapped_key, created, seq)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(row.id.to_string())
    .bind(row.name)
    .bind(i64::from(row.company_vault == CompanyVault::Yes))
    .bind(words::word(row.sync)?)
    .bind(words::word(row.default_mode)?)
    .bind(words::word(Mute::Unmuted)?)
    .bind(words::to_json(row.key)?)
    .bind(words::time(Timestamp::now()))
    .bind(seq)
    .execute(transaction)
    .await
    .map_err(|error| VaultError::unless_unique(error, NAME_TAKEN))?;
    Ok(())
}

fn client(row: &SqliteRow) -> Result<Client, VaultError> {
    let credentials: i64 = row.try_get("credentials")?;
    let settings = settings(row)?;
    Ok(Client {
        id: settings.id,
        name: settings.name,
        company_vault: row.try_get::<i64, _>("company_vault")? == 1,
        sync: settings.sync,
        default_mode: words::value(row.try_get("default_mode")?)?,
        mute: settings.mute,
        credentials: words::count(credentials)?,
        flags: BTreeMap::new(),
        waiting_writes: 0,
        agents: Vec::new(),
        key: words::from_json(row.try_get("wrapped_key")?)?,
    })
}

fn settings(row: &SqliteRow) -> Result<ClientSettings, VaultError> {
    let key: WrappedKey = words::from_json(row.try_get("wrapped_key")?)?;
    Ok(ClientSettings {
        id: words::id(row.try_get("id")?)?,
        name: row.try_get("name")?,
        sync: words::value(row.try_get("sync")?)?,
        mute: words::value(row.try_get("mute")?)?,
        key_id: Some(key.key_id),
    })
}

/// A client's settings and the number of its last change.
pub(super) async fn settings_and_seq(
    view: &mut SqliteConnection,
    id: Uuid,
) -> Result<(ClientSettings, i64), VaultError> {
    let row = sqlx::query("SELECT * FROM clients WHERE id = ?")
        .bind(id.to_string())
        .fetch_optional(view)
        .await?
        .ok_or(VaultError::NotFound { what: "client" })?;
    Ok((settings(&row)?, row.try_get("seq")?))
}

async fn check_key(view: &mut SqliteConnection, new: &NewClient) -> Result<(), VaultError> {
    if new.key.client != new.id {
        return Err(VaultError::refused(
            "the data key is wrapped for another client",
        ));
    }
    if new.key.parameters != super::key_parameters(view).await? {
        return Err(VaultError::refused(
            "the data key is wrapped for another organization or with other key parameters",
        ));
    }
    Ok(())
}

/// A client's wrapped data key.
pub(super) async fn wrapped_key(
    view: &mut SqliteConnection,
    id: Uuid,
) -> Result<WrappedKey, VaultError> {
    let (key,): (String,) = sqlx::query_as("SELECT wrapped_key FROM clients WHERE id = ?")
        .bind(id.to_string())
        .fetch_optional(view)
        .await?
        .ok_or(VaultError::NotFound { what: "client" })?;
    words::from_json(&key)
}
