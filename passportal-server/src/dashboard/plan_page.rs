//! `/clients/{id}/plans/{id}`: a plan that the mass-change breaker held, and a person's word about it.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use passportal_client::wire::{HeldWrite, Plan, PlanQuery, PlanStanding, Ruling, Word};
use serde::Deserialize;
use uuid::Uuid;

use super::credential_page;
use super::form::{Empty, OwnForm};
use super::layout::{Layout, Section};
use super::problem::{Problem, back_with, page};
use super::session::Message;
use super::signed_in::SignedIn;
use super::wording::{Changes, TimeView};
use crate::state::AppState;
use crate::vault::{Act, Part, VaultError};

/// Writes on one page.
const PER_PAGE: u64 = 500;

#[derive(Template)]
#[template(path = "plan.html")]
struct PlanPage {
    layout: Layout,
    client: Uuid,
    client_name: String,
    address: String,
    id: Uuid,
    changes: Changes,
    allowed: u64,
    held: TimeView,
    standing: StandingView,
    writes: Vec<WriteLine>,
    pages: Pages,
    /// Writes that the agent could not show.
    unlisted: u64,
}

#[derive(Template)]
#[template(path = "plan_expired.html")]
struct ExpiredPage {
    layout: Layout,
    client: Uuid,
    client_name: String,
    held: TimeView,
    ended: TimeView,
    /// What waits now.
    waiting: Vec<WaitingPlan>,
}

/// A plan that waits, as a link.
pub(super) struct WaitingPlan {
    pub(super) address: String,
    pub(super) client_name: String,
    pub(super) changes: Changes,
    pub(super) held: TimeView,
}

impl WaitingPlan {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            address: address(plan.client, plan.id),
            client_name: plan.client_name.clone(),
            changes: Changes(plan.total),
            held: TimeView::new(plan.at),
        }
    }
}

/// The plans that wait, of one client or of all.
pub(super) async fn waiting(
    session: &SignedIn,
    client: Option<Uuid>,
) -> Result<Vec<WaitingPlan>, VaultError> {
    let plans = session.vault().plans(&PlanQuery { client }).await?;
    let waiting = plans.iter().filter(|plan| plan.is_waiting());
    Ok(waiting.map(WaitingPlan::new).collect())
}

/// What was said, and what became of it.
enum StandingView {
    Waiting,
    Said {
        what: &'static str,
        by: String,
        at: TimeView,
        then: &'static str,
    },
}

impl StandingView {
    fn new(plan: &Plan) -> Self {
        let said = |what, word: &Word, then| Self::Said {
            what,
            by: word.by.clone(),
            at: TimeView::new(word.at),
            then,
        };
        match &plan.standing {
            PlanStanding::Waiting => Self::Waiting,
            PlanStanding::Approved(word) => said("Approved", word, after_approval(plan)),
            PlanStanding::Rejected(word) => said("Rejected", word, after_rejection(plan)),
        }
    }
}

fn after_approval(plan: &Plan) -> &'static str {
    match (plan.heard, plan.ended) {
        (None, Some(_)) => {
            "It came too late: the world had moved on before the agent heard of it, so nothing was written because of it."
        }
        (Some(_), Some(_)) => {
            "The plan has ended. What became of each write stands in its credential's history."
        }
        (None, None) => "The agent has not heard of it yet. It will make exactly these writes.",
        (Some(_), None) => {
            "The agent makes exactly these writes, as long as each account is as it was."
        }
    }
}

fn after_rejection(plan: &Plan) -> &'static str {
    if plan.ended.is_some() {
        "The plan has ended. None of its writes was made because of it."
    } else {
        "None of these writes is made. A single one can still be confirmed at its credential, and a new password is a new write."
    }
}

struct WriteLine {
    address: String,
    user_name: String,
    version: u64,
    mode: &'static str,
    why: String,
    object: Uuid,
    stamp: Option<TimeView>,
}

impl WriteLine {
    fn new(client: Uuid, write: HeldWrite) -> Self {
        Self {
            address: credential_page::address(client, write.credential),
            user_name: write.user_name,
            version: write.version,
            mode: write.mode.label(),
            why: write.why,
            object: write.object,
            stamp: write.stamp.map(TimeView::new),
        }
    }
}

/// Which of the pages of a long list.
struct Pages {
    current: u64,
    last: u64,
}

impl Pages {
    fn new(asked: Option<u64>, listed: u64) -> Self {
        let last = listed.div_ceil(PER_PAGE).max(1);
        let current = asked.unwrap_or(1).clamp(1, last);
        Self { current, last }
    }

    fn part(&self) -> Part {
        Part {
            after: (self.current - 1) * PER_PAGE,
            most: PER_PAGE,
        }
    }
}

/// The address of a plan's page.
pub(super) fn address(client: Uuid, plan: Uuid) -> String {
    format!("/clients/{client}/plans/{plan}")
}

/// Which page of the writes.
#[derive(Deserialize)]
pub(super) struct PageQuery {
    page: Option<u64>,
}

pub(super) async fn show(
    State(state): State<AppState>,
    session: SignedIn,
    Path((client, id)): Path<(Uuid, Uuid)>,
    query: Result<Query<PageQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    // A page that does not exist is the first one.
    let asked = query.ok().and_then(|Query(query)| query.page);
    let listed = session.vault().listed_writes(id).await?;
    let pages = Pages::new(asked, listed);
    let details = session.vault().plan(id, pages.part()).await?;
    let plan = details.plan;
    require_client(&plan, client)?;
    if let (PlanStanding::Waiting, Some(ended)) = (&plan.standing, plan.ended) {
        return expired(&state, &session, &plan, TimeView::new(ended)).await;
    }
    let changes = Changes(plan.total);
    let layout = Layout::new(&state, &session, Section::Clients, changes.held());
    let writes = details.writes.into_iter();
    page(&PlanPage {
        layout,
        client,
        address: address(client, id),
        id,
        allowed: plan.allowed,
        held: TimeView::new(plan.at),
        standing: StandingView::new(&plan),
        writes: writes.map(|write| WriteLine::new(client, write)).collect(),
        unlisted: plan.total.saturating_sub(listed),
        client_name: plan.client_name,
        changes,
        pages,
    })
}

async fn expired(
    state: &AppState,
    session: &SignedIn,
    plan: &Plan,
    ended: TimeView,
) -> Result<Response, Problem> {
    let page = ExpiredPage {
        layout: Layout::new(state, session, Section::Clients, "This plan expired"),
        client: plan.client,
        client_name: plan.client_name.clone(),
        held: TimeView::new(plan.at),
        ended,
        waiting: waiting(session, Some(plan.client)).await?,
    };
    Ok((StatusCode::GONE, Html(page.render()?)).into_response())
}

pub(super) async fn approve(
    Path(at): Path<(Uuid, Uuid)>,
    form: OwnForm<Empty>,
) -> Result<Redirect, Problem> {
    let done = "Approved. The agent makes exactly these writes.";
    rule(&form, at, Ruling::Approve, done).await
}

pub(super) async fn reject(
    Path(at): Path<(Uuid, Uuid)>,
    form: OwnForm<Empty>,
) -> Result<Redirect, Problem> {
    let done = "Rejected. None of these writes is made.";
    rule(&form, at, Ruling::Reject, done).await
}

async fn rule(
    form: &OwnForm<Empty>,
    (client, id): (Uuid, Uuid),
    ruling: Ruling,
    done: &str,
) -> Result<Redirect, Problem> {
    let none = Part { after: 0, most: 0 };
    let session = &form.session;
    let plan = session.vault().plan(id, none).await?.plan;
    require_client(&plan, client)?;
    let ruled = session.vault().rule(id, ruling).await;
    back_with(session, &address(client, id), ruled, done)
}

fn require_client(plan: &Plan, client: Uuid) -> Result<(), VaultError> {
    if plan.client == client {
        return Ok(());
    }
    Err(VaultError::NotFound { what: "plan" })
}
