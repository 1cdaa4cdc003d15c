//! The rows of the decision table for Report mismatches: checked and flagged, never written.

use super::Action;
use super::Rule;
use super::check::{next_try, unknown_reason};
use super::situation::{Knowledge, Situation, Verdicted};
use crate::model::{Account, PasswordFacts, RememberedVerdict, Verdict};

impl Situation<'_> {
    pub(super) fn report(&self, account: &Account, facts: PasswordFacts) -> Verdicted {
        if let Some(why) = self.unverifiable(facts) {
            return self.unknown(Rule::ReportKnown, why, None, Knowledge::Nothing);
        }
        match self.remembered(account) {
            Some(known) if known.verdict == Verdict::Match => {
                if known
                    .at
                    .checked_add(self.policy.recheck)
                    .is_ok_and(|due| due <= self.now)
                {
                    return self.check(Rule::ReportCheck, account, Knowledge::Match);
                }
                self.row(Rule::ReportKnown, Action::Nothing, Knowledge::Match)
            }
            Some(known) if known.verdict == Verdict::Mismatch => {
                self.row(Rule::ReportKnown, Action::Nothing, Knowledge::Mismatch)
            }
            Some(known) => self.report_unknown(account, known),
            None => self.check(Rule::ReportCheck, account, Knowledge::Nothing),
        }
    }

    pub(super) fn report_unknown(&self, account: &Account, known: &RememberedVerdict) -> Verdicted {
        let next = next_try(known);
        if next <= self.now {
            return self.check(Rule::ReportCheck, account, Knowledge::Nothing);
        }
        let why = unknown_reason(known);
        self.unknown(Rule::ReportKnown, why, Some(next), Knowledge::Nothing)
    }
}
