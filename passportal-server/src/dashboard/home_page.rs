//! `/`: what needs a person, which agents were seen, and the clients at a glance.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use passportal_client::wire::{AgentCondition, FlagKind};
use uuid::Uuid;

use super::chart::Chart;
use super::clients_page::ClientLine;
use super::layout::{Layout, Section};
use super::plan_page::{self, WaitingPlan};
use super::problem::{Problem, page};
use super::session::Message;
use super::signed_in::SignedIn;
use super::trends_page;
use super::wording::{FlagCount, TimeView};
use crate::state::AppState;
use crate::vault::{Act, Agent};

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    layout: Layout,
    counts: [(FlagCount, &'static str); 3],
    waiting_writes: u64,
    waiting: Vec<WaitingPlan>,
    agents: Vec<AgentLine>,
    trend: Option<Chart>,
    clients: Vec<ClientLine>,
}

struct AgentLine {
    id: Uuid,
    host: String,
    version: String,
    client: Uuid,
    client_name: String,
    state: &'static str,
    needs_a_look: bool,
    last_seen: Option<TimeView>,
}

impl AgentLine {
    fn new(agent: Agent) -> Self {
        Self {
            id: agent.seen.id,
            host: agent.seen.host,
            version: agent.seen.version,
            client: agent.client,
            client_name: agent.client_name,
            state: agent.seen.condition.label(),
            needs_a_look: needs_a_look(agent.seen.condition),
            last_seen: agent.seen.last_seen.map(TimeView::new),
        }
    }
}

fn needs_a_look(condition: AgentCondition) -> bool {
    matches!(condition, AgentCondition::Silent | AgentCondition::Failing)
}

pub(super) async fn show(
    State(state): State<AppState>,
    session: SignedIn,
) -> Result<Response, Problem> {
    let clients = session.vault().clients().await?;
    let total = |kind: FlagKind| {
        let of_clients = clients.iter().filter_map(|client| client.flags.get(&kind));
        FlagCount::new(kind, of_clients.sum())
    };
    page(&HomePage {
        layout: Layout::new(&state, &session, Section::Dashboard, "Dashboard"),
        counts: [
            (total(FlagKind::AdChange), "passwords that do not match"),
            (total(FlagKind::Held), "waiting for a person"),
            (total(FlagKind::Blocked), "accounts left alone"),
        ],
        waiting_writes: clients.iter().map(|client| client.waiting_writes).sum(),
        waiting: plan_page::waiting(&session, None).await?,
        agents: session
            .vault()
            .agents()
            .await?
            .into_iter()
            .map(AgentLine::new)
            .collect(),
        trend: trends_page::flags_of_a_month(&session).await?,
        clients: clients.iter().map(ClientLine::new).collect(),
    })
}
