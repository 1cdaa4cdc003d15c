//! Search over all credentials, by the beginnings of words.

use passportal_client::wire::FoundCredential;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::person_vault::Reach;
use super::{Act, Part, PersonVault, VaultError, words};

/// Words that are looked for at the most.
const WORDS: usize = 10;

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
        let sql = match reach {
            Reach::All => select!(""),
            Reach::Assigned(_) => select!(
                "AND +rowid IN (SELECT p.number FROM assigned_clients a
                     JOIN credentials p ON p.client = a.client WHERE a.person = ?4)"
            ),
        };
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
