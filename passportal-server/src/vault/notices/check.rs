//! What a notice channel must be like before it is kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;
use lettre::message::Mailbox;
use passportal_client::wire::{NewNoticeChannel, NoticeSettings, NoticeTarget, SmtpSecurity};
use secrecy::{ExposeSecret as _, SecretString};
use url::{Host, Url};

use crate::vault::VaultError;

const NAME_LENGTH: usize = 100;
const RECIPIENTS_MOST: usize = 20;

/// What the signing secrets of webhooks begin with. Source: Standard Webhooks, "Signature scheme".
const SIGNING_PREFIX: &str = "whsec_";

/// A channel that can be kept.
pub(super) struct Checked {
    pub(super) name: String,
    pub(super) target: NoticeTarget,
    pub(super) secret: Option<SecretString>,
}

impl Checked {
    /// What the maker of a webhook must be told: nobody else knows it.
    pub(super) fn signing_secret(&self) -> Option<String> {
        match &self.target {
            NoticeTarget::Webhook { .. } => self
                .secret
                .as_ref()
                .map(|secret| secret.expose_secret().to_owned()),
            _ => None,
        }
    }
}

/// Checks a channel to be made, and makes the signing secret of a webhook.
pub(super) fn new_channel(new: &NewNoticeChannel) -> Result<Checked, VaultError> {
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > NAME_LENGTH || name.contains(char::is_control) {
        return Err(VaultError::Refused(format!(
            "a notice channel needs a name of up to {NAME_LENGTH} characters"
        )));
    }
    settings(&new.settings)?;
    let secret = new.secret.as_deref().filter(|secret| !secret.is_empty());
    let (target, secret) = match &new.target {
        NoticeTarget::Email { .. } => email(&new.target, secret)?,
        NoticeTarget::Webhook { url } => webhook(url, secret)?,
        NoticeTarget::Teams { .. } => teams(secret)?,
    };
    Ok(Checked {
        name: name.to_owned(),
        target,
        secret,
    })
}

/// Checks what a channel is told, and when.
pub(super) fn settings(settings: &NoticeSettings) -> Result<(), VaultError> {
    if settings.topics.is_empty() {
        return Err(VaultError::refused("choose at least one topic"));
    }
    let Some(quiet) = &settings.quiet else {
        return Ok(());
    };
    if quiet.from == quiet.until {
        return Err(VaultError::refused(
            "quiet hours that begin and end at the same time would be the whole day; pause the channel instead",
        ));
    }
    TimeZone::get(&quiet.time_zone).map(drop).map_err(|_| {
        VaultError::refused(
            "this time zone is not known; use a name of the IANA database, like America/Toronto",
        )
    })
}

type Kept = (NoticeTarget, Option<SecretString>);

fn email(target: &NoticeTarget, secret: Option<&str>) -> Result<Kept, VaultError> {
    let NoticeTarget::Email {
        server,
        port,
        security,
        user,
        from,
        to,
    } = target
    else {
        return Err(VaultError::refused("this is not an e-mail channel"));
    };
    let server = server.trim();
    if server.is_empty() || *port == 0 || server.contains(char::is_whitespace) {
        return Err(VaultError::refused("name the SMTP server and its port"));
    }
    if *security == SmtpSecurity::None && !is_own_machine(Host::parse(server).ok().as_ref()) {
        return Err(VaultError::refused(
            "an SMTP server on another machine is spoken to over TLS only; choose STARTTLS or TLS",
        ));
    }
    let user = user.as_deref().filter(|user| !user.is_empty());
    if user.is_some() != secret.is_some() {
        return Err(VaultError::refused(
            "the SMTP server's user name and password belong together; give both or neither",
        ));
    }
    if to.is_empty() || to.len() > RECIPIENTS_MOST {
        return Err(VaultError::Refused(format!(
            "name 1 to {RECIPIENTS_MOST} recipients"
        )));
    }
    for address in to.iter().chain([from]) {
        if address.parse::<Mailbox>().is_err() {
            return Err(VaultError::Refused(format!(
                "`{address}` is not an e-mail address"
            )));
        }
    }
    let target = NoticeTarget::Email {
        server: server.to_owned(),
        port: *port,
        security: *security,
        user: user.map(str::to_owned),
        from: from.clone(),
        to: to.clone(),
    };
    Ok((target, secret.map(SecretString::from)))
}

fn webhook(url: &str, secret: Option<&str>) -> Result<Kept, VaultError> {
    if secret.is_some() {
        return Err(VaultError::refused(
            "the vault makes the signing secret of a webhook by itself; leave the secret out",
        ));
    }
    let url = safe_url(url)?;
    let key = STANDARD.encode(rand::random::<[u8; 32]>());
    let secret = SecretString::from(format!("{SIGNING_PREFIX}{key}"));
    Ok((
        NoticeTarget::Webhook {
            url: url.to_string(),
        },
        Some(secret),
    ))
}

fn teams(secret: Option<&str>) -> Result<Kept, VaultError> {
    let address = secret.ok_or_else(|| {
        VaultError::refused("a Teams channel needs the address of its workflow as the secret")
    })?;
    let url = safe_url(address)?;
    let host = url.host_str().unwrap_or_default().to_owned();
    Ok((
        NoticeTarget::Teams { host },
        Some(SecretString::from(url.to_string())),
    ))
}

/// An address that may be told: over TLS, or on this machine. The refusal does not repeat it: it may be a secret.
fn safe_url(text: &str) -> Result<Url, VaultError> {
    let url = Url::parse(text.trim()).map_err(|_| {
        VaultError::refused("this is not an address; it begins with https:// and names a host")
    })?;
    let safe = match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_own_machine(url.host().map(|host| host.to_owned()).as_ref()),
        _ => false,
    };
    if !safe {
        return Err(VaultError::refused(
            "notices leave this machine over https only; use an https:// address",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(VaultError::refused(
            "an address with a user name or password in it would show them; use one without",
        ));
    }
    Ok(url)
}

fn is_own_machine(host: Option<&Host<String>>) -> bool {
    match host {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
