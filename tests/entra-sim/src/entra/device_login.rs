//! The page behind the verification address, where a person enters a user code.
//!
//! Entra ID's own page is made of scripts; this one has what a form post needs, and nothing else.

use axum::extract::{Extension, Form, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

use super::device_code::{self, Person};
use super::refusal::Refusal;
use crate::edge::RequestIds;
use crate::scenario::ClearText;
use crate::simulator::Simulator;

const FORM: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sign in</title>\
<form method=\"post\">\
<p><label>Code <input name=\"user_code\" required></label>\
<p><label>User name <input name=\"user\" autocomplete=\"off\"></label>\
<p><label>Password <input name=\"password\" type=\"password\" autocomplete=\"off\"></label>\
<p><button name=\"answer\" value=\"approve\">Continue</button> \
<button name=\"answer\" value=\"decline\">Cancel</button>\
</form></html>";
const DONE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sign in</title>\
<p>You may close this window now.</html>";

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Entered {
    user_code: String,
    #[serde(default)]
    user: String,
    password: Option<ClearText>,
    answer: Answer,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Approve,
    Decline,
}

pub(super) async fn show() -> Html<&'static str> {
    Html(FORM)
}

pub(super) async fn enter(
    State(simulator): State<Simulator>,
    Extension(ids): Extension<RequestIds>,
    Form(entered): Form<Entered>,
) -> Response {
    simulator.with_world(|world, now| {
        let outcome = match entered.answer {
            Answer::Decline => device_code::decline(world, &entered.user_code, now),
            Answer::Approve => {
                let person = entered.person();
                device_code::approve(world, &entered.user_code, &person, now)
            }
        };
        match outcome {
            Ok(()) => (StatusCode::OK, Html(DONE)).into_response(),
            Err(refusal) => Refusal::into_reply(refusal, &ids, now).into_response(),
        }
    })
}

impl Entered {
    /// A form always carries a password, an empty one included.
    fn person(&self) -> Person<'_> {
        let password = self.password.as_ref().map_or("", ClearText::expose);
        Person {
            user: &self.user,
            password: Some(password),
        }
    }
}
