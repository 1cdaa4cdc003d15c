//! What Entra ID's sign-in codes say of a password: a table, and the rule for several codes at once.

mod file;

use std::collections::BTreeMap;

use serde::Deserialize;
use sync_engine::model::{UnknownReason, Verdict};

pub use self::file::{TableFault, VerdictTableError};

const BUILT_IN: &str = include_str!("verdicts.toml");

/// The verdict of every sign-in code that is known. A code that is not listed says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerdictTable {
    rows: BTreeMap<u32, Row>,
}

/// Whether Entra ID may have counted a sign-in towards a lockout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// It may have.
    Yes,
    /// It certainly has not.
    No,
}

/// Whom an answer is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The account that was signed in to.
    #[default]
    Account,
    /// The tenant, or the app that asks: every account would get the same answer.
    Tenant,
}

/// What an answer's codes say together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The code that decided.
    pub code: u32,
    /// Of the password.
    pub verdict: Verdict,
    /// Whether the sign-in may count towards a lockout.
    pub counts: Counts,
    /// Whom it is about.
    pub scope: Scope,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    name: String,
    verdict: Verdict,
    counts: Counts,
    scope: Scope,
    role: Role,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Role {
    /// Speaks for itself.
    #[default]
    Statement,
    /// Stands in front of the code that says what happened.
    Wrapper,
}

impl VerdictTable {
    /// The table that comes with the product.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "a constant; a test reads every row of it"
    )]
    pub fn built_in() -> Self {
        file::parse(BUILT_IN).expect("the built-in verdict table is well formed")
    }

    /// Every listed code with its name and what it says alone, in order.
    pub fn rulings(&self) -> impl Iterator<Item = (&str, Ruling)> {
        self.rows
            .iter()
            .map(|(code, row)| (row.name.as_str(), row.ruling(*code)))
    }

    /// What the codes of one answer say together.
    ///
    /// A wrapper in front of other codes is passed over: the v1 endpoint answers a wrong password
    /// with `[70002, 50126]`. The others must agree: a Match or a Mismatch holds only if each of them
    /// says so, for a wrong verdict costs more than none. Otherwise the first code that says
    /// "unknown" gives the reason, and codes that contradict each other are inconclusive. The sign-in
    /// counts if any code says that it may.
    pub fn rule(&self, codes: &[u32]) -> Ruling {
        let all: Vec<_> = codes.iter().map(|code| self.rule_one(*code)).collect();
        let statements: Vec<_> = all.iter().filter(|r| !self.is_wrapper(r.code)).collect();
        let heard = if statements.is_empty() {
            all.iter().collect()
        } else {
            statements
        };
        let mut ruling = agreement(&heard);
        if all.iter().any(|r| r.counts == Counts::Yes) {
            ruling.counts = Counts::Yes;
        }
        ruling
    }

    /// Whether the table says anything of this code.
    pub(crate) fn lists(&self, code: u32) -> bool {
        self.rows.contains_key(&code)
    }

    fn rule_one(&self, code: u32) -> Ruling {
        match self.rows.get(&code) {
            Some(row) => row.ruling(code),
            None => nothing(code),
        }
    }

    fn is_wrapper(&self, code: u32) -> bool {
        self.rows
            .get(&code)
            .is_some_and(|row| row.role == Role::Wrapper)
    }
}

impl Row {
    fn ruling(&self, code: u32) -> Ruling {
        Ruling {
            code,
            verdict: self.verdict.clone(),
            counts: self.counts,
            scope: self.scope,
        }
    }
}

fn agreement(heard: &[&Ruling]) -> Ruling {
    let Some(first) = heard.first() else {
        return nothing(0);
    };
    if heard.iter().all(|ruling| ruling.verdict == first.verdict) {
        return (*first).clone();
    }
    let says_unknown = |ruling: &&&Ruling| matches!(ruling.verdict, Verdict::Unknown(_));
    heard
        .iter()
        .find(says_unknown)
        .map_or_else(|| nothing(first.code), |ruling| (**ruling).clone())
}

/// What an unlisted code says of the password: nothing. Whether it counts is not known, so it may.
fn nothing(code: u32) -> Ruling {
    Ruling {
        code,
        verdict: Verdict::Unknown(UnknownReason::Inconclusive),
        counts: Counts::Yes,
        scope: Scope::Account,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table() {
        let table = VerdictTable::built_in();
        let lines: Vec<_> = table
            .rulings()
            .map(|(name, ruling)| {
                let counts = match ruling.counts {
                    Counts::Yes => "may count",
                    Counts::No => "-",
                };
                let scope = match ruling.scope {
                    Scope::Account => "",
                    Scope::Tenant => " | of the tenant",
                };
                format!(
                    "{:>8} | {:<51} | {:<22} | {counts}{scope}",
                    ruling.code,
                    name,
                    format!("{:?}", ruling.verdict)
                )
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    fn rule(codes: &[u32]) -> (u32, Verdict, Counts) {
        let ruling = VerdictTable::built_in().rule(codes);
        (ruling.code, ruling.verdict, ruling.counts)
    }

    #[test]
    fn the_v1_wrapper_does_not_hide_a_wrong_password() {
        let wrong = (50126, Verdict::Mismatch, Counts::Yes);
        assert_eq!(rule(&[70002, 50126]), wrong);
        assert_eq!(rule(&[50126, 70002]), wrong);
        let alone = Verdict::Unknown(UnknownReason::NotPermitted);
        assert_eq!(rule(&[70002]), (70002, alone, Counts::No));
    }

    #[test]
    fn codes_that_disagree_prove_nothing() {
        let inconclusive = Verdict::Unknown(UnknownReason::Inconclusive);
        assert_eq!(rule(&[50126, 50076]), (50126, inconclusive, Counts::Yes));
        let locked = Verdict::Unknown(UnknownReason::Locked);
        assert_eq!(rule(&[50126, 50053]), (50053, locked, Counts::Yes));
        assert_eq!(rule(&[50076, 53003]), (50076, Verdict::Match, Counts::No));
    }

    #[test]
    fn a_code_that_is_not_listed_says_nothing_and_may_count() {
        let inconclusive = Verdict::Unknown(UnknownReason::Inconclusive);
        assert_eq!(rule(&[4_711]), (4_711, inconclusive.clone(), Counts::Yes));
        assert_eq!(rule(&[50126, 4_711]), (4_711, inconclusive, Counts::Yes));
    }
}
