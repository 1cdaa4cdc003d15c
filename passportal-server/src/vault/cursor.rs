//! The cursor of the changes: which history, how far, and in which kind of reading.

use std::fmt;
use std::str::FromStr;

use passportal_client::wire::Extent;
use uuid::Uuid;

/// `epoch:seq`, or `epoch:seq:full` between the pages of a full reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) epoch: Uuid,
    pub(super) seq: i64,
    pub(super) extent: Extent,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.seq)?;
        match self.extent {
            Extent::Full => f.write_str(":full"),
            Extent::Changes => Ok(()),
        }
    }
}

/// The text is not a cursor: the reading begins anew.
#[derive(Debug)]
pub(super) struct NotACursor;

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let mut parts = text.split(':');
        let epoch = parts.next().and_then(|part| part.parse().ok());
        let seq = parts.next().and_then(|part| part.parse().ok());
        let extent = match (parts.next(), parts.next()) {
            (None, None) => Extent::Changes,
            (Some("full"), None) => Extent::Full,
            _ => return Err(NotACursor),
        };
        match (epoch, seq) {
            (Some(epoch), Some(seq @ 0..)) => Ok(Self { epoch, seq, extent }),
            _ => Err(NotACursor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        for extent in [Extent::Full, Extent::Changes] {
            let cursor = Cursor {
                epoch: Uuid::new_v4(),
                seq: 42,
                extent,
            };
            assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        }
    }

    #[test]
    fn anything_else_is_not_a_cursor() {
        let epoch = Uuid::new_v4();
        for text in [
            "",
            "x:1",
            &format!("{epoch}:-1"),
            &format!("{epoch}:1:half"),
        ] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
    }
}
