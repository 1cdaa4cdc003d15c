//! Invitations: a link that makes an account, once, within seven days.

use jiff::{SignedDuration, Timestamp};
use passportal_client::wire::{Authority, Invitation, NewInvitation};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::person_vault::Place;
use super::{Act, Actor, PersonVault, Vault, VaultError, audit, members, people, words};
use crate::token::{Token, TokenHash};

/// How long a link lasts.
const LASTS: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The longest e-mail address.
const EMAIL_LENGTH: usize = 254;

impl PersonVault<'_> {
    /// Invites somebody. An earlier invitation of theirs ends. The token is the link's, and shown this once.
    pub(crate) async fn invite(
        &self,
        new: &NewInvitation,
    ) -> Result<(Invitation, Token), VaultError> {
        let place = Place::Organization;
        let mut transaction = self.write_at(Act::ManagePeople, place).await?;
        let email = checked_email(&new.email)?;
        refuse_known(&mut transaction, email).await?;
        let token = Token::generate();
        let invitation = Invitation {
            id: Uuid::new_v4(),
            email: email.to_owned(),
            authority: new.authority.clone(),
            invited_by: self.actor().as_str().to_owned(),
            expires: Timestamp::now() + LASTS,
        };
        members::require_clients(&mut transaction, &new.authority.access).await?;
        end(&mut transaction, Which::For(email)).await?;
        insert(&mut transaction, &invitation, &token.hash()).await?;
        let what = format!(
            "invited {email} as {} for {}",
            new.authority.role.label(),
            members::clients(&new.authority.access)
        );
        let subject = invitation.id.to_string();
        audit::write(&mut transaction, &self.actor(), &what, &subject).await?;
        transaction.commit().await?;
        Ok((invitation, token))
    }

    /// Invitations that wait, the one that ends first first.
    pub(crate) async fn invitations(&self) -> Result<Vec<Invitation>, VaultError> {
        let place = Place::Organization;
        let mut view = self.read_at(Act::ManagePeople, place).await?;
        let rows = sqlx::query(
            "SELECT * FROM invitations WHERE ended IS NULL AND expires > ? ORDER BY expires, id",
        )
        .bind(words::time(Timestamp::now()))
        .fetch_all(&mut *view)
        .await?;
        rows.iter().map(invitation).collect()
    }

    /// Withdraws an invitation: its link is worth nothing from now on.
    pub(crate) async fn withdraw_invitation(&self, id: Uuid) -> Result<(), VaultError> {
        let place = Place::Organization;
        let mut transaction = self.write_at(Act::ManagePeople, place).await?;
        let subject = id.to_string();
        if end(&mut transaction, Which::One(id)).await? == 0 {
            return Err(VaultError::NotFound { what: "invitation" });
        }
        let what = "withdrew an invitation";
        audit::write(&mut transaction, &self.actor(), what, &subject).await?;
        transaction.commit().await?;
        Ok(())
    }
}

impl Vault {
    /// The invitation that a link is for; `None` when it is over, or was never made.
    pub(crate) async fn invitation(
        &self,
        token: &TokenHash,
    ) -> Result<Option<Invitation>, VaultError> {
        let mut view = self.database.read().await?;
        find(&mut view, token).await
    }

    /// Makes the account that an invitation promises.
    pub(crate) async fn accept_invitation(
        &self,
        token: &TokenHash,
        password_hash: &str,
    ) -> Result<(), VaultError> {
        let mut transaction = self.database.write().await?;
        let found = find(&mut transaction, token).await?;
        let invitation = found.ok_or(VaultError::NotFound { what: "invitation" })?;
        let subject = invitation.id.to_string();
        end(&mut transaction, Which::One(invitation.id)).await?;
        refuse_known(&mut transaction, &invitation.email).await?;
        let id = people::insert(&mut transaction, &invitation.email, password_hash).await?;
        members::store_authority(&mut transaction, id, &invitation.authority).await?;
        let actor = Actor::person(&invitation.email);
        let what = format!("accepted the invitation of {}", invitation.invited_by);
        audit::write(&mut transaction, &actor, &what, &subject).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Which invitations end.
pub(super) enum Which<'a> {
    One(Uuid),
    /// Those for this e-mail address.
    For(&'a str),
    /// Those that this person made.
    By(&'a str),
}

/// Ends invitations; says how many waited.
pub(super) async fn end(
    transaction: &mut SqliteConnection,
    which: Which<'_>,
) -> Result<u64, VaultError> {
    let (sql, value) = match which {
        Which::One(id) => (
            "UPDATE invitations SET ended = ? WHERE ended IS NULL AND id = ?",
            id.to_string(),
        ),
        Which::For(email) => (
            "UPDATE invitations SET ended = ? WHERE ended IS NULL AND email = ?",
            email.to_owned(),
        ),
        Which::By(email) => (
            "UPDATE invitations SET ended = ? WHERE ended IS NULL AND invited_by = ?",
            email.to_owned(),
        ),
    };
    let ended = sqlx::query(sql)
        .bind(words::time(Timestamp::now()))
        .bind(value)
        .execute(transaction)
        .await?;
    Ok(ended.rows_affected())
}

/// Ends every invitation.
pub(super) async fn end_all(transaction: &mut SqliteConnection) -> Result<(), VaultError> {
    sqlx::query("UPDATE invitations SET ended = ? WHERE ended IS NULL")
        .bind(words::time(Timestamp::now()))
        .execute(transaction)
        .await?;
    Ok(())
}

fn checked_email(email: &str) -> Result<&str, VaultError> {
    let email = email.trim();
    let parts = email.split_once('@');
    let is_whole = parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    if !is_whole
        || email.contains(|it: char| it.is_whitespace() || it.is_control())
        || email.len() > EMAIL_LENGTH
    {
        return Err(VaultError::refused("an invitation needs an e-mail address"));
    }
    Ok(email)
}

async fn refuse_known(view: &mut SqliteConnection, email: &str) -> Result<(), VaultError> {
    let found: Option<(i64,)> = sqlx::query_as("SELECT 1 FROM admins WHERE email = ?")
        .bind(email)
        .fetch_optional(view)
        .await?;
    match found {
        None => Ok(()),
        Some(_) => Err(VaultError::Refused(format!(
            "{email} has an account already; change or enable that one"
        ))),
    }
}

async fn insert(
    transaction: &mut SqliteConnection,
    invitation: &Invitation,
    token: &TokenHash,
) -> Result<(), VaultError> {
    sqlx::query(
        "INSERT INTO invitations (id, hash, email, authority, invited_by, created, expires)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(invitation.id.to_string())
    .bind(token.as_str())
    .bind(&invitation.email)
    .bind(words::to_json(&invitation.authority)?)
    .bind(&invitation.invited_by)
    .bind(words::time(Timestamp::now()))
    .bind(words::time(invitation.expires))
    .execute(transaction)
    .await?;
    Ok(())
}

async fn find(
    view: &mut SqliteConnection,
    token: &TokenHash,
) -> Result<Option<Invitation>, VaultError> {
    let row =
        sqlx::query("SELECT * FROM invitations WHERE hash = ? AND ended IS NULL AND expires > ?")
            .bind(token.as_str())
            .bind(words::time(Timestamp::now()))
            .fetch_optional(view)
            .await?;
    row.as_ref().map(invitation).transpose()
}

fn invitation(row: &SqliteRow) -> Result<Invitation, VaultError> {
    let authority: Authority = words::from_json(row.try_get("authority")?)?;
    Ok(Invitation {
        id: words::id(row.try_get("id")?)?,
        email: row.try_get("email")?,
        authority,
        invited_by: row.try_get("invited_by")?,
        expires: words::parse_time(row.try_get("expires")?)?,
    })
}
