//! Agents as people see them: which there are, and whether they are at work.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An agent that is enrolled for a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeenAgent {
    /// The agent.
    pub id: Uuid,
    /// Its machine's host name, as it says.
    pub host: String,
    /// Its version, as it says.
    pub version: String,
    /// How it is.
    pub condition: AgentCondition,
    /// When it was last heard.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_seen: Option<Timestamp>,
}

/// How an agent is, by its last word and by how long ago that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AgentCondition {
    /// It was enrolled, and never heard.
    NotSeenYet,
    /// At work.
    Running,
    /// Its last cycle failed.
    Failing,
    /// Not heard for two of its intervals, and its lease is over: nobody knows how it is.
    Silent,
    /// It said farewell.
    Stopped,
}

impl AgentCondition {
    /// In the words of the dashboard.
    pub fn label(self) -> &'static str {
        match self {
            Self::NotSeenYet => "Not seen yet",
            Self::Running => "Running",
            Self::Failing => "Last cycle failed",
            Self::Silent => "Silent",
            Self::Stopped => "Stopped",
        }
    }
}
