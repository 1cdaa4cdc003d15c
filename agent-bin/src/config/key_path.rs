//! The path of a key (`client[0].microsoft.tenant`), and the line of a file where it stands.

use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Segment {
    Index(usize),
    Key(String),
}

/// The path of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeyPath(pub(super) Vec<Segment>);

impl KeyPath {
    /// Reads `client.0.microsoft.tenant`, or the same with another separator and in capitals;
    /// `None` where a step is empty.
    pub(super) fn parse(text: &str, separator: &str) -> Option<Self> {
        let segment = |part: &str| match part.parse() {
            Ok(index) => Some(Segment::Index(index)),
            Err(_) if part.is_empty() => None,
            Err(_) => Some(Segment::Key(part.to_lowercase())),
        };
        text.split(separator)
            .map(segment)
            .collect::<Option<_>>()
            .map(Self)
    }

    /// A key of the file's outermost table, or of a table in it.
    pub(super) fn of(keys: &[&str]) -> Self {
        Self(
            keys.iter()
                .map(|key| Segment::Key((*key).to_owned()))
                .collect(),
        )
    }

    /// A key of one client.
    pub(super) fn of_client(index: usize, keys: &[&str]) -> Self {
        let mut path = vec![Segment::Key("client".to_owned()), Segment::Index(index)];
        path.extend(Self::of(keys).0);
        Self(path)
    }

    /// This path, ending in `key` whether it did before or not.
    pub(super) fn with_last(mut self, key: &str) -> Self {
        let key = Segment::Key(key.to_owned());
        if self.0.last() != Some(&key) {
            self.0.push(key);
        }
        self
    }

    /// The same path with every index 0, to look at one value on its own.
    pub(super) fn with_first_items(&self) -> Self {
        let first = |segment: &Segment| match segment {
            Segment::Index(_) => Segment::Index(0),
            key @ Segment::Key(_) => key.clone(),
        };
        Self(self.0.iter().map(first).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// This path with the indices of `other` where both have one.
    pub(super) fn with_indices_of(mut self, other: &Self) -> Self {
        for (ours, theirs) in self.0.iter_mut().zip(&other.0) {
            if let (Segment::Index(ours), Segment::Index(theirs)) = (ours, theirs) {
                *ours = *theirs;
            }
        }
        self
    }

    /// How many steps from its beginning this path has in common with `other`.
    pub(super) fn common_with(&self, other: &Self) -> usize {
        let pairs = self.0.iter().zip(&other.0);
        pairs.take_while(|(ours, theirs)| ours == theirs).count()
    }

    /// Where the key stands in a file, or the deepest table around it that is there.
    pub(super) fn find_in(&self, text: &str) -> Option<Found> {
        let document = DeTable::parse(text).ok()?;
        let (Segment::Key(first), rest) = self.0.split_first()? else {
            return None;
        };
        let (key, value) = document.get_ref().get_key_value(first.as_str())?;
        let (steps, offset) = deepest(value, rest, 1).unwrap_or((1, key.span().start));
        Some(Found {
            line: line_of(text, offset),
            steps,
        })
    }
}

/// Where a key, or the deepest table around it, stands in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The line, from 1.
    pub(super) line: usize,
    /// How many steps of the path are there.
    pub(super) steps: usize,
}

/// Follows `path` from a value that is `steps` deep; `None` where not even its first step is there.
fn deepest(value: &Spanned<DeValue<'_>>, path: &[Segment], steps: usize) -> Option<(usize, usize)> {
    let (segment, rest) = path.split_first()?;
    let (start, inner) = match (segment, value.get_ref()) {
        (Segment::Key(key), DeValue::Table(table)) => {
            let (key, inner) = table.get_key_value(key.as_str())?;
            (key.span().start, inner)
        }
        (Segment::Index(index), DeValue::Array(items)) => {
            let item = items.get(*index)?;
            (item.span().start, item)
        }
        _ => return None,
    };
    deepest(inner, rest, steps + 1).or(Some((steps + 1, start)))
}

/// The line of a byte, from 1.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    before.filter(|byte| **byte == b'\n').count() + 1
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) if position == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

impl From<&serde_path_to_error::Path> for KeyPath {
    fn from(path: &serde_path_to_error::Path) -> Self {
        use serde_path_to_error::Segment as Theirs;
        let ours = path.iter().filter_map(|segment| match segment {
            Theirs::Seq { index } => Some(Segment::Index(*index)),
            Theirs::Map { key } => Some(Segment::Key(key.clone())),
            Theirs::Enum { .. } | Theirs::Unknown => None,
        });
        Self(ours.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[passportal]\nregion = 'us'\n\n[[client]]\nname = 'a'\n\n[[client]]\nname = 'b'\n[client.microsoft]\ntenant = 't'\n";

    #[test]
    fn a_key_is_found_on_its_line_and_a_missing_one_at_its_table() {
        let cases = [
            (KeyPath::of(&["passportal", "region"]), 2, 2),
            (KeyPath::of(&["passportal", "base_url"]), 1, 1),
            (KeyPath::of_client(0, &["name"]), 5, 3),
            (KeyPath::of_client(0, &["microsoft", "tenant"]), 4, 2),
            (KeyPath::of_client(1, &["microsoft", "tenant"]), 10, 4),
            (KeyPath::of_client(1, &["microsoft", "cloud"]), 9, 3),
        ];
        for (path, line, steps) in cases {
            assert_eq!(path.find_in(TEXT), Some(Found { line, steps }), "{path}");
        }
        assert_eq!(KeyPath::of(&["state", "url"]).find_in(TEXT), None);
    }

    #[test]
    fn a_path_reads_from_a_variable_and_prints_as_people_write_it() {
        let path = KeyPath::parse("CLIENT__0__MICROSOFT__CLIENT_ID", "__").unwrap();
        assert_eq!(path.to_string(), "client[0].microsoft.client_id");
        assert_eq!(KeyPath::parse("CLIENT____NAME", "__"), None);
        assert_eq!(KeyPath::parse("", "__"), None);
    }
}
