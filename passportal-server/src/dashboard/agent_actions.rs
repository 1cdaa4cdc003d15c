//! What a person does with an agent.

use axum::extract::{Path, State};
use axum::response::Redirect;
use uuid::Uuid;

use super::form::{Empty, OwnForm};
use super::problem::{Problem, back_with};
use crate::state::AppState;

pub(super) async fn revoke(
    State(state): State<AppState>,
    Path(agent): Path<Uuid>,
    form: OwnForm<Empty>,
) -> Result<Redirect, Problem> {
    let session = form.session;
    let revoked = state.vault.revoke_agent(&session.actor(), agent).await;
    let done = "The agent was revoked. Its token is worth nothing from now on.";
    back_with(&session, "/", revoked, done)
}
