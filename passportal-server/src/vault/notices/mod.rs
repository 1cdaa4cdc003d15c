//! Notice channels: whom the vault tells of what stands, and what each has been told.

mod check;
mod facts;

use jiff::Timestamp;
use passportal_client::wire::{
    NewNoticeChannel, NewNoticeChannelAnswer, NoticeChannel, NoticeSettings,
};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

pub(crate) use facts::{Fact, News};

use super::person_vault::Place;
use super::server_sealed::notice_channel;
use super::{Act, PersonVault, Vault, VaultError, audit, words};
use crate::server_key::ServerKey;

/// Channels are the organization's.
const ACT: Act = Act::ManageNotices;

const NO_CHANNEL: VaultError = VaultError::NotFound {
    what: "notice channel",
};
const NAME_TAKEN: &str = "another notice channel has this name; choose a different one";

/// The longest text about a failure that is kept.
const FAILURE_LENGTH: usize = 300;

/// A channel with its secret, for sending.
pub(crate) struct OpenChannel {
    pub(crate) channel: NoticeChannel,
    pub(crate) secret: Option<SecretString>,
}

impl Vault {
    /// All channels, for telling them.
    pub(crate) async fn channels_to_tell(&self) -> Result<Vec<NoticeChannel>, VaultError> {
        let mut view = self.database.read().await?;
        all(&mut view).await
    }

    /// One channel with its secret.
    pub(crate) async fn open_notice_channel(&self, id: Uuid) -> Result<OpenChannel, VaultError> {
        let mut view = self.database.read().await?;
        let row = one(&mut view, id).await?;
        open(&row, &self.server_key)
    }

    /// Writes down that a channel could not be reached, in words for a person.
    pub(crate) async fn note_notice_failure(&self, id: Uuid, why: &str) -> Result<(), VaultError> {
        let why: String = why.chars().take(FAILURE_LENGTH).collect();
        let mut transaction = self.database.write().await?;
        sqlx::query("UPDATE notice_channels SET failure = ? WHERE id = ?")
            .bind(why)
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

impl PersonVault<'_> {
    /// All channels, by name.
    pub(crate) async fn notice_channels(&self) -> Result<Vec<NoticeChannel>, VaultError> {
        let mut view = self.read_at(ACT, Place::Organization).await?;
        all(&mut view).await
    }

    /// Adds a channel. The answer holds the signing secret of a webhook, this once.
    pub(crate) async fn add_notice_channel(
        &self,
        new: &NewNoticeChannel,
    ) -> Result<NewNoticeChannelAnswer, VaultError> {
        let checked = check::new_channel(new)?;
        let id = Uuid::new_v4();
        let sealed = match &checked.secret {
            Some(secret) => Some(
                self.server_key()
                    .seal(&notice_channel(&id.to_string()), secret.expose_secret())
                    .ok_or(VaultError::ServerKey)?,
            ),
            None => None,
        };
        let mut transaction = self.write_at(ACT, Place::Organization).await?;
        sqlx::query(
            "INSERT INTO notice_channels (id, name, target, settings, secret_sealed, created)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(id.to_string())
        .bind(&checked.name)
        .bind(words::to_json(&checked.target)?)
        .bind(words::to_json(&new.settings)?)
        .bind(sealed)
        .bind(words::time(Timestamp::now()))
        .execute(&mut *transaction)
        .await
        .map_err(|error| VaultError::unless_unique(error, NAME_TAKEN))?;
        let what = format!("added the notice channel {}", checked.name);
        audit::write(&mut transaction, &self.actor(), &what, &id.to_string()).await?;
        let channel = channel(&one(&mut transaction, id).await?)?;
        transaction.commit().await?;
        let signing_secret = checked.signing_secret();
        Ok(NewNoticeChannelAnswer {
            channel,
            signing_secret,
        })
    }

    /// Changes what a channel is told, and when.
    pub(crate) async fn change_notice_channel(
        &self,
        id: Uuid,
        settings: &NoticeSettings,
    ) -> Result<NoticeChannel, VaultError> {
        check::settings(settings)?;
        let mut transaction = self.write_at(ACT, Place::Organization).await?;
        sqlx::query("UPDATE notice_channels SET settings = ? WHERE id = ?")
            .bind(words::to_json(settings)?)
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        let channel = channel(&one(&mut transaction, id).await?)?;
        let what = format!("changed the notice channel {}", channel.name);
        audit::write(&mut transaction, &self.actor(), &what, &id.to_string()).await?;
        transaction.commit().await?;
        Ok(channel)
    }

    /// Removes a channel.
    pub(crate) async fn remove_notice_channel(&self, id: Uuid) -> Result<(), VaultError> {
        let mut transaction = self.write_at(ACT, Place::Organization).await?;
        let removed: Option<(String,)> =
            sqlx::query_as("DELETE FROM notice_channels WHERE id = ? RETURNING name")
                .bind(id.to_string())
                .fetch_optional(&mut *transaction)
                .await?;
        let (name,) = removed.ok_or(NO_CHANNEL)?;
        let what = format!("removed the notice channel {name}");
        audit::write(&mut transaction, &self.actor(), &what, &id.to_string()).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Opens a channel for a notice that the person wants to see arrive.
    pub(crate) async fn open_for_test(&self, id: Uuid) -> Result<OpenChannel, VaultError> {
        let mut transaction = self.write_at(ACT, Place::Organization).await?;
        let open = open(&one(&mut transaction, id).await?, self.server_key())?;
        let what = format!("tested the notice channel {}", open.channel.name);
        audit::write(&mut transaction, &self.actor(), &what, &id.to_string()).await?;
        transaction.commit().await?;
        Ok(open)
    }
}

async fn all(view: &mut SqliteConnection) -> Result<Vec<NoticeChannel>, VaultError> {
    let rows = sqlx::query("SELECT * FROM notice_channels ORDER BY name COLLATE NOCASE")
        .fetch_all(view)
        .await?;
    rows.iter().map(channel).collect()
}

fn open(row: &SqliteRow, server_key: &ServerKey) -> Result<OpenChannel, VaultError> {
    let channel = channel(row)?;
    let sealed: Option<String> = row.try_get("secret_sealed")?;
    let secret = sealed.map(|sealed| {
        let opened = server_key.open(&notice_channel(&channel.id.to_string()), &sealed);
        opened.ok_or(VaultError::ServerKey)
    });
    Ok(OpenChannel {
        secret: secret.transpose()?,
        channel,
    })
}

async fn one(view: &mut SqliteConnection, id: Uuid) -> Result<SqliteRow, VaultError> {
    sqlx::query("SELECT * FROM notice_channels WHERE id = ?")
        .bind(id.to_string())
        .fetch_optional(view)
        .await?
        .ok_or(NO_CHANNEL)
}

fn channel(row: &SqliteRow) -> Result<NoticeChannel, VaultError> {
    Ok(NoticeChannel {
        id: words::id(row.try_get("id")?)?,
        name: row.try_get("name")?,
        target: words::from_json(row.try_get("target")?)?,
        settings: words::from_json(row.try_get("settings")?)?,
        sent: words::parse_optional_time(row.try_get("sent")?)?,
        failure: row.try_get("failure")?,
    })
}
