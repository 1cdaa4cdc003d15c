//! A person's part of a device code sign-in, without a browser.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::json;

use super::done;
use crate::entra::device_code::{self, Person};
use crate::reply::Reply;
use crate::scenario::ClearText;
use crate::simulator::Simulator;

/// Who signs in; without a password none is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Approval {
    user: String,
    #[serde(default)]
    password: Option<ClearText>,
}

pub(super) async fn waiting(State(simulator): State<Simulator>) -> Reply {
    Reply::ok(json!({ "user_codes": simulator.waiting_user_codes() }))
}

pub(super) async fn approve(
    State(simulator): State<Simulator>,
    Path(user_code): Path<String>,
    Json(approval): Json<Approval>,
) -> Reply {
    let person = Person {
        user: &approval.user,
        password: approval.password.as_ref().map(ClearText::expose),
    };
    done(simulator.answer_device(&user_code, |world, now| {
        device_code::approve(world, &user_code, &person, now)
    }))
}

pub(super) async fn decline(
    State(simulator): State<Simulator>,
    Path(user_code): Path<String>,
) -> Reply {
    done(simulator.decline_device(&user_code))
}
