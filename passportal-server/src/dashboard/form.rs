//! Forms: read only when they come from a page of the same session.

use std::sync::Arc;

use axum::Form;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use super::session::{Session, SignedIn};
use crate::state::AppState;

/// A form's fields, and the session that sent it.
pub(super) struct OwnForm<T> {
    pub(super) session: Arc<Session>,
    pub(super) fields: T,
}

/// A form that has nothing but its button.
#[derive(Deserialize)]
pub(super) struct Empty {}

#[derive(Deserialize)]
struct Guarded<T> {
    #[serde(default)]
    csrf: String,
    #[serde(flatten)]
    fields: T,
}

impl<T: DeserializeOwned> FromRequest<AppState> for OwnForm<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let signed_in = SignedIn::from_request_parts(&mut parts, state).await;
        let SignedIn(session) = signed_in.map_err(IntoResponse::into_response)?;
        let request = Request::from_parts(parts, body);
        // The reason is not told on: it may quote a field.
        let Form(form) = Form::<Guarded<T>>::from_request(request, state)
            .await
            .map_err(|rejection| Problem::refused_form(rejection.status()).into_response())?;
        if !session.is_own_form(&form.csrf) {
            return Err(Problem::foreign_form().into_response());
        }
        Ok(Self {
            session,
            fields: form.fields,
        })
    }
}
