//! What became of the plans that the mass-change breaker held: held, approved, rejected, over.

use std::collections::BTreeMap;

use sync_engine::model::PlanId;
use sync_engine::plan::{HeldPlan, PlanStanding};

/// Something new about a held plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanNews {
    /// The plan, as it was seen last.
    pub plan: HeldPlan,
    /// What is new about it.
    pub turn: Turn,
}

/// A turn that a held plan took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It stands as it does: it waits, or a person ruled on it.
    Stands,
    /// It is gone. One that waited has expired: the world has moved. One that was approved is done, or too old.
    Over,
}

/// Compares the plans of one client from time to time.
#[derive(Debug, Default)]
pub(crate) struct PlanWatch {
    known: BTreeMap<PlanId, HeldPlan>,
}

impl PlanWatch {
    /// What is new, of old plans first.
    pub(crate) fn look(&mut self, plans: Vec<HeldPlan>) -> Vec<PlanNews> {
        let now: BTreeMap<PlanId, HeldPlan> = plans.into_iter().map(|it| (it.id, it)).collect();
        let before = std::mem::take(&mut self.known);
        let standing = |plans: &BTreeMap<PlanId, HeldPlan>, id| -> Option<PlanStanding> {
            plans.get(id).map(|plan| plan.standing.clone())
        };
        let gone = before.values().filter(|plan| !now.contains_key(&plan.id));
        let gone = gone.map(|plan| (plan, Turn::Over));
        let turned = now
            .values()
            .filter(|plan| standing(&before, &plan.id).as_ref() != Some(&plan.standing));
        let turned = turned.map(|plan| (plan, Turn::Stands));
        let news = gone.chain(turned).map(|(plan, turn)| PlanNews {
            plan: plan.clone(),
            turn,
        });
        let news = news.collect();
        self.known = now;
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use sync_engine::plan::Word;
    use uuid::Uuid;

    fn plan(n: u128, standing: PlanStanding) -> HeldPlan {
        HeldPlan {
            id: PlanId(Uuid::from_u128(n)),
            at: Timestamp::UNIX_EPOCH,
            allowed: 0,
            writes: Vec::new(),
            standing,
        }
    }

    fn approved() -> PlanStanding {
        PlanStanding::Approved(Word {
            by: "local user ada@srv-1".into(),
            at: Timestamp::UNIX_EPOCH,
        })
    }

    fn turns(news: &[PlanNews]) -> Vec<(u128, Turn, bool)> {
        let each = news.iter();
        each.map(|it| (it.plan.id.0.as_u128(), it.turn, it.plan.is_waiting()))
            .collect()
    }

    #[test]
    fn each_turn_of_a_plan_is_news_once() {
        let mut watch = PlanWatch::default();
        let mut look = |plans: Vec<HeldPlan>| turns(&watch.look(plans));
        assert_eq!(look(Vec::new()), []);
        let waiting = || plan(1, PlanStanding::Waiting);
        assert_eq!(look(vec![waiting()]), [(1, Turn::Stands, true)]);
        assert_eq!(look(vec![waiting()]), []);
        assert_eq!(look(vec![plan(1, approved())]), [(1, Turn::Stands, false)]);
        assert_eq!(look(vec![plan(1, approved())]), []);
        assert_eq!(look(Vec::new()), [(1, Turn::Over, false)]);
    }

    #[test]
    fn a_plan_that_another_one_replaces_is_over_first() {
        let mut watch = PlanWatch::default();
        watch.look(vec![plan(2, PlanStanding::Waiting)]);
        let news = turns(&watch.look(vec![plan(1, PlanStanding::Waiting)]));
        assert_eq!(news, [(2, Turn::Over, true), (1, Turn::Stands, true)]);
    }
}
