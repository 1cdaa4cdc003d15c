//! Search over all credentials, by the beginnings of words.

use passportal_client::wire::FoundCredential;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::person_vault::Reach;
use super::{Act, Part, PersonVault, VaultError, words};

/// Words that are looked for at the most.
const WORDS: usize = 10;

/// Clients whose credentials are listed before a search.
const FEW: i64 = 50;

/// The longest text that is looked for.
const LENGTH: usize = 200;

/// In the order of the index: nothing is sorted, so a word that everything has costs no more.
macro_rules! select {
    ($within:literal) => {
        concat!(
            "SELECT p.id, p.client, c.name AS client_name, p.user_name, p.credential_type, p.folder,
                 p.description, p.standing
             FROM (SELECT rowid AS number FROM credential_search WHERE credential_search MATCH ?1 ",
            $within,
            "      ORDER BY rowid LIMIT ?2 OFFSET ?3) AS found
             JOIN credentials p ON p.number = found.number
             JOIN clients c ON c.id = p.client
             ORDER BY found.number"
        )
    };
}

impl PersonVault<'_> {
    /// A part of the credentials that have all these beginnings of words. Nothing is found by nothing.
    pub(crate) async fn search(
        &self,
        text: &str,
        part: Part,
    ) -> Result<Vec<FoundCredential>, VaultError> {
        let (mut view, reach) = self.read_within(Act::Read).await?;
        let Some(expression) = expression(text) else {
            return Ok(Vec::new());
        };
        let sql = sql(&mut view, &reach).await?;
        let rows = sqlx::query(sql)
            .bind(expression)
            .bind(words::signed(part.most)?)
            .bind(words::signed(part.after)?)
            .bind(reach.bound())
            .fetch_all(&mut *view)
            .await?;
        rows.iter().map(found).collect()
    }
}

/// The query for this reach. The credentials of few clients are listed before, because many hits may lie elsewhere. With many
/// clients each hit is looked at: there are soon enough.
async fn sql(view: &mut SqliteConnection, reach: &Reach) -> Result<&'static str, VaultError> {
    let Reach::Assigned(person) = reach else {
        return Ok(select!(""));
    };
    let (clients,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM assigned_clients WHERE person = ?")
            .bind(person.to_string())
            .fetch_one(view)
            .await?;
    Ok(if clients <= FEW {
        select!(
            "AND +rowid IN (SELECT p.number FROM assigned_clients a
                 JOIN credentials p ON p.client = a.client WHERE a.person = ?4)"
        )
    } else {
        select!(
            "AND (SELECT client FROM credentials WHERE number = credential_search.rowid)
                 IN (SELECT client FROM assigned_clients WHERE person = ?4)"
        )
    })
}

/// The text as a query of FTS5: each word a quoted beginning, so that nothing of it is an operator.
fn expression(text: &str) -> Option<String> {
    let text: String = text.chars().take(LENGTH).collect();
    let words: Vec<String> = text
        .split_whitespace()
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .take(WORDS)
        .map(|word| format!("\"{}\"*", word.replace('\0', "").replace('"', "\"\"")))
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn found(row: &SqliteRow) -> Result<FoundCredential, VaultError> {
    Ok(FoundCredential {
        id: words::id(row.try_get("id")?)?,
        client: words::id(row.try_get("client")?)?,
        client_name: row.try_get("client_name")?,
        user_name: row.try_get("user_name")?,
        credential_type: row.try_get("credential_type")?,
        folder: row.try_get("folder")?,
        description: row.try_get("description")?,
        standing: words::value(row.try_get("standing")?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_typed_is_an_operator() {
        assert_eq!(expression("anna con").unwrap(), "\"anna\"* \"con\"*");
        assert_eq!(expression("a\"b OR").unwrap(), "\"a\"\"b\"* \"OR\"*");
        assert_eq!(expression(" @ * \" "), None);
    }
}
