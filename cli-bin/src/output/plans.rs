//! Plans that the mass-change breaker held: a list of them, and every write of one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use sync_engine::model::{PlanId, Stamp};
use sync_engine::plan::{Action, Decision, HeldPlan, PlanStanding, Rule};

use super::{Paint, Sheet, Shown, Tone, one_line, time};

/// The beginning of an id that people type; it is long enough to be the only one.
const SHORT: usize = 8;

/// The plans of several clients.
#[derive(Debug, Serialize)]
pub(crate) struct Plans {
    pub(crate) plans: Vec<PlanLine>,
}

/// A plan without its writes.
#[derive(Debug, Serialize)]
pub(crate) struct PlanLine {
    pub(crate) client: String,
    pub(crate) id: PlanId,
    pub(crate) at: Timestamp,
    pub(crate) writes: usize,
    pub(crate) allowed: usize,
    pub(crate) standing: PlanStanding,
}

/// A plan with every write and its reason: what a person saves and reviews.
#[derive(Debug, Serialize)]
pub(crate) struct WholePlan {
    client: String,
    #[serde(flatten)]
    plan: HeldPlan,
    /// The words of each rule that the writes name.
    reasons: BTreeMap<Rule, &'static str>,
}

/// A plan about which a person just said something.
#[derive(Debug, Serialize)]
pub(crate) struct RuledPlan {
    #[serde(flatten)]
    pub(crate) plan: PlanLine,
}

/// The beginning of a plan's id, to be typed.
pub(crate) fn short(plan: PlanId) -> String {
    plan.to_string().chars().take(SHORT).collect()
}

/// How a plan that waits is told beside a cycle.
pub(crate) fn waiting_line(plan: PlanId, paint: Paint) -> String {
    let short = short(plan);
    let what = paint.tone(Tone::Attention, &format!("plan {plan} waits for approval"));
    format!(
        "{what}: `passportal plans {short}` shows it, `passportal approve {short}` lets it pass"
    )
}

impl PlanLine {
    pub(crate) fn of(client: &str, plan: &HeldPlan) -> Self {
        Self {
            client: client.to_owned(),
            id: plan.id,
            at: plan.at,
            writes: plan.writes.len(),
            allowed: plan.allowed,
            standing: plan.standing.clone(),
        }
    }
}

impl WholePlan {
    pub(crate) fn new(client: &str, plan: HeldPlan) -> Self {
        let rules = plan.writes.iter().map(|write| write.rule);
        Self {
            client: client.to_owned(),
            reasons: rules.map(|rule| (rule, rule.why())).collect(),
            plan,
        }
    }
}

impl Shown for Plans {
    fn text(&self, paint: Paint) -> String {
        let headings = ["plan", "client", "writes", "held since", "standing"];
        let mut sheet = Sheet::new(paint, &headings).unbroken(&[0]);
        for plan in &self.plans {
            let (standing, tone) = standing(&plan.standing);
            sheet.row([
                (plan.id.to_string(), Tone::Normal),
                (plan.client.clone(), Tone::Normal),
                (plan.writes.to_string(), Tone::Normal),
                (time(plan.at), Tone::Normal),
                (standing, tone),
            ]);
        }
        sheet.text_or("no plan is held")
    }
}

impl Shown for WholePlan {
    fn text(&self, paint: Paint) -> String {
        let plan = &self.plan;
        let (standing, tone) = standing(&plan.standing);
        let heads = [
            format!(
                "plan      {}",
                paint.tone(Tone::Strong, &plan.id.to_string())
            ),
            format!("client    {}", one_line(&self.client)),
            format!("held      {}: {}", time(plan.at), breaker(plan)),
            format!("standing  {}", paint.tone(tone, &standing)),
        ];
        let headings = ["account", "version", "changed in Entra ID", "why"];
        let mut sheet = Sheet::new(paint, &headings).unbroken(&[0]);
        // People look for names; programs get the order of the plan.
        let mut writes: Vec<&Decision> = plan.writes.iter().collect();
        writes.sort_by(|one, other| one.user_name.cmp(&other.user_name));
        for write in writes {
            sheet.row(
                [
                    write.user_name.as_str().to_owned(),
                    write.version.to_string(),
                    stamp(write).map_or_else(|| "–".to_owned(), |stamp| time(stamp.0)),
                    write.rule.why().to_owned(),
                ]
                .map(|text| (text, Tone::Normal)),
            );
        }
        format!("{}\n\n{}", heads.join("\n"), sheet.text_or("no write"))
    }
}

impl Shown for RuledPlan {
    fn text(&self, paint: Paint) -> String {
        let plan = &self.plan;
        let (standing, tone) = standing(&plan.standing);
        let standing = paint.tone(tone, &standing);
        let (id, client) = (plan.id, one_line(&plan.client));
        format!(
            "plan {id} of {} for {client}: {standing}",
            writes(plan.writes)
        )
    }
}

fn breaker(plan: &HeldPlan) -> String {
    let wanted = writes(plan.writes.len());
    match plan.allowed {
        0 => format!("{wanted}, and no further one was allowed within the hour"),
        1 => format!("{wanted}, and 1 further one was allowed within the hour"),
        more => format!("{wanted}, and {more} further ones were allowed within the hour"),
    }
}

fn writes(count: usize) -> String {
    match count {
        1 => "1 write".to_owned(),
        count => format!("{count} writes"),
    }
}

fn standing(standing: &PlanStanding) -> (String, Tone) {
    match standing {
        PlanStanding::Waiting => ("waits for approval".to_owned(), Tone::Attention),
        PlanStanding::Approved(word) => (
            format!("approved by {} at {}", word.by, time(word.at)),
            Tone::Good,
        ),
        PlanStanding::Rejected(word) => (
            format!("rejected by {} at {}", word.by, time(word.at)),
            Tone::Bad,
        ),
    }
}

fn stamp(write: &Decision) -> Option<Stamp> {
    match write.action {
        Action::Push(target) => target.stamp,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync_engine::model::{CredentialId, ObjectId, SyncMode, UserPrincipalName, VaultVersion};
    use sync_engine::plan::{Target, Word};
    use uuid::Uuid;

    fn write(n: u128, user: &str, rule: Rule) -> Decision {
        Decision {
            credential: CredentialId(Uuid::from_u128(n)),
            user_name: UserPrincipalName::new(user),
            mode: SyncMode::Enabled,
            version: VaultVersion(2),
            rule,
            action: Action::Push(Target {
                object: ObjectId(Uuid::from_u128(100 + n)),
                stamp: (n == 1).then_some(Stamp(Timestamp::UNIX_EPOCH)),
            }),
            flags: BTreeMap::new(),
        }
    }

    fn plan(standing: PlanStanding) -> HeldPlan {
        HeldPlan {
            id: PlanId(Uuid::from_u128(0x3f2a_9c1e << 96)),
            at: Timestamp::UNIX_EPOCH,
            allowed: 1,
            writes: vec![
                write(1, "anna@contoso.com", Rule::VaultChanged),
                write(2, "ben@contoso.com", Rule::KnownMismatch),
            ],
            standing,
        }
    }

    fn word() -> Word {
        Word {
            by: "local user ada@srv-1".into(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_list_of_plans_is_as_reviewed() {
        let standings = [
            PlanStanding::Waiting,
            PlanStanding::Approved(word()),
            PlanStanding::Rejected(word()),
        ];
        let plans = standings.map(|it| PlanLine::of("Contoso", &plan(it)));
        let plans = Plans {
            plans: plans.into(),
        };
        insta::assert_snapshot!(plans.text(Paint::Plain));
    }

    #[test]
    fn no_plan_at_all_is_said() {
        let none = Plans { plans: Vec::new() };
        assert_eq!(none.text(Paint::Plain), "no plan is held");
    }

    #[test]
    fn a_whole_plan_is_as_reviewed() {
        let whole = WholePlan::new("Contoso", plan(PlanStanding::Waiting));
        insta::assert_snapshot!(whole.text(Paint::Plain));
    }

    #[test]
    fn a_saved_plan_is_as_reviewed_and_can_be_read_again() {
        let whole = WholePlan::new("Contoso", plan(PlanStanding::Approved(word())));
        insta::assert_json_snapshot!(whole);
        let saved = serde_json::to_string(&whole).unwrap();
        let read: HeldPlan = serde_json::from_str(&saved).unwrap();
        assert_eq!(read, whole.plan);
    }

    #[test]
    fn a_person_s_word_and_a_waiting_plan_are_told_in_one_line() {
        let ruled = RuledPlan {
            plan: PlanLine::of("Contoso", &plan(PlanStanding::Approved(word()))),
        };
        insta::assert_snapshot!(format!(
            "{}\n{}",
            ruled.text(Paint::Plain),
            waiting_line(ruled.plan.id, Paint::Plain)
        ));
    }
}
