//! Decides what one cycle does. Pure: no clock, no port, equal input gives an equal plan.

mod action;
pub(crate) mod budget;
mod check;
pub(crate) mod eligibility;
mod enabled;
pub(crate) mod guard;
mod held;
mod horizon;
mod index;
mod moved;
mod own_sign_in;
mod passive;
mod planner;
mod policy;
mod rule;
mod rules;
mod situation;

pub use action::{Action, Decision, Pause, PauseReason, Plan, Target};
pub use guard::{Tripped, guard};
pub(crate) use held::Words;
pub use held::{HeldPlan, PlanRuling, PlanStanding, Ruling, Word};
pub use moved::Moved;
pub use own_sign_in::{AskedBy, OwnSignInRefused, may_sign_in};
pub use planner::{Inputs, Planner};
pub use policy::{NewOwnPassword, OwnAccount, Policy, Verification};
pub use rule::Rule;
pub use rules::plan;
