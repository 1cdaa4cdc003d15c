//! Notices: tells channels what stands, each fact once, not in quiet hours.

mod email;
mod message;
mod quiet;
mod teams;
mod webhook;

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use passportal_client::wire::{NoticeChannel, NoticeTarget};
use tracing::{info, warn};
use url::Url;
use uuid::Uuid;

use crate::vault::{News, OpenChannel, PersonVault, Vault, VaultError};
use message::Message;

/// How long sending one notice may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// The longest pause between two tries at a channel that fails.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// How notices are made.
#[derive(Clone, Debug)]
pub(crate) struct NoticeOptions {
    /// The address by which people reach the dashboard, for links.
    pub(crate) dashboard: Url,
    /// How long new facts are gathered before they are told together.
    pub(crate) interval: Duration,
}

/// Why a notice was not sent, in words that hold no secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoticeError {
    #[error("{0}")]
    Refused(String),
    #[error("there was no answer within {} seconds", PATIENCE.as_secs())]
    TooSlow,
    #[error("the SMTP server could not be spoken to")]
    Smtp(#[from] lettre::transport::smtp::Error),
    #[error("the e-mail could not be written")]
    Mail(#[from] lettre::error::Error),
    #[error("the address could not be reached")]
    Http(#[source] reqwest::Error),
    #[error("the channel's settings do not fit together; remove it and add it anew")]
    Settings,
    #[error(transparent)]
    Vault(VaultError),
}

impl From<VaultError> for NoticeError {
    /// A secret that does not open is the affair of its channel alone.
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::ServerKey => Self::Settings,
            fault => Self::Vault(fault),
        }
    }
}

impl From<reqwest::Error> for NoticeError {
    /// The address may be a secret.
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::TooSlow
        } else {
            Self::Http(error.without_url())
        }
    }
}

impl NoticeError {
    /// With its causes, for the page.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }
}

/// Sends what a person asked for, so that they see that it arrives.
pub(crate) async fn send_test(
    vault: PersonVault<'_>,
    id: Uuid,
    organization: &str,
    dashboard: &Url,
) -> Result<(), NoticeError> {
    let open = vault.open_for_test(id).await?;
    let message = Message::test(organization, dashboard, Timestamp::now());
    send(&open, &message).await
}

/// Tells the channels what is new, until it is aborted.
pub(crate) async fn run(vault: Arc<Vault>, options: NoticeOptions) {
    let mut pauses = Pauses::beginning_with(options.interval);
    loop {
        tokio::time::sleep(options.interval).await;
        if let Err(error) = tell_all(&vault, &options.dashboard, &mut pauses).await {
            let error: &dyn Error = &error;
            warn!(error, "notices could not be made; it is tried again");
        }
    }
}

async fn tell_all(vault: &Vault, dashboard: &Url, pauses: &mut Pauses) -> Result<(), VaultError> {
    let channels = vault.channels_to_tell().await?;
    if channels.is_empty() {
        return Ok(());
    }
    let now = Timestamp::now();
    for channel in &channels {
        if is_listening(channel, now) && pauses.is_over(channel.id, now) {
            let told = tell(vault, dashboard, channel, pauses, now).await;
            if let Err(error) = told {
                // What was sent and could not be written down is not sent again at once.
                pauses.begin(channel.id, now);
                let error: &dyn Error = &error;
                warn!(channel.id = %channel.id, error, "what a channel was told could not be written down");
            }
        }
    }
    vault.forget_what_ended(now).await
}

fn is_listening(channel: &NoticeChannel, now: Timestamp) -> bool {
    let settings = &channel.settings;
    let quiet = settings.quiet.as_ref();
    !settings.paused && !quiet.is_some_and(|hours| quiet::are_on(hours, now))
}

async fn tell(
    vault: &Vault,
    dashboard: &Url,
    channel: &NoticeChannel,
    pauses: &mut Pauses,
    now: Timestamp,
) -> Result<(), VaultError> {
    let news = vault
        .news(channel.id, &channel.settings.topics, now)
        .await?;
    if news.is_empty() {
        return Ok(());
    }
    match deliver(vault, dashboard, channel, &news, now).await {
        Ok(()) => {
            pauses.end(channel.id);
            info!(channel.id = %channel.id, facts = news.names.len(), "a notice was sent");
            vault.note_told(channel.id, &news, now).await
        }
        Err(NoticeError::Vault(error)) => Err(error),
        Err(error) => {
            // Once, not every time that it is tried.
            if pauses.begin(channel.id, now) {
                let error: &dyn Error = &error;
                warn!(channel.id = %channel.id, error, "a notice could not be sent; it is tried again");
            }
            vault.note_notice_failure(channel.id, &error.chain()).await
        }
    }
}

async fn deliver(
    vault: &Vault,
    dashboard: &Url,
    channel: &NoticeChannel,
    news: &News,
    now: Timestamp,
) -> Result<(), NoticeError> {
    let open = vault.open_notice_channel(channel.id).await?;
    let message = Message::new(&vault.organization().name, dashboard, news, now);
    send(&open, &message).await
}

async fn send(open: &OpenChannel, message: &Message) -> Result<(), NoticeError> {
    let secret = open.secret.as_ref();
    match &open.channel.target {
        target @ NoticeTarget::Email { .. } => email::send(target, secret, message).await,
        NoticeTarget::Webhook { url } => {
            webhook::send(url, secret.ok_or(NoticeError::Settings)?, message).await
        }
        NoticeTarget::Teams { .. } => {
            teams::send(secret.ok_or(NoticeError::Settings)?, message).await
        }
    }
}

/// A client for one notice: they are rare, and its certificates need not stay in memory.
fn http() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("passportal-server/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Which channels fail, and until when each is left alone.
#[derive(Debug)]
struct Pauses {
    first: SignedDuration,
    of: HashMap<Uuid, Pause>,
}

#[derive(Debug)]
struct Pause {
    until: Timestamp,
    length: SignedDuration,
}

impl Pauses {
    fn beginning_with(first: Duration) -> Self {
        Self {
            first: SignedDuration::try_from(first)
                .unwrap_or(LONGEST_PAUSE)
                .min(LONGEST_PAUSE),
            of: HashMap::new(),
        }
    }

    fn is_over(&self, channel: Uuid, now: Timestamp) -> bool {
        self.of.get(&channel).is_none_or(|pause| now >= pause.until)
    }

    /// Leaves the channel alone for a while, each time for longer; says whether it worked before.
    fn begin(&mut self, channel: Uuid, now: Timestamp) -> bool {
        let before = self.of.get(&channel).map(|pause| pause.length);
        let length = before.map_or(self.first, |length| {
            length.saturating_mul(2).min(LONGEST_PAUSE)
        });
        let until = now + length;
        self.of.insert(channel, Pause { until, length });
        before.is_none()
    }

    fn end(&mut self, channel: Uuid) {
        self.of.remove(&channel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_channel_is_tried_after_longer_and_longer_pauses_of_up_to_an_hour() {
        let mut pauses = Pauses::beginning_with(Duration::from_secs(15));
        let channel = Uuid::nil();
        let mut now = Timestamp::UNIX_EPOCH;
        assert!(pauses.begin(channel, now), "the first failure is told");
        for _ in 0..20 {
            let until = pauses.of[&channel].until;
            assert!(!pauses.is_over(channel, until - SignedDuration::from_nanos(1)));
            assert!(pauses.is_over(channel, until));
            assert!(until.duration_since(now) <= LONGEST_PAUSE);
            now = until;
            assert!(!pauses.begin(channel, now), "the next ones are not");
        }
        pauses.end(channel);
        assert!(pauses.is_over(channel, now));
        assert!(pauses.begin(channel, now));
    }
}
