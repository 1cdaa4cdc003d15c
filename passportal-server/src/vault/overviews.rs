//! Reports for people, each a table.

use jiff::{SignedDuration, Timestamp};
use passportal_client::wire::{Overview, OverviewKind, OverviewQuery};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::person_vault::{Place, Reach, within};
use super::{Act, PersonVault, VaultError, clients, words};

/// The span of a report unless the caller says otherwise.
const SPAN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Days without a change unless the caller says otherwise, and at the most.
const DAYS: u32 = 90;
const DAYS_MOST: u32 = 36_500;

/// One more than is shown, to tell that there are more.
const LIMIT: usize = Overview::MOST + 1;

/// A table under construction.
struct Table {
    about: String,
    columns: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

/// What a report looks at.
struct Scope<'a> {
    query: &'a OverviewQuery,
    reach: Reach,
    /// Also what concerns no client.
    whole: bool,
    now: Timestamp,
}

impl PersonVault<'_> {
    /// Makes a report.
    pub(crate) async fn overview(
        &self,
        report: OverviewKind,
        query: &OverviewQuery,
    ) -> Result<Overview, VaultError> {
        let made = Timestamp::now();
        let (mut view, reach) = self.read_within(Act::MakeReports).await?;
        let client = match query.client {
            Some(id) => {
                let place = Place::Client(id);
                self.require(&mut view, Act::MakeReports, place).await?;
                Some(clients::settings_and_seq(&mut view, id).await?.0.name)
            }
            None => None,
        };
        let scope = Scope {
            query,
            reach,
            whole: self.now(&mut view).await?.rights.allow(Act::ReadAudit),
            now: made,
        };
        let mut table = match report {
            OverviewKind::Mismatches => mismatches(&mut view, &scope).await?,
            OverviewKind::UnchangedPasswords => unchanged(&mut view, &scope).await?,
            OverviewKind::Changes => lines(&mut view, &scope, Which::Changes).await?,
            OverviewKind::SignIns => {
                let place = Place::Organization;
                self.require(&mut view, Act::ReadAudit, place).await?;
                lines(&mut view, &scope, Which::SignIns).await?
            }
            OverviewKind::ClientAudit if client.is_none() => {
                return Err(VaultError::refused("the client audit log needs a client"));
            }
            OverviewKind::ClientAudit => lines(&mut view, &scope, Which::All).await?,
        };
        let cut_off = table.rows.len() > Overview::MOST;
        table.rows.truncate(Overview::MOST);
        let of = client.unwrap_or_else(|| "Every client".to_owned());
        Ok(Overview {
            report,
            made,
            about: format!("{of}, {}", table.about),
            columns: table.columns.iter().map(ToString::to_string).collect(),
            rows: table.rows,
            cut_off,
        })
    }
}

async fn mismatches(view: &mut SqliteConnection, scope: &Scope<'_>) -> Result<Table, VaultError> {
    let found = sqlx::query(concat!(
        "SELECT c.name, p.user_name, p.credential_type, f.raised, f.why, f.until FROM (
             SELECT credential, raised, why, NULL AS until FROM flags WHERE kind = 'ad_change'
             UNION ALL
             SELECT credential, raised, why, until FROM flag_snoozes WHERE kind = 'ad_change') f
         JOIN credentials p ON p.id = f.credential JOIN clients c ON c.id = p.client
         WHERE (?1 IS NULL OR p.client = ?1) AND ",
        within!("p.client", "?3"),
        " ORDER BY c.name COLLATE NOCASE, p.user_name COLLATE NOCASE LIMIT ?2",
    ))
    .bind(scope.query.client.map(|id| id.to_string()))
    .bind(limit())
    .bind(scope.reach.bound())
    .fetch_all(view)
    .await?;
    Ok(Table {
        about: "as it is now".to_owned(),
        columns: &[
            "Client",
            "User name",
            "Type",
            "Since",
            "Why",
            "Snoozed until",
        ],
        rows: rows(&found)?,
    })
}

async fn unchanged(view: &mut SqliteConnection, scope: &Scope<'_>) -> Result<Table, VaultError> {
    let days = scope.query.days.unwrap_or(DAYS);
    if days > DAYS_MOST {
        return Err(VaultError::Refused(format!(
            "at most {DAYS_MOST} days can be looked back"
        )));
    }
    let before = scope.now - SignedDuration::from_hours(i64::from(days) * 24);
    let found = sqlx::query(concat!(
        "SELECT c.name, p.user_name, p.credential_type, p.changed,
             CAST(julianday(?3) - julianday(p.changed) AS INTEGER) || '' AS days, p.changed_by
         FROM credentials p JOIN clients c ON c.id = p.client
         WHERE p.standing = 'active' AND p.changed < ?2 AND (?1 IS NULL OR p.client = ?1) AND ",
        within!("p.client", "?5"),
        " ORDER BY p.changed, p.id LIMIT ?4",
    ))
    .bind(scope.query.client.map(|id| id.to_string()))
    .bind(words::time(before))
    .bind(words::time(scope.now))
    .bind(limit())
    .bind(scope.reach.bound())
    .fetch_all(view)
    .await?;
    Ok(Table {
        about: format!("passwords in use that are older than {days} days"),
        columns: &[
            "Client",
            "User name",
            "Type",
            "Last changed",
            "Days",
            "Changed by",
        ],
        rows: rows(&found)?,
    })
}

/// Which lines of the audit trail.
#[derive(Clone, Copy)]
enum Which {
    Changes,
    SignIns,
    All,
}

impl Which {
    fn word(self) -> &'static str {
        match self {
            Self::Changes => "changes",
            Self::SignIns => "sign_ins",
            Self::All => "all",
        }
    }
}

async fn lines(
    view: &mut SqliteConnection,
    scope: &Scope<'_>,
    which: Which,
) -> Result<Table, VaultError> {
    let from = scope.query.from.unwrap_or(scope.now - SPAN);
    let until = scope.query.until.unwrap_or(scope.now);
    let found = sqlx::query(concat!(
        "SELECT a.at, a.who, a.what, c.name, p.user_name, a.address FROM (
             SELECT *, what LIKE 'signed %' OR what LIKE 'failed to sign in%' AS is_sign_in,
                 what LIKE 'revealed%' OR what LIKE 'copied%' OR what LIKE 'exported%'
                     OR what LIKE 'asked for%' OR what LIKE 'began a backup%'
                     OR what LIKE 'fetched the sealed secrets%' OR what LIKE 'showed a one-time code%'
                     OR what LIKE 'opened the secrets%' AS is_reading
             FROM audit) a
         LEFT JOIN clients c ON c.id = a.client LEFT JOIN credentials p ON p.id = a.subject
         WHERE (?1 IS NULL OR a.client = ?1) AND (?6 OR a.client IS NOT NULL) AND ",
        within!("a.client", "?7"),
        " AND a.at >= ?2 AND a.at < ?3
           AND CASE ?4 WHEN 'sign_ins' THEN is_sign_in
                       WHEN 'changes' THEN NOT is_sign_in AND NOT is_reading ELSE 1 END
         ORDER BY a.line DESC LIMIT ?5",
    ))
    .bind(scope.query.client.map(|id| id.to_string()))
    .bind(words::time(from))
    .bind(words::time(until))
    .bind(which.word())
    .bind(limit())
    .bind(scope.whole)
    .bind(scope.reach.bound())
    .fetch_all(view)
    .await?;
    Ok(Table {
        about: format!("{} to {}", day(from), day(until)),
        columns: &["Time", "Who", "What", "Client", "User name", "Address"],
        rows: rows(&found)?,
    })
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Times as people write them; what is absent is empty.
fn rows(found: &[SqliteRow]) -> Result<Vec<Vec<String>>, VaultError> {
    found.iter().map(cells).collect()
}

fn cells(row: &SqliteRow) -> Result<Vec<String>, VaultError> {
    (0..row.len())
        .map(|column| {
            let text: Option<String> = row.try_get(column)?;
            let text = text.unwrap_or_default();
            Ok(text.parse().map(seconds).unwrap_or(text))
        })
        .collect()
}

fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn limit() -> i64 {
    i64::try_from(LIMIT).unwrap_or(i64::MAX)
}
