//! What the forms for notice channels say, as the API's types.

use std::collections::BTreeMap;

use jiff::civil::Time;
use passportal_client::wire::{
    NewNoticeChannel, NoticeSettings, NoticeTarget, NoticeTopic, QuietHours, SmtpSecurity,
};

use crate::vault::VaultError;

/// The fields of a form. A topic is a check box of its name.
pub(super) type Fields = BTreeMap<String, String>;

/// The field of each kind's secret.
const SECRETS: [(&str, &str); 2] = [("email", "smtp_password"), ("teams", "workflow")];

/// The fields as they may stand on a page again.
pub(super) fn without_secrets(mut fields: Fields) -> Fields {
    fields.retain(|name, _| SECRETS.iter().all(|(_, secret)| name != secret));
    fields
}

fn of<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).map(|text| text.trim()).unwrap_or_default()
}

/// A channel to be made.
pub(super) fn new_channel(fields: &Fields) -> Result<NewNoticeChannel, VaultError> {
    let secret = SECRETS.into_iter().find_map(|(kind, field)| {
        let typed = fields.get(field).filter(|_| of(fields, "kind") == kind);
        typed.filter(|secret| !secret.is_empty())
    });
    Ok(NewNoticeChannel {
        name: of(fields, "name").to_owned(),
        target: target(fields)?,
        secret: secret.cloned(),
        settings: settings(fields)?,
    })
}

fn target(fields: &Fields) -> Result<NoticeTarget, VaultError> {
    match of(fields, "kind") {
        "email" => email(fields),
        "webhook" => Ok(NoticeTarget::Webhook {
            url: of(fields, "url").to_owned(),
        }),
        "teams" => Ok(NoticeTarget::Teams {
            host: String::new(),
        }),
        _ => Err(VaultError::refused("choose e-mail, webhook or Teams")),
    }
}

fn email(fields: &Fields) -> Result<NoticeTarget, VaultError> {
    let port = of(fields, "port");
    let user = of(fields, "user");
    let to = of(fields, "to").split([',', ';', '\n']).map(str::trim);
    Ok(NoticeTarget::Email {
        server: of(fields, "server").to_owned(),
        port: port
            .parse()
            .map_err(|_| VaultError::Refused(format!("`{port}` is not a port")))?,
        security: match of(fields, "security") {
            "tls" => SmtpSecurity::Tls,
            "none" => SmtpSecurity::None,
            _ => SmtpSecurity::Starttls,
        },
        user: (!user.is_empty()).then(|| user.to_owned()),
        from: of(fields, "from").to_owned(),
        to: to
            .filter(|address| !address.is_empty())
            .map(str::to_owned)
            .collect(),
    })
}

/// What a channel is told, and when.
pub(super) fn settings(fields: &Fields) -> Result<NoticeSettings, VaultError> {
    let chosen = |topic: &NoticeTopic| fields.contains_key(topic.name());
    Ok(NoticeSettings {
        topics: NoticeTopic::ALL.into_iter().filter(chosen).collect(),
        quiet: quiet(fields)?,
        paused: fields.contains_key("paused"),
    })
}

fn quiet(fields: &Fields) -> Result<Option<QuietHours>, VaultError> {
    let (from, until) = (of(fields, "quiet_from"), of(fields, "quiet_until"));
    if from.is_empty() && until.is_empty() {
        return Ok(None);
    }
    let time_zone = match of(fields, "time_zone") {
        "" => "UTC",
        name => name,
    };
    Ok(Some(QuietHours {
        from: clock(from)?,
        until: clock(until)?,
        time_zone: time_zone.to_owned(),
    }))
}

fn clock(text: &str) -> Result<Time, VaultError> {
    text.parse().map_err(|_| {
        VaultError::refused("quiet hours have a beginning and an end, like 22:00 and 07:00")
    })
}
