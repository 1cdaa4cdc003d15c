//! `/notices`: the channels that are told of what stands.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use passportal_client::wire::{NoticeChannel, NoticeTarget, NoticeTopic};
use uuid::Uuid;

use super::form::{Empty, OwnForm};
use super::layout::{Layout, Section};
use super::notice_form::{Fields, new_channel, settings, without_secrets};
use super::problem::{Problem, back_with, page, sentence};
use super::session::Message;
use super::signed_in::SignedIn;
use super::wording::TimeView;
use crate::notices::{self, NoticeError};
use crate::state::AppState;
use crate::vault::VaultError;

const HERE: &str = "/notices";

#[derive(Template)]
#[template(path = "notices.html")]
struct NoticesPage {
    layout: Layout,
    channels: Vec<ChannelView>,
    topics: [NoticeTopic; 7],
    typed: Typed,
    /// The signing secret of a webhook that was just made.
    signing_secret: Option<String>,
}

struct ChannelView {
    id: Uuid,
    name: String,
    way: String,
    told: Vec<NoticeTopic>,
    from: String,
    until: String,
    time_zone: String,
    paused: bool,
    sent: Option<TimeView>,
    failure: Option<String>,
}

impl ChannelView {
    fn new(channel: NoticeChannel) -> Self {
        let quiet = channel.settings.quiet;
        let clock = |time: Option<jiff::civil::Time>| {
            time.map(|time| time.strftime("%H:%M").to_string())
                .unwrap_or_default()
        };
        Self {
            id: channel.id,
            name: channel.name,
            way: way(&channel.target),
            told: channel.settings.topics,
            from: clock(quiet.as_ref().map(|hours| hours.from)),
            until: clock(quiet.as_ref().map(|hours| hours.until)),
            time_zone: quiet.map(|hours| hours.time_zone).unwrap_or_default(),
            paused: channel.settings.paused,
            sent: channel.sent.map(TimeView::new),
            failure: channel.failure.as_deref().map(sentence),
        }
    }
}

/// How a channel is reached, for a person.
fn way(target: &NoticeTarget) -> String {
    match target {
        NoticeTarget::Email { to, server, .. } => {
            format!("E-mail to {} over {server}", to.join(", "))
        }
        NoticeTarget::Webhook { url } => format!("Webhook {url}"),
        NoticeTarget::Teams { host } => format!("Microsoft Teams by {host}"),
    }
}

/// What was typed into the form for a new channel, without its secrets.
#[derive(Default)]
struct Typed(Fields);

impl Typed {
    fn of(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// What was typed, or what is usual.
    fn or<'a>(&'a self, name: &str, usual: &'a str) -> &'a str {
        match self.of(name) {
            "" => usual,
            typed => typed,
        }
    }

    /// A new channel is told everything unless somebody chose.
    fn has(&self, topic: &str) -> bool {
        self.0.is_empty() || self.0.contains_key(topic)
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.of(name) == value
    }
}

pub(super) async fn show(
    State(state): State<AppState>,
    session: SignedIn,
) -> Result<Response, Problem> {
    notices_page(&state, &session, Typed::default(), None).await
}

async fn notices_page(
    state: &AppState,
    session: &SignedIn,
    typed: Typed,
    signing_secret: Option<String>,
) -> Result<Response, Problem> {
    let channels = session.vault().notice_channels().await?;
    page(&NoticesPage {
        layout: Layout::new(state, session, Section::Notices, "Notices"),
        channels: channels.into_iter().map(ChannelView::new).collect(),
        topics: NoticeTopic::ALL,
        typed,
        signing_secret,
    })
}

pub(super) async fn add(
    State(state): State<AppState>,
    form: OwnForm<Fields>,
) -> Result<Response, Problem> {
    let OwnForm { session, fields } = form;
    let added = match new_channel(&fields) {
        Ok(new) => session.vault().add_notice_channel(&new).await,
        Err(refusal) => Err(refusal),
    };
    match added {
        Ok(answer) => {
            let done = format!(
                "Added {}. Send a test to see that it arrives.",
                answer.channel.name
            );
            session.leave_message(Message::Done(done));
            match answer.signing_secret {
                // Shown once: it is on no page that can be loaded again.
                Some(secret) => {
                    notices_page(&state, &session, Typed::default(), Some(secret)).await
                }
                None => Ok(Redirect::to(HERE).into_response()),
            }
        }
        Err(VaultError::Refused(why)) => {
            session.leave_message(Message::Refused(sentence(&why)));
            let typed = Typed(without_secrets(fields));
            let page = notices_page(&state, &session, typed, None).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn change(
    Path(id): Path<Uuid>,
    form: OwnForm<Fields>,
) -> Result<Redirect, Problem> {
    let OwnForm { session, fields } = form;
    let changed = match settings(&fields) {
        Ok(settings) => session.vault().change_notice_channel(id, &settings).await,
        Err(refusal) => Err(refusal),
    };
    back_with(&session, HERE, changed, "Saved.")
}

pub(super) async fn remove(
    Path(id): Path<Uuid>,
    form: OwnForm<Empty>,
) -> Result<Redirect, Problem> {
    let removed = form.session.vault().remove_notice_channel(id).await;
    back_with(&form.session, HERE, removed, "The channel is removed.")
}

pub(super) async fn test(
    State(state): State<AppState>,
    Path(id): Path<Uuid>,
    form: OwnForm<Empty>,
) -> Result<Redirect, Problem> {
    let session = form.session;
    let organization = &state.vault.organization().name;
    let sent = notices::send_test(session.vault(), id, organization, &state.dashboard).await;
    let message = match sent {
        Ok(()) => Message::Done("The test was sent. Look whether it arrived.".to_owned()),
        Err(NoticeError::Vault(error)) => return Err(error.into()),
        Err(error) => Message::Refused(format!("The test was not sent: {}.", error.chain())),
    };
    session.leave_message(message);
    Ok(Redirect::to(HERE))
}
