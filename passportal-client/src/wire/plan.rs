//! Plans that an agent's mass-change breaker held: shown by the agent, ruled on by people.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::SyncMode;

/// `PUT /api/v2/agent/plans`: the plans that people see from now on, in place of those before.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShownPlans {
    /// Up to 20, with up to 100,000 writes in all of them together.
    pub plans: Vec<HeldPlan>,
    /// Which of the processes that hold this token shows them, as in its heartbeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<Uuid>,
}

impl ShownPlans {
    /// Plans at the most.
    pub const PLANS_MOST: usize = 20;

    /// Writes at the most, in all plans together.
    pub const WRITES_MOST: usize = 100_000;
}

/// A held plan, as an agent shows it. What it holds never changes: another plan has another id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeldPlan {
    /// Its id.
    pub id: Uuid,
    /// When it was held.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    /// How many more writes the breaker would have let pass then.
    pub allowed: u64,
    /// How many writes it has, listed or not.
    pub total: u64,
    /// Its writes, in order: all, or the first of them where they are too many to be shown.
    pub writes: Vec<HeldWrite>,
    /// What the agent knows of people's words about it.
    #[serde(default)]
    pub standing: PlanStanding,
}

/// One password that would be set in Entra ID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeldWrite {
    /// The credential.
    pub credential: Uuid,
    /// The account that it is for.
    pub user_name: String,
    /// The version that would be set.
    pub version: u64,
    /// The credential's mode.
    pub mode: SyncMode,
    /// The rule that asked for it, in words.
    pub why: String,
    /// The account's object id.
    pub object: Uuid,
    /// When the account's password last changed, as far as the agent knew.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub stamp: Option<Timestamp>,
}

/// What a person said about a held plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum PlanStanding {
    /// Nothing yet: its writes are held.
    #[default]
    Waiting,
    /// Exactly its writes may be made.
    Approved(Word),
    /// None of its writes may be made.
    Rejected(Word),
}

/// Who said something, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Word {
    /// An e-mail address, or a local user of the agent's machine.
    pub by: String,
    /// When.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
}

/// What a person says about a held plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Ruling {
    /// Make exactly these writes.
    Approve,
    /// Make none of them.
    Reject,
}

/// A person's word about one plan, as its agent hears of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanRuling {
    /// The plan.
    pub plan: Uuid,
    /// What.
    pub ruling: Ruling,
    /// Who.
    pub by: String,
    /// When.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
}

/// `GET /api/v2/plans`: which plans.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
pub struct PlanQuery {
    /// Of this client only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Uuid>,
}

/// `GET /api/v2/plans`: a held plan, as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Plan {
    /// Its id.
    pub id: Uuid,
    /// Its client.
    pub client: Uuid,
    /// The client's name.
    pub client_name: String,
    /// When it was held.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    /// How many more writes the breaker would have let pass then.
    pub allowed: u64,
    /// How many writes it has.
    pub total: u64,
    /// What a person said about it, here or at the agent.
    pub standing: PlanStanding,
    /// When the agent heard of that word; `None` where it has not yet, or never did.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub heard: Option<Timestamp>,
    /// When the agent ceased to show it: it is done, or the world has moved on. A plan that nobody
    /// ruled on before that is expired.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub ended: Option<Timestamp>,
}

impl Plan {
    /// Whether it waits for a person.
    pub fn is_waiting(&self) -> bool {
        self.standing == PlanStanding::Waiting && self.ended.is_none()
    }
}

/// `GET /api/v2/plans/{id}`: a held plan with its writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanDetails {
    /// The plan.
    #[serde(flatten)]
    pub plan: Plan,
    /// Its writes, by user name; none where it expired. Fewer than `total` where the agent could not
    /// show all of them.
    pub writes: Vec<HeldWrite>,
}
