//! The organization's people: what each may do and where, and changes of it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use passportal_client::wire::{Authority, ClientAccess, PersonPatch, PersonRecord, Role, Standing};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::person_vault::{Member, Place, Reach};
use super::rights::Rights;
use super::{
    Act, Person, PersonVault, Vault, VaultError, account, audit, invitations, touched, words,
};

impl Vault {
    /// Who somebody is at this moment; `None` where they are disabled.
    pub(crate) async fn member(&self, person: Uuid) -> Result<Option<Member>, VaultError> {
        let mut view = self.database.read().await?;
        find(&mut view, person).await
    }
}

/// Who somebody is in this view; `None` where they are disabled.
pub(super) async fn find(
    view: &mut SqliteConnection,
    person: Uuid,
) -> Result<Option<Member>, VaultError> {
    let found: Option<(String, String, String, bool, i64)> = sqlx::query_as(
        "SELECT email, role, access, set_up_sync, generation FROM admins
         WHERE id = ? AND disabled IS NULL",
    )
    .bind(person.to_string())
    .fetch_optional(view)
    .await?;
    let Some((email, role, access, set_up_sync, generation)) = found else {
        return Ok(None);
    };
    let role: Role = words::value(&role)?;
    Ok(Some(Member {
        person: Person { id: person, email },
        rights: Rights { role, set_up_sync },
        reach: Reach::new(person, role, &access),
        generation,
    }))
}

impl PersonVault<'_> {
    /// Everybody who has an account, by e-mail address.
    pub(crate) async fn people(&self) -> Result<Vec<PersonRecord>, VaultError> {
        let place = Place::Organization;
        let mut view = self.read_at(Act::ManagePeople, place).await?;
        let rows = sqlx::query("SELECT * FROM admins ORDER BY email")
            .fetch_all(&mut *view)
            .await?;
        let mut people = Vec::new();
        for row in rows {
            people.push(record(&mut view, &row).await?);
        }
        Ok(people)
    }

    /// One of them.
    pub(crate) async fn person(&self, id: Uuid) -> Result<PersonRecord, VaultError> {
        let place = Place::Organization;
        let mut view = self.read_at(Act::ManagePeople, place).await?;
        one(&mut view, id).await
    }

    /// Changes what somebody may do; what is absent stays. It holds from their next request on.
    pub(crate) async fn change_person(
        &self,
        id: Uuid,
        patch: &PersonPatch,
    ) -> Result<PersonRecord, VaultError> {
        let place = Place::Organization;
        let mut transaction = self.write_at(Act::ManagePeople, place).await?;
        let before = one(&mut transaction, id).await?;
        store(&mut transaction, &before, patch).await?;
        require_an_admin(&mut transaction).await?;
        let after = one(&mut transaction, id).await?;
        let is_disabled = after.standing == Standing::Disabled;
        if is_disabled || after.authority.role != Role::OrganizationAdmin {
            let made = invitations::Which::By(&after.email);
            invitations::end(&mut transaction, made).await?;
        }
        if is_disabled && before.standing == Standing::Active {
            account::end_sessions(&mut transaction, id, None).await?;
            touched::flag_what_was_shown(&mut transaction, &after.email).await?;
        }
        let what = said(&before, patch);
        audit::write(&mut transaction, &self.actor(), &what, &id.to_string()).await?;
        transaction.commit().await?;
        Ok(after)
    }
}

async fn one(view: &mut SqliteConnection, id: Uuid) -> Result<PersonRecord, VaultError> {
    let row = sqlx::query("SELECT * FROM admins WHERE id = ?")
        .bind(id.to_string())
        .fetch_optional(&mut *view)
        .await?;
    let row = row.ok_or(VaultError::NotFound { what: "person" })?;
    record(view, &row).await
}

async fn record(view: &mut SqliteConnection, row: &SqliteRow) -> Result<PersonRecord, VaultError> {
    let id = words::id(row.try_get("id")?)?;
    let access = match row.try_get("access")? {
        "all" => ClientAccess::All,
        _ => ClientAccess::Assigned(assigned(view, id).await?),
    };
    let disabled: Option<&str> = row.try_get("disabled")?;
    Ok(PersonRecord {
        id,
        email: row.try_get("email")?,
        authority: Authority {
            role: words::value(row.try_get("role")?)?,
            access,
            set_up_sync: row.try_get("set_up_sync")?,
        },
        standing: match disabled {
            Some(_) => Standing::Disabled,
            None => Standing::Active,
        },
    })
}

async fn assigned(view: &mut SqliteConnection, person: Uuid) -> Result<BTreeSet<Uuid>, VaultError> {
    let rows: Vec<(String,)> =
        sqlx::query_as("SELECT client FROM assigned_clients WHERE person = ?")
            .bind(person.to_string())
            .fetch_all(view)
            .await?;
    rows.iter().map(|(client,)| words::id(client)).collect()
}

async fn store(
    transaction: &mut SqliteConnection,
    before: &PersonRecord,
    patch: &PersonPatch,
) -> Result<(), VaultError> {
    let authority = Authority {
        role: patch.role.unwrap_or(before.authority.role),
        access: patch
            .access
            .clone()
            .unwrap_or(before.authority.access.clone()),
        set_up_sync: patch.set_up_sync.unwrap_or(before.authority.set_up_sync),
    };
    store_authority(transaction, before.id, &authority).await?;
    let Some(standing) = patch.standing.filter(|it| *it != before.standing) else {
        return Ok(());
    };
    let disabled = (standing == Standing::Disabled).then(|| words::time(Timestamp::now()));
    sqlx::query("UPDATE admins SET disabled = ? WHERE id = ?")
        .bind(disabled)
        .bind(before.id.to_string())
        .execute(transaction)
        .await?;
    Ok(())
}

/// Stores what somebody may do, and where.
pub(super) async fn store_authority(
    transaction: &mut SqliteConnection,
    person: Uuid,
    authority: &Authority,
) -> Result<(), VaultError> {
    require_clients(transaction, &authority.access).await?;
    let (access, clients) = match &authority.access {
        ClientAccess::All => ("all", &BTreeSet::new()),
        ClientAccess::Assigned(clients) => ("assigned", clients),
    };
    sqlx::query("UPDATE admins SET role = ?, access = ?, set_up_sync = ? WHERE id = ?")
        .bind(authority.role.name())
        .bind(access)
        .bind(authority.set_up_sync)
        .bind(person.to_string())
        .execute(&mut *transaction)
        .await?;
    sqlx::query("DELETE FROM assigned_clients WHERE person = ?")
        .bind(person.to_string())
        .execute(&mut *transaction)
        .await?;
    for client in clients {
        assign(transaction, person, *client).await?;
    }
    Ok(())
}

/// Refuses access to a client that does not exist.
pub(super) async fn require_clients(
    view: &mut SqliteConnection,
    access: &ClientAccess,
) -> Result<(), VaultError> {
    let ClientAccess::Assigned(clients) = access else {
        return Ok(());
    };
    let (known,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM clients WHERE id IN (SELECT value FROM json_each(?))")
            .bind(words::to_json(clients)?)
            .fetch_one(view)
            .await?;
    if usize::try_from(known).ok() == Some(clients.len()) {
        return Ok(());
    }
    Err(VaultError::refused(
        "one of the assigned clients does not exist",
    ))
}

/// Gives a person access to a client.
pub(super) async fn assign(
    transaction: &mut SqliteConnection,
    person: Uuid,
    client: Uuid,
) -> Result<(), VaultError> {
    sqlx::query("INSERT INTO assigned_clients (person, client) VALUES (?, ?)")
        .bind(person.to_string())
        .bind(client.to_string())
        .execute(transaction)
        .await?;
    Ok(())
}

/// Without one nobody could ever change anybody again.
async fn require_an_admin(transaction: &mut SqliteConnection) -> Result<(), VaultError> {
    let (count,): (i64,) = sqlx::query_as(
        "SELECT COUNT(*) FROM admins WHERE role = 'organization_admin' AND disabled IS NULL",
    )
    .fetch_one(transaction)
    .await?;
    if count == 0 {
        return Err(VaultError::refused(
            "this is the last active Organization Admin; make somebody else one first",
        ));
    }
    Ok(())
}

fn said(before: &PersonRecord, patch: &PersonPatch) -> String {
    let mut parts = Vec::new();
    if let Some(role) = patch.role {
        parts.push(format!("set the role to {}", role.label()));
    }
    if let Some(access) = &patch.access {
        parts.push(format!("set the access to {}", clients(access)));
    }
    if let Some(set_up_sync) = patch.set_up_sync {
        let what = if set_up_sync { "gave" } else { "took away" };
        parts.push(format!("{what} the permission \"Set up sync\""));
    }
    match patch.standing {
        Some(Standing::Active) => parts.push("enabled the account".to_owned()),
        Some(Standing::Disabled) => parts.push("disabled the account".to_owned()),
        None => {}
    }
    if parts.is_empty() {
        parts.push("nothing".to_owned());
    }
    format!("changed the person {}: {}", before.email, parts.join(", "))
}

/// Which clients, for a person.
pub(super) fn clients(access: &ClientAccess) -> String {
    match access {
        ClientAccess::All => "all clients".to_owned(),
        ClientAccess::Assigned(clients) => {
            let ids: Vec<String> = clients.iter().map(Uuid::to_string).collect();
            format!("the clients [{}]", ids.join(", "))
        }
    }
}
