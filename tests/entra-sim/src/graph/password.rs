//! `PATCH /users/{id}` with a password profile: the one write that is simulated.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::call::{Call, Caller, Context};
use super::error::GraphError;
use super::reset_rights::{self, Target};
use super::{password_policy, properties};
use crate::directory::account::Account;
use crate::directory::diary::Deed;
use crate::directory::tenant::Tenant;
use crate::entra::access_token::Subject;
use crate::reply::Reply;
use crate::scenario::ClearText;

/// Source: Microsoft Graph, Update user: an application needs this permission and a directory role.
const APP_PERMISSIONS: [&str; 1] = ["User-PasswordProfile.ReadWrite.All"];
/// A signed-in administrator's client may hold the older, wider one instead.
const DELEGATED_PERMISSIONS: [&str; 2] = [
    "User-PasswordProfile.ReadWrite.All",
    "Directory.AccessAsUser.All",
];

/// The parts of a password profile; absent ones stay as they are.
#[derive(Debug, Default)]
struct PasswordProfile {
    password: Option<ClearText>,
    force_change: Option<bool>,
}

/// Sets a password.
pub(super) fn set(
    tenant: &mut Tenant,
    context: &Context,
    caller: &Caller,
    call: &Call,
    key: &str,
) -> Result<Reply, GraphError> {
    caller.need_one_of(match caller.subject {
        Subject::App(_) => &APP_PERMISSIONS,
        Subject::User(_) => &DELEGATED_PERMISSIONS,
    })?;
    let account = tenant.find(key).ok_or_else(|| GraphError::not_found(key))?;
    let profile = parse(call)?;
    check(tenant, account, caller, &profile)?;
    let id = account.id;
    apply(tenant, context, caller, id, profile);
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

fn check(
    tenant: &Tenant,
    account: &Account,
    caller: &Caller,
    profile: &PasswordProfile,
) -> Result<(), GraphError> {
    if account.on_premises {
        return Err(GraphError::on_premises_mastered());
    }
    let target = Target {
        roles: tenant.roles_of_user(account),
        in_assignable_group: tenant.is_in_assignable_group(account),
    };
    if !reset_rights::may_reset(&caller.roles, &target) {
        return Err(GraphError::insufficient_privileges());
    }
    let accepted = profile
        .password
        .as_ref()
        .is_none_or(|password| password_policy::accepts(password.expose(), &tenant.banned_words));
    if accepted {
        Ok(())
    } else {
        Err(GraphError::policy_violation())
    }
}

fn apply(
    tenant: &mut Tenant,
    context: &Context,
    caller: &Caller,
    id: Uuid,
    profile: PasswordProfile,
) {
    match profile.password {
        Some(password) => {
            let (Subject::App(by) | Subject::User(by)) = caller.subject;
            let had_it = tenant.has(id, password.expose());
            let deed = Deed::Write { by, had_it };
            tenant.note(id, password.expose(), deed, context.now);
            tenant.set_password(
                id,
                password,
                profile.force_change.unwrap_or(false),
                context.now,
            );
            tenant.count_write(id);
        }
        None => {
            if let Some(must_change) = profile.force_change {
                tenant.demand_change(id, must_change, context.now);
            }
        }
    }
}

fn parse(call: &Call) -> Result<PasswordProfile, GraphError> {
    if !call.headers.contains_key(CONTENT_TYPE) {
        return Err(GraphError::bad_request(
            "Write requests (excluding DELETE) must contain the Content-Type header declaration."
                .to_owned(),
        ));
    }
    let body: Map<String, Value> = serde_json::from_slice(&call.body).map_err(|_| unreadable())?;
    let mut profile = PasswordProfile::default();
    for (name, value) in body {
        match (name.as_str(), value) {
            ("passwordProfile", Value::Object(parts)) => profile = profile_of(parts)?,
            ("passwordProfile", _) => return Err(unreadable()),
            (name, _) if name.starts_with("@odata.") => {}
            (name, _) if properties::is_read_only(name)? => {
                return Err(GraphError::read_only(name));
            }
            (name, _) => return Err(GraphError::not_simulated(name)),
        }
    }
    Ok(profile)
}

fn profile_of(parts: Map<String, Value>) -> Result<PasswordProfile, GraphError> {
    let mut profile = PasswordProfile::default();
    for (name, value) in parts {
        match (name.as_str(), value) {
            ("password", Value::String(password)) => {
                profile.password = Some(ClearText::from(password));
            }
            (
                "forceChangePasswordNextSignIn" | "forceChangePasswordNextSignInWithMfa",
                Value::Bool(force),
            ) => {
                profile.force_change = Some(profile.force_change.unwrap_or(false) || force);
            }
            (
                "password"
                | "forceChangePasswordNextSignIn"
                | "forceChangePasswordNextSignInWithMfa",
                Value::Null,
            ) => {}
            (name, _) if name.starts_with("@odata.") => {}
            (name, _) => return Err(GraphError::invalid_property(name)),
        }
    }
    Ok(profile)
}

fn unreadable() -> GraphError {
    GraphError::bad_request(
        "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON \
         format."
            .to_owned(),
    )
}
