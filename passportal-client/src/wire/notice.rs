//! Notices: which channels the vault tells of what stands, and when it keeps quiet.

use jiff::Timestamp;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a channel is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum NoticeTopic {
    /// Entra ID no longer accepts what the vault holds.
    AdChange,
    /// A password is older than its expiry.
    PasswordExpired,
    /// Seen by a person who has since been disabled.
    PasswordTouched,
    /// A write that a person must approve.
    Held,
    /// A credential that cannot be synced.
    Blocked,
    /// A mass change that waits for approval.
    Approval,
    /// An agent that is silent or fails.
    Agents,
}

impl NoticeTopic {
    /// Every topic, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::AdChange,
        Self::PasswordExpired,
        Self::PasswordTouched,
        Self::Held,
        Self::Blocked,
        Self::Approval,
        Self::Agents,
    ];

    /// For a person.
    pub fn label(self) -> &'static str {
        match self {
            Self::AdChange => "AD change",
            Self::PasswordExpired => "Password expired",
            Self::PasswordTouched => "Password touched",
            Self::Held => "Held",
            Self::Blocked => "Blocked",
            Self::Approval => "Mass change to approve",
            Self::Agents => "Agent silent or failing",
        }
    }

    /// The word of the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::AdChange => "ad_change",
            Self::PasswordExpired => "password_expired",
            Self::PasswordTouched => "password_touched",
            Self::Held => "held",
            Self::Blocked => "blocked",
            Self::Approval => "approval",
            Self::Agents => "agents",
        }
    }
}

/// How an SMTP server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SmtpSecurity {
    /// TLS after `STARTTLS`, usually on port 587. A server without it is refused.
    Starttls,
    /// TLS from the beginning, usually on port 465.
    Tls,
    /// In clear: for a relay on the vault's own machine only.
    None,
}

/// Where a channel's notices go. No secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum NoticeTarget {
    /// E-mail over SMTP.
    Email {
        /// The SMTP server's name.
        server: String,
        /// Its port.
        port: u16,
        /// How it is spoken to.
        security: SmtpSecurity,
        /// Who signs in there; without one nobody does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<String>,
        /// The sender.
        from: String,
        /// The recipients.
        to: Vec<String>,
    },
    /// A signed request to a program of yours, by the Standard Webhooks specification.
    Webhook {
        /// Its address: https, or http on the vault's own machine.
        url: String,
    },
    /// A workflow of Microsoft Teams that posts to a channel. Its address is a secret: it is the channel's `secret`.
    Teams {
        /// The host of the address.
        #[serde(default)]
        host: String,
    },
}

/// The part of a day in which nothing is sent. It may go over midnight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuietHours {
    /// The beginning, like `22:00`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "22:00"))]
    pub from: Time,
    /// The end, like `07:00`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "07:00"))]
    pub until: Time,
    /// Where the clock hangs, by its IANA name, like `America/Toronto`.
    pub time_zone: String,
}

/// A channel to be made.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewNoticeChannel {
    /// For people; no other channel has it.
    pub name: String,
    /// Where to.
    pub target: NoticeTarget,
    /// E-mail: the SMTP password. Teams: the workflow's address. Webhook: absent, the vault makes the signing secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// What it is told, and when.
    pub settings: NoticeSettings,
}

/// What a channel is told, and when: the whole of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NoticeSettings {
    /// What it is told of.
    pub topics: Vec<NoticeTopic>,
    /// When it is told nothing.
    #[serde(default)]
    pub quiet: Option<QuietHours>,
    /// Whether it is told nothing at all for now.
    #[serde(default)]
    pub paused: bool,
}

/// A channel, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NoticeChannel {
    /// Its id.
    pub id: Uuid,
    /// For people.
    pub name: String,
    /// Where to.
    pub target: NoticeTarget,
    /// What it is told, and when.
    pub settings: NoticeSettings,
    /// When something was last sent.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub sent: Option<Timestamp>,
    /// Why the last try did not work; absent when it did.
    pub failure: Option<String>,
}

/// A new channel, and the secret that the vault made for it.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewNoticeChannelAnswer {
    /// The channel.
    pub channel: NoticeChannel,
    /// The secret that signs a webhook's requests, shown this once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_secret: Option<String>,
}
