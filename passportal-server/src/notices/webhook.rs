//! A signed request to a program. Source: Standard Webhooks specification 1.0.0.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use passportal_client::wire::NoticeTopic;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use sha2::Sha256;

use super::message::Message;
use super::{NoticeError, http};

/// The body.
#[derive(Serialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    organization: &'a str,
    title: &'a str,
    facts: Vec<FactView<'a>>,
    /// Facts that are not in the list.
    more: usize,
    dashboard: &'a str,
}

#[derive(Serialize)]
struct FactView<'a> {
    topic: NoticeTopic,
    client: &'a str,
    subject: &'a str,
    why: &'a str,
    since: Option<String>,
    url: &'a str,
}

fn body(message: &Message) -> String {
    let facts = message.listed.iter().map(|line| FactView {
        topic: line.fact.topic,
        client: &line.fact.client,
        subject: &line.fact.subject,
        why: &line.fact.why,
        since: line.fact.since.map(|since| format!("{since:.0}")),
        url: line.url.as_str(),
    });
    let event = Event {
        kind: if message.is_test {
            "vault.test"
        } else {
            "vault.standing"
        },
        timestamp: format!("{:.0}", message.at),
        data: Data {
            organization: &message.organization,
            title: &message.title,
            facts: facts.collect(),
            more: message.more,
            dashboard: message.dashboard.as_str(),
        },
    };
    serde_json::to_string(&event).unwrap_or_default()
}

pub(super) async fn send(
    url: &str,
    secret: &SecretString,
    message: &Message,
) -> Result<(), NoticeError> {
    let body = body(message);
    let signature =
        signature(secret, &message.id, message.at, &body).ok_or(NoticeError::Settings)?;
    let answer = http()?
        .post(url)
        .header("content-type", "application/json")
        .header("webhook-id", &message.id)
        .header("webhook-timestamp", message.at.as_second())
        .header("webhook-signature", signature)
        .body(body)
        .send()
        .await?;
    if answer.status().is_success() {
        return Ok(());
    }
    Err(NoticeError::Refused(format!(
        "the webhook answered {}",
        answer.status()
    )))
}

/// `v1,` and the base64 of the HMAC-SHA256 over id, time and body.
fn signature(secret: &SecretString, id: &str, at: Timestamp, body: &str) -> Option<String> {
    let key = secret.expose_secret().strip_prefix("whsec_")?;
    let key = zeroize::Zeroizing::new(STANDARD.decode(key).ok()?);
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{}.{body}", at.as_second()).as_bytes());
    Some(format!(
        "v1,{}",
        STANDARD.encode(mac.finalize().into_bytes())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: the example that the libraries of Standard Webhooks test themselves with.
    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let at = Timestamp::from_second(1_614_265_330).unwrap();
        let signed = signature(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(
            signed.as_deref(),
            Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        );
    }
}
