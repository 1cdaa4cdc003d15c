//! A verdict table as a file, and what can be wrong with one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sync_engine::model::{UnknownReason, Verdict};
use toml::Spanned;

use super::{Counts, Role, Row, Scope, VerdictTable};

/// Why a verdict table cannot be used. [`hint`](Self::hint) says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum VerdictTableError {
    /// The file cannot be read.
    #[error("could not read {}", path.display())]
    NotReadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not what it should be.
    #[error("{}:{line}: {fault}", path.display())]
    Faulty {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        fault: TableFault,
    },
}

/// What is wrong in a verdict table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableFault {
    /// No TOML, or another key or value than there may be.
    #[error("{0}")]
    Malformed(String),
    /// One code, two verdicts.
    #[error("code {0} is listed twice")]
    Twice(u32),
    /// A verdict of unknown without a reason.
    #[error("code {0} has the verdict \"unknown\" and no reason")]
    NoReason(u32),
    /// A reason beside another verdict.
    #[error("code {0} has a reason, and its verdict is not \"unknown\"")]
    NeedlessReason(u32),
    /// A wrong password that is said not to count.
    #[error("code {0} has the verdict \"mismatch\" and does not count")]
    UncountedMismatch(u32),
}

impl VerdictTableError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotReadable { .. } => {
                "name a text file that the service's user may read, or remove the key to have the built-in table"
            }
            Self::Faulty { fault, .. } => fault.hint(),
        }
    }
}

impl TableFault {
    fn hint(&self) -> &'static str {
        match self {
            Self::Malformed(_) => {
                "write it in the form of the built-in table, and start with a copy of it"
            }
            Self::Twice(_) => "leave one of the two out",
            Self::NoReason(_) => "give it a reason, such as \"inconclusive\"",
            Self::NeedlessReason(_) => "remove the reason, or write verdict = \"unknown\"",
            Self::UncountedMismatch(_) => {
                "write counted = true: Entra ID counts every wrong password, and uncounted ones could lock users out"
            }
        }
    }
}

/// A fault, and where in the text it begins, in bytes.
#[derive(Debug)]
pub(super) struct Misplaced {
    fault: TableFault,
    offset: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireTable {
    #[serde(rename = "source")]
    _source: String,
    code: Vec<WireRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRow {
    code: Spanned<u32>,
    name: String,
    verdict: WireVerdict,
    reason: Option<UnknownReason>,
    counted: bool,
    #[serde(default)]
    scope: Scope,
    #[serde(default)]
    role: Role,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireVerdict {
    Match,
    Mismatch,
    Unknown,
}

impl TryFrom<WireRow> for Row {
    type Error = TableFault;

    fn try_from(wire: WireRow) -> Result<Self, Self::Error> {
        let code = *wire.code.get_ref();
        let verdict = match (wire.verdict, wire.reason) {
            (WireVerdict::Match, None) => Verdict::Match,
            (WireVerdict::Mismatch, None) if wire.counted => Verdict::Mismatch,
            (WireVerdict::Mismatch, None) => return Err(TableFault::UncountedMismatch(code)),
            (WireVerdict::Unknown, Some(reason)) => Verdict::Unknown(reason),
            (WireVerdict::Unknown, None) => return Err(TableFault::NoReason(code)),
            (_, Some(_)) => return Err(TableFault::NeedlessReason(code)),
        };
        Ok(Self {
            name: wire.name,
            verdict,
            counts: if wire.counted {
                Counts::Yes
            } else {
                Counts::No
            },
            scope: wire.scope,
            role: wire.role,
        })
    }
}

impl VerdictTable {
    /// A table from a file, instead of the built-in one.
    ///
    /// # Errors
    /// When the file cannot be read, or is no such table; then with the line.
    pub fn load(path: &Path) -> Result<Self, VerdictTableError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| VerdictTableError::NotReadable {
                path: path.to_owned(),
                source,
            })?;
        of_text(path, &text)
    }
}

fn of_text(path: &Path, text: &str) -> Result<VerdictTable, VerdictTableError> {
    parse(text).map_err(|misplaced| VerdictTableError::Faulty {
        path: path.to_owned(),
        line: line_of(text, misplaced.offset),
        fault: misplaced.fault,
    })
}

pub(super) fn parse(text: &str) -> Result<VerdictTable, Misplaced> {
    let wire: WireTable = toml::from_str(text).map_err(|error| malformed(&error))?;
    let mut rows = BTreeMap::new();
    for row in wire.code {
        let (code, offset) = (*row.code.get_ref(), row.code.span().start);
        let row = Row::try_from(row).map_err(|fault| Misplaced { fault, offset })?;
        if rows.insert(code, row).is_some() {
            let fault = TableFault::Twice(code);
            return Err(Misplaced { fault, offset });
        }
    }
    Ok(VerdictTable { rows })
}

fn malformed(error: &toml::de::Error) -> Misplaced {
    Misplaced {
        fault: TableFault::Malformed(error.message().replace('\n', " ")),
        offset: error.span().map_or(0, |span| span.start),
    }
}

/// The line of a byte, from 1.
fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    before.filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "source = \"test\"\n\n[[code]]\ncode = 1\nname = \"one\"\n";
    const GOOD: &str = "verdict = \"match\"\ncounted = false\n";

    fn told(text: &str) -> String {
        let error = of_text(Path::new("verdicts.toml"), text).unwrap_err();
        assert!(!error.hint().is_empty());
        error.to_string()
    }

    #[test]
    fn each_fault_of_a_file_is_told_with_its_line() {
        let row = |rest: &str| told(&format!("{HEAD}{rest}"));
        let lines = [
            row("verdict = \"unknown\"\ncounted = false"),
            row("verdict = \"match\"\nreason = \"locked\"\ncounted = false"),
            row("verdict = \"mismatch\"\ncounted = false"),
            row("verdict = \"perhaps\"\ncounted = false"),
            row("verdict = \"unknown\"\nreason = \"whim\"\ncounted = false"),
            row("verdict = \"match\"\ncounted = \"no\""),
            row("verdict = \"match\"\n"),
            row("verdict = \"match\"\ncuonted = true"),
            row(&format!("{GOOD}[[code]]\ncode = 1\nname = \"two\"\n{GOOD}")),
            told("source = \"test\"\n"),
            told("source = test\n"),
            told(""),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r#"
        verdicts.toml:4: code 1 has the verdict "unknown" and no reason
        verdicts.toml:4: code 1 has a reason, and its verdict is not "unknown"
        verdicts.toml:4: code 1 has the verdict "mismatch" and does not count
        verdicts.toml:6: unknown variant `perhaps`, expected one of `match`, `mismatch`, `unknown`
        verdicts.toml:7: unknown variant `whim`, expected one of `locked`, `throttled`, `unavailable`, `replicating`, `budget_spent`, `interrupted`, `switched_off`, `edge_whitespace`, `not_permitted`, `not_managed`, `inconclusive`
        verdicts.toml:7: invalid type: string "no", expected a boolean
        verdicts.toml:3: missing field `counted`
        verdicts.toml:7: unknown field `cuonted`, expected one of `code`, `name`, `verdict`, `reason`, `counted`, `scope`, `role`
        verdicts.toml:9: code 1 is listed twice
        verdicts.toml:1: missing field `code`
        verdicts.toml:1: invalid boolean, expected `true`
        verdicts.toml:1: missing field `source`
        "#);
    }

    #[test]
    fn a_good_file_is_the_whole_table() {
        let table = parse(&format!("{HEAD}{GOOD}")).unwrap();
        assert_eq!(table.rulings().count(), 1);
        assert_eq!(table.rule(&[1]).verdict, Verdict::Match);
        let nothing = Verdict::Unknown(UnknownReason::Inconclusive);
        assert_eq!(table.rule(&[50126]).verdict, nothing);
    }

    #[test]
    fn a_file_that_is_not_there_is_told_with_its_name() {
        let error = VerdictTable::load(Path::new("/nowhere/verdicts.toml")).unwrap_err();
        assert_eq!(error.to_string(), "could not read /nowhere/verdicts.toml");
    }
}
