//! An e-mail over SMTP.

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message as Email};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use passportal_client::wire::{NoticeTarget, SmtpSecurity};
use secrecy::{ExposeSecret as _, SecretString};

use super::message::Message;
use super::{NoticeError, PATIENCE};

type Smtp = AsyncSmtpTransport<Tokio1Executor>;

pub(super) async fn send(
    target: &NoticeTarget,
    secret: Option<&SecretString>,
    message: &Message,
) -> Result<(), NoticeError> {
    let NoticeTarget::Email {
        server,
        port,
        security,
        user,
        from,
        to,
    } = target
    else {
        return Err(NoticeError::Settings);
    };
    let email = write(from, to, message)?;
    let builder = match security {
        SmtpSecurity::Starttls => Smtp::starttls_relay(server)?,
        SmtpSecurity::Tls => Smtp::relay(server)?,
        SmtpSecurity::None => Smtp::builder_dangerous(server),
    };
    let mut builder = builder.port(*port).timeout(Some(PATIENCE));
    if let (Some(user), Some(secret)) = (user, secret) {
        let password = secret.expose_secret().to_owned();
        builder = builder.credentials(Credentials::new(user.clone(), password));
    }
    let sent = tokio::time::timeout(PATIENCE, builder.build().send(email)).await;
    sent.map_err(|_| NoticeError::TooSlow)??;
    Ok(())
}

fn write(from: &str, to: &[String], message: &Message) -> Result<Email, NoticeError> {
    let from: Mailbox = from.parse().map_err(|_| NoticeError::Settings)?;
    let id = format!("<{}@{}>", message.id, from.email.domain());
    let mut builder = Email::builder()
        .from(from)
        .subject(&message.title)
        .message_id(Some(id))
        .header(ContentType::TEXT_PLAIN)
        .raw_header(automatic());
    for recipient in to {
        builder = builder.to(recipient.parse().map_err(|_| NoticeError::Settings)?);
    }
    Ok(builder.body(message.text())?)
}

/// No out-of-office answer is wanted. Source: RFC 3834, section 5.
fn automatic() -> HeaderValue {
    HeaderValue::new(
        HeaderName::new_from_ascii_str("Auto-Submitted"),
        "auto-generated".to_owned(),
    )
}
