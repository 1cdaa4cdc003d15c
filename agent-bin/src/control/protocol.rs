//! What is said on the socket: one line of JSON for the request, and lines of JSON until the answer. No secret
//! ever travels on it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sync_engine::CycleReport;
use sync_engine::explain::Explanation;
use sync_engine::model::{ClientId, FlagKind, PlanId, UserPrincipalName};
use sync_engine::plan::{HeldPlan, Ruling};

use super::{AgentTold, AgentWant, Cycles, Fault};

/// The version of this protocol. Another one is refused: both programs come in one package.
pub const VERSION: u32 = 1;
/// A request is short.
pub(super) const LONGEST_REQUEST: usize = 16 * 1024;
/// An answer may hold a row for each of a hundred thousand credentials.
pub(super) const LONGEST_ANSWER: usize = 256 * 1024 * 1024;

/// A line from the command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RequestLine {
    pub(super) version: u32,
    /// Who asks, by their own word: it counts only where the operating system does not tell who connected.
    #[serde(default)]
    pub(super) user: Option<String>,
    #[serde(flatten)]
    pub(super) asked: Asked,
}

/// Of whom something is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Asked {
    /// The agent as a whole.
    Agent { agent: AgentWant },
    /// Its clients.
    Clients(Request),
}

/// A line from the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AnswerLine {
    pub(super) version: u32,
    pub(super) answer: Answer,
}

/// What somebody wants, of one client or of all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The client, by name or id; `None` is all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// What.
    pub want: Want,
}

/// What somebody wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Want {
    /// How the client is.
    Status,
    /// What the next cycle would do.
    Preview,
    /// A cycle at once.
    Sync,
    /// The plans that wait for a person, or were ruled on.
    Plans,
    /// A person's word about one of them.
    Rule {
        /// Which.
        plan: PlanId,
        /// The word.
        ruling: Ruling,
    },
    /// What is known of an account, and what happens next.
    Explain {
        /// Its user name.
        account: UserPrincipalName,
    },
}

/// What the service says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// It is at it. Said every few seconds, so that silence means that it is gone.
    Working,
    /// What each client had to say.
    Clients(Vec<ClientAnswer>),
    /// What the agent as a whole had to say.
    Agent(AgentTold),
    /// The request as a whole is refused.
    Refused(Fault),
}

/// What one client had to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientAnswer {
    /// The client.
    pub id: ClientId,
    /// Its name.
    pub client: String,
    /// The answer.
    pub said: Said,
}

/// An answer, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// The answer.
    Told(Box<Told>),
    /// Why there is none.
    Failed(Fault),
}

/// What a client can tell: each want has its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// To [`Want::Status`].
    Status(ClientStatus),
    /// To [`Want::Preview`] and [`Want::Sync`].
    Cycle(CycleReport),
    /// To [`Want::Plans`].
    Plans(Vec<HeldPlan>),
    /// To [`Want::Rule`]: the plan as it stands now.
    Ruled(HeldPlan),
    /// To [`Want::Explain`]: one for each credential of that account.
    Explained(Vec<Explanation>),
}

/// How a client is: whether its vault lets the agent in, what is remembered of it, and how its cycles go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientStatus {
    /// The vault.
    pub vault: Reach,
    /// The memory.
    pub memory: Recall,
    /// The cycles, where a service runs them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycles: Option<Cycles>,
}

/// Whether the vault lets the agent in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Reach {
    /// It does.
    Reachable {
        /// What it holds.
        credentials: usize,
    },
    /// It does not, or it does not answer.
    Failing {
        /// Why.
        why: String,
    },
}

/// Whether the memory can be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recall {
    /// It can.
    Remembered(Remembered),
    /// It cannot.
    Unusable {
        /// Why.
        why: String,
    },
}

/// What is remembered of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// How many credentials are known.
    pub credentials: usize,
    /// The flags that the engine raised.
    pub flags: BTreeMap<FlagKind, usize>,
    /// Reports that the vault did not take yet.
    pub unsent_reports: usize,
    /// When something was last done.
    pub last_step: Option<Timestamp>,
    /// A plan that waits for a person.
    pub held_plan: Option<Waiting>,
}

/// A plan that waits for a person, without its writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Its id.
    pub id: PlanId,
    /// Since when.
    pub at: Timestamp,
    /// How many writes it has.
    pub writes: usize,
}

impl RequestLine {
    pub(super) fn new(user: Option<String>, asked: Asked) -> Self {
        Self {
            version: VERSION,
            user,
            asked,
        }
    }

    /// Understands a line. The version is looked at first: what a newer one says may look different.
    pub(super) fn parse(line: &[u8]) -> Result<Self, Fault> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let Ok(Versioned { version }) = serde_json::from_slice(line) else {
            return Err(not_understood());
        };
        if version != VERSION {
            return Err(Fault::new(
                format!(
                    "the service speaks version {VERSION} of the socket's protocol, not {version}"
                ),
                "use programs of one version; restart the service after an update",
            ));
        }
        serde_json::from_slice(line).map_err(|_| not_understood())
    }
}

fn not_understood() -> Fault {
    Fault::new(
        "the service does not understand the request",
        "use programs of one version; restart the service after an update",
    )
}

impl AnswerLine {
    pub(super) fn new(answer: Answer) -> Self {
        Self {
            version: VERSION,
            answer,
        }
    }
}

impl Said {
    pub(super) fn new(result: Result<Told, Fault>) -> Self {
        match result {
            Ok(told) => Self::Told(Box::new(told)),
            Err(fault) => Self::Failed(fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn wanted(text: &str) -> Result<Want, Fault> {
        match RequestLine::parse(text.as_bytes())?.asked {
            Asked::Clients(request) => Ok(request.want),
            Asked::Agent { agent } => panic!("{agent:?} is no want of clients"),
        }
    }

    #[test]
    fn requests_read_as_documented() {
        assert_eq!(
            wanted(r#"{"version":1,"want":"status"}"#).unwrap(),
            Want::Status
        );
        assert_eq!(
            wanted(r#"{"version":1,"client":"Contoso","want":"sync","more":1}"#).unwrap(),
            Want::Sync
        );
        let rule = r#"{"version":1,"want":{"rule":{"plan":"00000000-0000-0000-0000-000000000007","ruling":"approve"}}}"#;
        let plan = PlanId(Uuid::from_u128(7));
        let ruling = Ruling::Approve;
        assert_eq!(wanted(rule).unwrap(), Want::Rule { plan, ruling });
        let explain = r#"{"version":1,"want":{"explain":{"account":"anna@contoso.com"}}}"#;
        let account = UserPrincipalName::new("anna@contoso.com");
        assert_eq!(wanted(explain).unwrap(), Want::Explain { account });
    }

    #[test]
    fn what_is_sent_is_what_is_understood() {
        let request = Request {
            client: Some("Contoso".into()),
            want: Want::Preview,
        };
        let filter = "debug".into();
        let agent = AgentWant::LogLevel { filter };
        for asked in [Asked::Clients(request), Asked::Agent { agent }] {
            let line = RequestLine::new(Some("ada".into()), asked);
            let text = serde_json::to_vec(&line).unwrap();
            assert_eq!(RequestLine::parse(&text).unwrap(), line);
        }
    }

    #[test]
    fn an_unknown_request_and_another_version_are_answered_with_an_error() {
        for text in [
            "",
            "hello",
            "[]",
            r#"{"want":"status"}"#,
            r#"{"version":1}"#,
            r#"{"version":1,"want":"password"}"#,
            r#"{"version":1,"agent":"password"}"#,
            r#"{"version":1,"want":{"rule":{"plan":"7","ruling":"approve"}}}"#,
        ] {
            let fault = wanted(text).unwrap_err();
            assert!(fault.to_string().contains("understand"), "{text}: {fault}");
        }
        let fault = wanted(r#"{"version":2,"want":{"new":{}}}"#).unwrap_err();
        assert!(fault.to_string().contains("version 1"), "{fault}");
    }
}
