//! What a person does with an agent.

use axum::extract::Path;
use axum::response::Redirect;
use uuid::Uuid;

use super::form::{Empty, OwnForm};
use super::problem::{Problem, back_with};

pub(super) async fn revoke(
    Path(agent): Path<Uuid>,
    form: OwnForm<Empty>,
) -> Result<Redirect, Problem> {
    let session = form.session;
    let revoked = session.vault().revoke_agent(agent).await;
    let done = "The agent was revoked. Its token is worth nothing from now on.";
    back_with(&session, "/", revoked, done)
}
