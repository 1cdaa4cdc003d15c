//! What cycles did, or would do: one table for each client.

use jiff::Timestamp;
use serde::Serialize;
use sync_engine::model::{FlagKind, Outcome, StepKind, Verdict};
use sync_engine::plan::Action;
use sync_engine::{CycleReport, Footing, Row};

use super::plans::waiting_line;
use super::{Paint, Sheet, Shown, Tone, time};
use crate::ending::Ending;

const HEADINGS: [&str; 5] = ["account", "mode", "verdict", "done", "why"];
const ACCOUNT: usize = 0;
const VERDICT: usize = 2;
const DONE: usize = 3;

/// The cycles of several clients.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Cycles {
    pub(crate) clients: Vec<ClientCycle>,
}

/// The cycle of one client, or why there was none.
#[derive(Debug, Serialize)]
pub(crate) struct ClientCycle {
    pub(crate) client: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cycle: Option<CycleReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

impl ClientCycle {
    fn rows(&self) -> &[Row] {
        self.cycle.as_ref().map_or(&[], |cycle| &cycle.rows)
    }

    /// Whether something was done or is new to the vault.
    pub(crate) fn did_something(&self) -> bool {
        self.rows().iter().any(is_news)
    }

    /// What happened, one line an account.
    pub(crate) fn news(&self, at: Timestamp, paint: Paint) -> String {
        let Some(cycle) = &self.cycle else {
            return String::new();
        };
        let at = paint.tone(Tone::Faint, &at.strftime("%H:%M:%S").to_string());
        let client = super::one_line(&self.client);
        let line = |row: &Row| {
            let (word, tone) = done(row, &cycle.footing);
            let done = paint.tone(tone, word);
            let account = super::one_line(row.user_name.as_str());
            format!(
                "{at}  {client}  {account}  {done}: {}",
                super::one_line(&row.why)
            )
        };
        let news = cycle.rows.iter().filter(|row| is_news(row));
        let mut lines: Vec<String> = news.map(line).collect();
        let is_newly_held = cycle
            .rows
            .iter()
            .any(|row| row.raised.contains(&FlagKind::Held));
        lines.extend(
            cycle
                .waiting
                .filter(|_| is_newly_held)
                .map(|plan| format!("{at}  {client}  {}", waiting_line(plan, paint))),
        );
        lines.join("\n")
    }

    fn ending(&self) -> Ending {
        let Some(cycle) = &self.cycle else {
            return Ending::Done;
        };
        let is_held = |outcome: &Outcome| matches!(outcome, Outcome::Held(_));
        if cycle.waiting.is_some() || cycle.tally.with(is_held) > 0 {
            return Ending::Held;
        }
        let differs = |row: &Row| row.verdict == Some(Verdict::Mismatch);
        if cycle.flagged(FlagKind::AdChange) > 0 || cycle.rows.iter().any(differs) {
            return Ending::Mismatches;
        }
        Ending::Done
    }
}

impl Cycles {
    /// How a command that shows its findings in its status ends: held wins over mismatches.
    pub(crate) fn ending(&self) -> Ending {
        let endings: Vec<Ending> = self.clients.iter().map(ClientCycle::ending).collect();
        let worst = [Ending::Held, Ending::Mismatches];
        let found = worst.into_iter().find(|ending| endings.contains(ending));
        found.unwrap_or(Ending::Done)
    }
}

impl Shown for Cycles {
    fn text(&self, paint: Paint) -> String {
        let tables: Vec<String> = self.clients.iter().map(|it| it.text(paint)).collect();
        tables.join("\n\n")
    }
}

impl Shown for ClientCycle {
    fn text(&self, paint: Paint) -> String {
        let name = paint.tone(Tone::Strong, &super::one_line(&self.client));
        match (&self.cycle, &self.error) {
            (Some(cycle), _) => format!("{name}\n{}", cycle_text(cycle, paint)),
            (None, Some(error)) => format!("{name}: {error}"),
            (None, None) => name,
        }
    }
}

fn is_news(row: &Row) -> bool {
    row.done.is_some() || !row.raised.is_empty()
}

fn cycle_text(cycle: &CycleReport, paint: Paint) -> String {
    if let Footing::Standby { holder, until } = &cycle.footing {
        let until = time(*until);
        return format!("the agent on {holder} serves this client until {until}; nothing was done");
    }
    let mut sheet = Sheet::new(paint, &HEADINGS).unbroken(&[ACCOUNT, VERDICT, DONE]);
    for row in by_account(&cycle.rows) {
        let (verdict, verdict_tone) = verdict(row);
        let (done, done_tone) = done(row, &cycle.footing);
        sheet.row([
            (row.user_name.as_str(), Tone::Normal),
            (row.mode.label(), Tone::Normal),
            (verdict, verdict_tone),
            (done, done_tone),
            (row.why.as_str(), Tone::Normal),
        ]);
    }
    let nothing = match cycle.tally.credentials {
        0 => "no credentials",
        _ => "nothing moved since the last cycle",
    };
    let mut text = format!(
        "{}\n{}",
        sheet.text_or(nothing),
        paint.tone(Tone::Faint, &summary(cycle))
    );
    if let Some(plan) = cycle.waiting {
        text.push('\n');
        text.push_str(&waiting_line(plan, paint));
    }
    text
}

/// People look for names; programs get the order of the plan.
fn by_account(rows: &[Row]) -> Vec<&Row> {
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by(|one, other| one.user_name.cmp(&other.user_name));
    rows
}

fn verdict(row: &Row) -> (&'static str, Tone) {
    match row.verdict {
        Some(Verdict::Match) => ("match", Tone::Good),
        Some(Verdict::Mismatch) => ("mismatch", Tone::Bad),
        Some(Verdict::Unknown(_)) => ("unknown", Tone::Attention),
        None => ("–", Tone::Faint),
    }
}

fn done(row: &Row, footing: &Footing) -> (&'static str, Tone) {
    if *footing == Footing::Preview {
        return planned(row);
    }
    match (&row.outcome, row.done) {
        (Outcome::Unsettled, _) => ("pushed, not seen yet", Tone::Attention),
        (Outcome::Mismatched, _) => ("flagged", Tone::Bad),
        (Outcome::Held(_), _) => ("held", Tone::Attention),
        (Outcome::Blocked(_), _) => ("blocked", Tone::Attention),
        (Outcome::Unknown(_), _) => ("waits", Tone::Attention),
        (Outcome::Failed, _) => ("failed", Tone::Bad),
        (_, Some(StepKind::Push)) => ("pushed", Tone::Good),
        (_, Some(StepKind::Verify)) => ("checked", Tone::Good),
        (_, None) => ("nothing", Tone::Faint),
    }
}

fn planned(row: &Row) -> (&'static str, Tone) {
    match row.action {
        Action::Nothing if row.flags.contains_key(&FlagKind::AdChange) => ("flagged", Tone::Bad),
        Action::Nothing => ("nothing", Tone::Faint),
        Action::Wait(_) => ("would wait", Tone::Attention),
        Action::Verify(_) => ("would check", Tone::Good),
        Action::Push(_) => ("would push", Tone::Good),
        Action::Hold(_) => ("held", Tone::Attention),
        Action::Block(_) => ("blocked", Tone::Attention),
    }
}

/// The numbers that are not zero.
fn summary(cycle: &CycleReport) -> String {
    let count = |is: fn(&Row) -> bool| cycle.rows.iter().filter(|row| is(row)).count();
    let preview = cycle.footing == Footing::Preview;
    let numbers = [
        (cycle.done(StepKind::Push), "pushed"),
        (count(|row| row.tested.is_some()), "checked"),
        (
            count(|row| matches!(row.action, Action::Push(_))),
            if preview { "to push" } else { "not pushed yet" },
        ),
        (
            count(|row| matches!(row.action, Action::Verify(_))),
            if preview {
                "to check"
            } else {
                "not checked yet"
            },
        ),
        (cycle.flagged(FlagKind::AdChange), "flagged"),
        (cycle.flagged(FlagKind::Held), "held"),
        (cycle.flagged(FlagKind::Blocked), "blocked"),
    ];
    let told: Vec<String> = numbers
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
    let accounts = match (cycle.rows.len(), cycle.tally.credentials) {
        (_, 1) => "1 credential".to_owned(),
        (rows, all) if rows == all => format!("{all} credentials"),
        (rows, all) => format!("{rows} of {all} credentials looked at"),
    };
    if told.is_empty() {
        return format!("{accounts}: nothing to do");
    }
    format!("{accounts}: {}", told.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use sync_engine::model::{
        BlockedReason, CredentialId, CycleId, FlagFact, HeldReason, ObjectId, PlanId, SyncMode,
        UnknownReason, UserPrincipalName, VaultVersion,
    };
    use sync_engine::plan::{Pause, PauseReason, Target};
    use sync_engine::{Share, Tally};
    use uuid::Uuid;

    fn row(user: &str, verdict: Option<Verdict>, action: Action, outcome: Outcome) -> Row {
        Row {
            credential: CredentialId(Uuid::from_u128(1)),
            user_name: UserPrincipalName::new(user),
            mode: SyncMode::Enabled,
            version: VaultVersion(1),
            verdict,
            code: None,
            action,
            done: None,
            tested: None,
            wrote: None,
            outcome,
            why: "because".into(),
            flags: BTreeMap::new(),
            raised: Vec::new(),
        }
    }

    fn flag(kind: FlagKind) -> BTreeMap<FlagKind, FlagFact> {
        let fact = FlagFact {
            version: VaultVersion(1),
            stamp: None,
            why: "because".into(),
        };
        BTreeMap::from([(kind, fact)])
    }

    fn rows() -> Vec<Row> {
        let held = HeldReason::ForeignOverwrites;
        let locked = UnknownReason::Locked;
        let pause = Pause {
            why: PauseReason::Unknown(locked),
            until: Some(Timestamp::UNIX_EPOCH),
        };
        vec![
            row(
                "match@contoso.com",
                Some(Verdict::Match),
                Action::Nothing,
                Outcome::Matched,
            ),
            Row {
                done: Some(StepKind::Push),
                ..row(
                    "pushed@contoso.com",
                    Some(Verdict::Match),
                    Action::Nothing,
                    Outcome::Pushed,
                )
            },
            Row {
                mode: SyncMode::ReportMismatches,
                done: Some(StepKind::Verify),
                tested: Some(Verdict::Mismatch),
                flags: flag(FlagKind::AdChange),
                raised: vec![FlagKind::AdChange],
                ..row(
                    "differs@contoso.com",
                    Some(Verdict::Mismatch),
                    Action::Nothing,
                    Outcome::Mismatched,
                )
            },
            Row {
                done: Some(StepKind::Verify),
                tested: Some(Verdict::Unknown(locked)),
                ..row(
                    "locked@contoso.com",
                    Some(Verdict::Unknown(locked)),
                    Action::Wait(pause),
                    Outcome::Unknown(locked),
                )
            },
            Row {
                flags: flag(FlagKind::Held),
                ..row(
                    "held@contoso.com",
                    Some(Verdict::Mismatch),
                    Action::Hold(held),
                    Outcome::Held(held),
                )
            },
            Row {
                flags: flag(FlagKind::Blocked),
                ..row(
                    "guest@contoso.com",
                    None,
                    Action::Block(BlockedReason::Guest),
                    Outcome::Blocked(BlockedReason::Guest),
                )
            },
            Row {
                mode: SyncMode::Off,
                ..row("off@contoso.com", None, Action::Nothing, Outcome::Ignored)
            },
        ]
    }

    fn tally(rows: &[Row]) -> Tally {
        let mut tally = Tally {
            credentials: rows.len(),
            ..Tally::default()
        };
        for row in rows {
            tally.outcomes.push(Share {
                outcome: row.outcome.clone(),
                credentials: 1,
            });
            for kind in row.flags.keys() {
                *tally.flags.entry(*kind).or_default() += 1;
            }
        }
        tally
    }

    fn report(footing: Footing, rows: Vec<Row>) -> CycleReport {
        CycleReport {
            cycle: CycleId(Uuid::from_u128(7)),
            footing,
            tally: tally(&rows),
            rows,
            waiting: None,
            next_due: None,
        }
    }

    fn of(report: CycleReport) -> Cycles {
        Cycles {
            clients: vec![ClientCycle {
                client: "Contoso".into(),
                cycle: Some(report),
                error: None,
            }],
        }
    }

    fn cycles(footing: Footing, rows: Vec<Row>) -> Cycles {
        of(report(footing, rows))
    }

    #[test]
    fn the_table_of_a_cycle_is_as_reviewed() {
        insta::assert_snapshot!(cycles(Footing::Leader, rows()).text(Paint::Plain));
    }

    #[test]
    fn the_table_of_a_plan_is_as_reviewed() {
        let target = Target {
            object: ObjectId(Uuid::from_u128(9)),
            stamp: None,
        };
        let mut rows = rows();
        rows.push(row(
            "new@contoso.com",
            None,
            Action::Verify(target),
            Outcome::Failed,
        ));
        rows.push(row(
            "changed@contoso.com",
            None,
            Action::Push(target),
            Outcome::Failed,
        ));
        let undone = rows.into_iter().map(|row| Row {
            done: None,
            tested: None,
            ..row
        });
        insta::assert_snapshot!(cycles(Footing::Preview, undone.collect()).text(Paint::Plain));
    }

    #[test]
    fn the_json_of_a_cycle_is_as_reviewed() {
        let one = rows().into_iter().skip(2).take(1).collect();
        insta::assert_json_snapshot!(cycles(Footing::Leader, one));
    }

    #[test]
    fn another_agents_client_is_told_as_such() {
        let footing = Footing::Standby {
            holder: "srv-2".into(),
            until: Timestamp::UNIX_EPOCH,
        };
        let text = cycles(footing, Vec::new()).text(Paint::Plain);
        assert!(text.contains("the agent on srv-2 serves this client"));
    }

    #[test]
    fn the_news_of_a_cycle_are_only_what_happened() {
        let cycles = cycles(Footing::Leader, rows());
        let news = cycles.clients[0].news(Timestamp::UNIX_EPOCH, Paint::Plain);
        insta::assert_snapshot!(news);
    }

    #[test]
    fn a_quiet_cycle_of_a_service_counts_all_and_names_the_plan_that_waits() {
        let quiet = CycleReport {
            rows: rows().into_iter().take(1).collect(),
            waiting: Some(PlanId(Uuid::from_u128(0x3f2a_9c1e << 96))),
            ..report(Footing::Leader, rows())
        };
        assert_eq!(of(quiet.clone()).ending(), Ending::Held);
        let quieter = CycleReport {
            rows: Vec::new(),
            ..quiet.clone()
        };
        let texts = [quiet, quieter].map(|report| of(report).text(Paint::Plain));
        insta::assert_snapshot!(texts.join("\n\n"));
    }

    #[test]
    fn held_wins_over_mismatches_and_both_over_done() {
        let ending = |keep: fn(&Row) -> bool| {
            let rows = rows().into_iter().filter(keep).collect();
            cycles(Footing::Leader, rows).ending()
        };
        assert_eq!(ending(|_| true), Ending::Held);
        assert_eq!(
            ending(|row| !matches!(row.outcome, Outcome::Held(_))),
            Ending::Mismatches
        );
        assert_eq!(
            ending(|row| row.verdict != Some(Verdict::Mismatch)),
            Ending::Done
        );
    }
}
