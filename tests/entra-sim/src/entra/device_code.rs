//! The device authorization grant: a code for a client without a browser, approved by a person elsewhere.
//!
//! Source: Microsoft identity platform and the OAuth 2.0 device authorization grant flow; RFC 8628.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::access_token::random_text;
use super::claims_request::ClaimsRequest;
use super::refusal::{self, Refusal};
use super::request::TokenRequest;
use super::user_session::UserSession;
use super::{client, resource, sign_in};
use crate::directory::account::Account;
use crate::directory::diary::Deed;
use crate::world::{TenantIndex, World};

const LIFETIME: SignedDuration = SignedDuration::from_mins(15);
/// Seconds between two polls.
const INTERVAL: u32 = 5;
/// Letters that nobody mistakes for one another.
const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const USER_CODE_LENGTH: usize = 9;

/// One sign-in that waits for a person, or has met one.
#[derive(Debug)]
struct Pending {
    tenant: TenantIndex,
    client: Uuid,
    user_code: String,
    scopes: Vec<String>,
    expires: Timestamp,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Approved { user: Uuid, at: Timestamp },
    Declined,
    Redeemed,
}

/// Every device code that was handed out.
#[derive(Debug, Default)]
pub(crate) struct DeviceCodes {
    pending: HashMap<String, Pending>,
}

/// Who enters a user code; without a password it is not asked for one.
pub(crate) struct Person<'a> {
    pub(crate) user: &'a str,
    pub(crate) password: Option<&'a str>,
}

impl DeviceCodes {
    /// User codes that a person may still enter.
    pub(crate) fn waiting_codes(&self, now: Timestamp) -> Vec<String> {
        let is_open = |it: &&Pending| it.state == State::Waiting && now < it.expires;
        let open = self.pending.values().filter(is_open);
        open.map(|it| it.user_code.clone()).collect()
    }

    fn waiting(&mut self, user_code: &str, now: Timestamp) -> Result<&mut Pending, Refusal> {
        let code = user_code.trim();
        let mut all = self.pending.values_mut();
        let found = all.find(|it| it.user_code.eq_ignore_ascii_case(code));
        match found {
            None => Err(Refusal::of(&refusal::BAD_VERIFICATION_CODE)),
            Some(it) if it.expires <= now => Err(Refusal::of(&refusal::EXPIRED_USER_CODE)),
            Some(it) if it.state != State::Waiting => {
                Err(Refusal::of(&refusal::BAD_VERIFICATION_CODE))
            }
            Some(it) => Ok(it),
        }
    }
}

/// Hands out a pair of codes.
pub(super) fn begin(
    world: &mut World,
    request: &TokenRequest,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let index = super::grant::find_tenant(world, request)?;
    let tenant = world.tenant(index);
    let client = client::identify(tenant, request)?.client_id;
    let scopes = request.scopes()?;
    resource::check_delegated(&scopes, &tenant.id.to_string())?;
    let pending = Pending {
        tenant: index,
        client,
        user_code: new_user_code(),
        scopes: scopes.into_iter().map(str::to_owned).collect(),
        expires: now.checked_add(LIFETIME).unwrap_or(now),
        state: State::Waiting,
    };
    let device_code = random_text(96);
    let page = format!("{}/devicelogin", request.origin);
    let body = json!({
        "user_code": pending.user_code,
        "device_code": device_code,
        "verification_uri": page,
        "expires_in": LIFETIME.as_secs(),
        "interval": INTERVAL,
        "message": format!(
            "To sign in, use a web browser to open the page {page} and enter the code {} to authenticate.",
            pending.user_code
        ),
    });
    let codes = &mut world.device_codes.pending;
    codes.retain(|_, it| now.duration_since(it.expires) < LIFETIME);
    codes.insert(device_code, pending);
    Ok(body)
}

/// The session of the person who approved; a refusal until then.
pub(super) fn redeem(
    world: &mut World,
    index: TenantIndex,
    request: &TokenRequest,
    now: Timestamp,
) -> Result<UserSession, Refusal> {
    let app = client::identify(world.tenant(index), request)?.clone();
    let code = request.require("device_code")?;
    let found = world.device_codes.pending.get(code);
    let pending = found
        .filter(|it| it.tenant == index && it.client == app.client_id)
        .ok_or_else(|| Refusal::of(&refusal::BAD_VERIFICATION_CODE))?;
    let (user, at) = approved(pending, now)?;
    let proof = client::authenticate_unless_public(world.tenant(index), &app, request, now)?;
    let claims = ClaimsRequest::parse(request.get("claims"))?;
    let scopes = pending.scopes.clone();
    if let Some(pending) = world.device_codes.pending.get_mut(code) {
        pending.state = State::Redeemed;
    }
    Ok(UserSession {
        tenant: index,
        user,
        signed_in: at,
        app,
        proof,
        scopes,
        claims,
    })
}

fn approved(pending: &Pending, now: Timestamp) -> Result<(Uuid, Timestamp), Refusal> {
    match pending.state {
        State::Redeemed => Err(Refusal::of(&refusal::REDEEMED_CODE)),
        State::Declined => Err(Refusal::of(&refusal::AUTHORIZATION_DECLINED)),
        _ if pending.expires <= now => Err(Refusal::of(&refusal::EXPIRED_DEVICE_CODE)),
        State::Waiting => Err(Refusal::of(&refusal::AUTHORIZATION_PENDING)),
        State::Approved { user, at } => Ok((user, at)),
    }
}

/// A person signs in for a user code.
pub(crate) fn approve(
    world: &mut World,
    user_code: &str,
    person: &Person<'_>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let pending = world.device_codes.waiting(user_code, now)?;
    let (index, client) = (pending.tenant, pending.client);
    let user = authenticate(world, index, client, person, now)?;
    world.device_codes.waiting(user_code, now)?.state = State::Approved { user, at: now };
    Ok(())
}

/// A person refuses a user code.
pub(crate) fn decline(world: &mut World, user_code: &str, now: Timestamp) -> Result<(), Refusal> {
    world.device_codes.waiting(user_code, now)?.state = State::Declined;
    Ok(())
}

fn authenticate(
    world: &mut World,
    index: TenantIndex,
    client: Uuid,
    person: &Person<'_>,
    now: Timestamp,
) -> Result<Uuid, Refusal> {
    let tenant = world.tenant_mut(index);
    let stranger = || Refusal::with(&refusal::STRANGER, &[person.user, &tenant.name]);
    let account = tenant.find(person.user).ok_or_else(stranger)?;
    let id = account.object_id();
    let Some(password) = person.password else {
        return enabled(account);
    };
    let answer = sign_in::interactive(tenant, person.user, password, now);
    let code = answer.as_ref().err().map(Refusal::code);
    tenant.note(id, password, Deed::SignIn { by: client, code }, now);
    answer
}

fn enabled(account: &Account) -> Result<Uuid, Refusal> {
    if account.enabled {
        Ok(account.object_id())
    } else {
        Err(Refusal::of(&refusal::DISABLED))
    }
}

fn new_user_code() -> String {
    let mut bytes = [0_u8; USER_CODE_LENGTH];
    rand::fill(&mut bytes);
    let letter = |byte: &u8| LETTERS.get(usize::from(*byte) % LETTERS.len());
    bytes
        .iter()
        .filter_map(letter)
        .map(|it| char::from(*it))
        .collect()
}
