//! Asks before a switch from Report mismatches to Enabled: which passwords in Entra ID would be overwritten.

use askama::Template;
use axum::response::Response;
use passportal_client::wire::{Credential, FlagKind, Outcome, Standing, SyncMode};

use super::credential_page::address;
use super::layout::{Layout, Section};
use super::problem::{Problem, page};
use super::session::Message;
use super::signed_in::SignedIn;
use crate::state::AppState;

#[derive(Template)]
#[template(path = "overwrite.html")]
struct OverwritePage {
    layout: Layout,
    /// Where the form goes that a person sends to confirm, and its fields.
    action: String,
    fields: Vec<(String, String)>,
    back: String,
    accounts: Vec<Account>,
}

struct Account {
    address: String,
    user_name: String,
    why: String,
}

impl Account {
    fn new(credential: &Credential) -> Self {
        let flag = credential.flags.get(&FlagKind::AdChange);
        let last = credential.last_result.as_ref();
        let why = flag.map(|flag| flag.why.clone());
        Self {
            address: address(credential.client, credential.id),
            user_name: credential.user_name.clone(),
            why: why
                .or_else(|| last.map(|result| result.why.clone()))
                .unwrap_or_default(),
        }
    }
}

/// Whether Enabled would write over another password in Entra ID. A flag that was cleared or snoozed is none
/// the less a mismatch.
pub(super) fn is_at_stake(credential: &Credential, after: SyncMode) -> bool {
    let last = credential.last_result.as_ref();
    let differs = credential.flags.contains_key(&FlagKind::AdChange)
        || last.is_some_and(|result| {
            result.outcome == Outcome::Mismatched && result.version == credential.version
        });
    credential.mode == SyncMode::ReportMismatches
        && after == SyncMode::Enabled
        && credential.standing == Standing::Active
        && differs
}

/// What a person wanted, to be sent once more when they confirm it.
pub(super) struct Wanted {
    pub(super) action: String,
    pub(super) fields: Vec<(String, String)>,
    pub(super) back: String,
}

pub(super) fn ask<'a>(
    state: &AppState,
    session: &SignedIn,
    wanted: Wanted,
    at_stake: impl Iterator<Item = &'a Credential>,
) -> Result<Response, Problem> {
    page(&OverwritePage {
        layout: Layout::new(state, session, Section::Clients, "Switch to Enabled?"),
        action: wanted.action,
        fields: wanted.fields,
        back: wanted.back,
        accounts: at_stake.map(Account::new).collect(),
    })
}
