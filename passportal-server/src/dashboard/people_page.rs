//! `/people`: who works with the vault, what each may do, and invitations.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use passportal_client::wire::{
    Authority, ClientAccess, Invitation, NewInvitation, PersonPatch, PersonRecord, Role, Standing,
};
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::authority_form::{AuthorityView, Fields, access_label, authority};
use super::form::{Empty, OwnForm};
use super::invitation_page::invitation_path;
use super::layout::{Layout, Section};
use super::problem::{Problem, back_with, page, sentence};
use super::session::Message;
use super::signed_in::SignedIn;
use super::wording::TimeView;
use crate::state::AppState;
use crate::vault::VaultError;

#[derive(Template)]
#[template(path = "people.html")]
struct PeoplePage {
    layout: Layout,
    people: Vec<PersonLine>,
    invitations: Vec<InvitationLine>,
    /// What was typed into the form of an invitation.
    email: String,
    authority: AuthorityView,
    link: Option<NewLink>,
}

struct PersonLine {
    id: Uuid,
    email: String,
    role: &'static str,
    access: String,
    set_up_sync: bool,
    disabled: bool,
}

impl PersonLine {
    fn new(person: PersonRecord) -> Self {
        Self {
            id: person.id,
            role: person.authority.role.label(),
            access: access_label(&person.authority),
            set_up_sync: sets_up_sync(&person.authority),
            disabled: person.standing == Standing::Disabled,
            email: person.email,
        }
    }
}

fn sets_up_sync(authority: &Authority) -> bool {
    authority.set_up_sync || authority.role == Role::OrganizationAdmin
}

struct InvitationLine {
    id: Uuid,
    email: String,
    role: &'static str,
    access: String,
    invited_by: String,
    expires: TimeView,
}

impl InvitationLine {
    fn new(invitation: Invitation) -> Self {
        Self {
            id: invitation.id,
            role: invitation.authority.role.label(),
            access: access_label(&invitation.authority),
            email: invitation.email,
            invited_by: invitation.invited_by,
            expires: TimeView::new(invitation.expires),
        }
    }
}

/// The link of an invitation that was made just now.
struct NewLink {
    email: String,
    address: String,
}

/// What the form of an invitation offers at first.
fn offered() -> Authority {
    Authority {
        role: Role::Technician,
        access: ClientAccess::All,
        set_up_sync: false,
    }
}

pub(super) async fn show(
    State(state): State<AppState>,
    session: SignedIn,
) -> Result<Response, Problem> {
    list(&state, &session, "", &offered(), None).await
}

async fn list(
    state: &AppState,
    session: &SignedIn,
    email: &str,
    authority: &Authority,
    link: Option<NewLink>,
) -> Result<Response, Problem> {
    let vault = session.vault();
    let people = vault.people().await?;
    let invitations = vault.invitations().await?;
    let clients = vault.clients().await?;
    page(&PeoplePage {
        layout: Layout::new(state, session, Section::People, "People"),
        people: people.into_iter().map(PersonLine::new).collect(),
        invitations: invitations.into_iter().map(InvitationLine::new).collect(),
        email: email.to_owned(),
        authority: AuthorityView::new(authority, &clients),
        link,
    })
}

/// Makes an invitation. Its link stands on this answer and nowhere else.
pub(super) async fn invite(
    State(state): State<AppState>,
    headers: HeaderMap,
    form: OwnForm<Fields>,
) -> Result<Response, Problem> {
    let OwnForm { session, fields } = form;
    let authority = authority(&fields).ok_or_else(Problem::unreadable_form)?;
    let email = fields.get("email").cloned().unwrap_or_default();
    let new = NewInvitation {
        email: email.clone(),
        authority,
    };
    match session.vault().invite(&new).await {
        Ok((invitation, token)) => {
            let link = NewLink {
                email: invitation.email,
                address: origin(&headers) + &invitation_path(&token),
            };
            list(&state, &session, "", &offered(), Some(link)).await
        }
        Err(VaultError::Refused(why)) => {
            session.leave_message(Message::Refused(sentence(&why)));
            let again = list(&state, &session, &email, &new.authority, None).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// Where the browser is, as it says itself: behind a proxy the server does not know.
fn origin(headers: &HeaderMap) -> String {
    let said = headers.get(header::ORIGIN);
    let origin = said.and_then(|value| Url::parse(value.to_str().ok()?).ok());
    let origin = origin.map(|url| url.origin().ascii_serialization());
    origin
        .filter(|origin| origin.starts_with("http"))
        .unwrap_or_default()
}

pub(super) async fn withdraw(
    Path(invitation): Path<Uuid>,
    form: OwnForm<Empty>,
) -> Result<Redirect, Problem> {
    let session = form.session;
    let withdrawn = session.vault().withdraw_invitation(invitation).await;
    let done = "The invitation was withdrawn. Its link is worth nothing from now on.";
    back_with(&session, "/people", withdrawn, done)
}

#[derive(Template)]
#[template(path = "person.html")]
struct PersonPage {
    layout: Layout,
    id: Uuid,
    disabled: bool,
    authority: AuthorityView,
}

pub(super) async fn show_person(
    State(state): State<AppState>,
    session: SignedIn,
    Path(id): Path<Uuid>,
) -> Result<Response, Problem> {
    let person = session.vault().person(id).await?;
    let clients = session.vault().clients().await?;
    page(&PersonPage {
        layout: Layout::new(&state, &session, Section::People, &person.email),
        id,
        disabled: person.standing == Standing::Disabled,
        authority: AuthorityView::new(&person.authority, &clients),
    })
}

pub(super) async fn change(
    Path(id): Path<Uuid>,
    form: OwnForm<Fields>,
) -> Result<Redirect, Problem> {
    let OwnForm { session, fields } = form;
    let after = authority(&fields).ok_or_else(Problem::unreadable_form)?;
    let before = session.vault().person(id).await?.authority;
    // Only what differs, so that the audit trail says what somebody changed.
    let patch = PersonPatch {
        role: (after.role != before.role).then_some(after.role),
        set_up_sync: (after.set_up_sync != before.set_up_sync).then_some(after.set_up_sync),
        access: (after.access != before.access).then_some(after.access),
        standing: None,
    };
    let changed = session.vault().change_person(id, &patch).await;
    let to = format!("/people/{id}");
    let done = "Saved. It holds from this person's next request on.";
    back_with(&session, &to, changed, done)
}

/// The form of the standing.
#[derive(Deserialize)]
pub(super) struct StandingForm {
    standing: Standing,
}

pub(super) async fn set_standing(
    State(state): State<AppState>,
    Path(id): Path<Uuid>,
    form: OwnForm<StandingForm>,
) -> Result<Redirect, Problem> {
    let OwnForm { session, fields } = form;
    let patch = PersonPatch {
        standing: Some(fields.standing),
        ..PersonPatch::default()
    };
    let changed = session.vault().change_person(id, &patch).await;
    let done = match fields.standing {
        Standing::Active => "The account is enabled: this person can sign in again.",
        Standing::Disabled => {
            "The account is disabled, its sessions have ended. Passwords that this person was shown are flagged as touched."
        }
    };
    if changed.is_ok() && fields.standing == Standing::Disabled {
        state.sessions.end_all(id);
    }
    back_with(&session, "/people", changed, done)
}
