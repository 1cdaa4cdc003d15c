//! The chain: each line's hash covers the line and the hash before it.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::wire::AuditLine;

/// What stands before the first line.
const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The last line of a chain. Kept elsewhere, it proves later that no line up to it was changed or cut off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditHead {
    /// Its number; 0 where the trail is empty.
    pub line: u64,
    /// Its hash.
    pub hash: String,
}

impl Default for AuditHead {
    fn default() -> Self {
        Self {
            line: 0,
            hash: BEGINNING.to_owned(),
        }
    }
}

/// The first line that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenChain {
    /// A line is gone.
    #[error("line {line} of the audit trail is missing")]
    Missing {
        /// Which.
        line: u64,
    },
    /// A line was never chained: the program did not write it.
    #[error("line {line} of the audit trail has no hash: it was not written by the vault")]
    NotChained {
        /// Which.
        line: u64,
    },
    /// A line, or the hash before it, is not what it was.
    #[error("line {line} of the audit trail was changed: its hash does not fit")]
    Changed {
        /// Which.
        line: u64,
    },
}

/// A walk along the lines, from the first to the last.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    head: AuditHead,
}

impl Chain {
    /// Takes the next line in.
    ///
    /// # Errors
    /// When it does not fit to those before it.
    pub fn take(&mut self, line: &AuditLine) -> Result<(), BrokenChain> {
        let expected = self.head.line + 1;
        if line.line != expected {
            return Err(BrokenChain::Missing { line: expected });
        }
        if line.hash.is_empty() {
            return Err(BrokenChain::NotChained { line: line.line });
        }
        if line.hash != hash_after(&self.head.hash, line) {
            return Err(BrokenChain::Changed { line: line.line });
        }
        self.head = AuditHead {
            line: line.line,
            hash: line.hash.clone(),
        };
        Ok(())
    }

    /// The last line that was taken in.
    pub fn head(&self) -> &AuditHead {
        &self.head
    }
}

/// The hash of a line, in hex: SHA-256 over the hash before it (hex), a line feed, and the line as a
/// JSON array without white space: number, time (nine decimals), who, what, subject, client, address.
pub fn hash_after(before: &str, line: &AuditLine) -> String {
    let canonical = serde_json::json!([
        line.line,
        format!("{:.9}", line.at),
        line.who,
        line.what,
        line.subject,
        line.client,
        line.address,
    ]);
    hex::encode(Sha256::digest(format!("{before}\n{canonical}")))
}

/// Whether a text can be a hash of the chain.
pub fn is_hash(text: &str) -> bool {
    text.len() == BEGINNING.len()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn trail(count: u64) -> Vec<AuditLine> {
        let mut before = BEGINNING.to_owned();
        let line = |number| {
            let mut line = AuditLine {
                line: number,
                at: Timestamp::UNIX_EPOCH,
                who: "ada@msp.example".into(),
                what: format!("did thing {number}"),
                subject: String::new(),
                client: None,
                client_name: None,
                address: None,
                hash: String::new(),
            };
            before = hash_after(&before, &line);
            line.hash.clone_from(&before);
            line
        };
        (1..=count).map(line).collect()
    }

    fn walk(lines: &[AuditLine]) -> Result<AuditHead, BrokenChain> {
        let mut chain = Chain::default();
        lines.iter().try_for_each(|line| chain.take(line))?;
        Ok(chain.head().clone())
    }

    #[test]
    fn each_field_of_a_line_is_covered() {
        let changes: [fn(&mut AuditLine); 6] = [
            |it| it.at = Timestamp::MAX,
            |it| it.who.push('x'),
            |it| it.what.push('x'),
            |it| it.subject.push('x'),
            |it| it.client = Some(uuid::Uuid::nil()),
            |it| it.address = Some(String::new()),
        ];
        for change in changes {
            let mut lines = trail(5);
            change(&mut lines[2]);
            assert_eq!(walk(&lines), Err(BrokenChain::Changed { line: 3 }));
        }
    }

    #[test]
    fn a_line_that_is_gone_or_was_added_breaks_the_chain_and_a_cut_end_changes_the_head() {
        let whole = trail(5);
        let head = walk(&whole).unwrap();
        assert_eq!((head.line, &head.hash), (5, &whole[4].hash));
        let mut gone = whole.clone();
        gone.remove(2);
        assert_eq!(walk(&gone), Err(BrokenChain::Missing { line: 3 }));
        let mut added = whole.clone();
        added[4].hash.clear();
        assert_eq!(walk(&added), Err(BrokenChain::NotChained { line: 5 }));
        assert_ne!(walk(&whole[..4]).unwrap(), head);
    }

    // Computed with Python: sha256(("0" * 64 + "\n" + json.dumps(line, separators=(",", ":"))).encode())
    #[test]
    fn the_hash_is_the_documented_one() {
        assert_eq!(
            trail(1)[0].hash,
            "21f8ca4ff2c7e21291de5d312f33cc59cd1bf9a1d478cff6c0c97a14a3bde77e"
        );
    }
}
