//! A card in a channel of Microsoft Teams, by a workflow that posts what it is sent.
//!
//! Source: Microsoft Learn, "Create Incoming Webhooks with Workflows for Microsoft Teams"; Adaptive Cards schema 1.4.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::message::{Line, Message};
use super::{NoticeError, http};

/// Of the facts beyond these it tells the number: a card takes up to 28 KB.
const LINES_MOST: usize = 20;

/// Letters of a name, and of a reason. Twenty lines of nothing but letters of four bytes stay below what a card takes.
const NAME_MOST: usize = 60;
const WHY_MOST: usize = 120;

pub(super) async fn send(address: &SecretString, message: &Message) -> Result<(), NoticeError> {
    let answer = http()?
        .post(address.expose_secret())
        .json(&card(message))
        .send()
        .await?;
    if answer.status().is_success() {
        return Ok(());
    }
    Err(NoticeError::Refused(format!(
        "the workflow answered {}; look at its run history in Power Automate",
        answer.status()
    )))
}

fn card(message: &Message) -> Value {
    let mut body = vec![json!({
        "type": "TextBlock", "text": plain(&message.title, WHY_MOST), "weight": "Bolder", "size": "Medium", "wrap": true,
    })];
    if message.is_test {
        body.push(text("This channel works. Notices will arrive here."));
    }
    let lines = message.listed.iter().take(LINES_MOST);
    body.extend(lines.map(|line| text(&one(line))));
    let more = message.more + message.listed.len().saturating_sub(LINES_MOST);
    if more > 0 {
        body.push(text(&format!("and {more} more")));
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
                "actions": [{ "type": "Action.OpenUrl", "title": "Open the dashboard", "url": message.dashboard }],
            },
        }],
    })
}

fn text(text: &str) -> Value {
    json!({ "type": "TextBlock", "text": text, "wrap": true, "spacing": "Small" })
}

fn one(Line { fact, url }: &Line) -> String {
    format!(
        "**{}** · {}: [{}]({url}) ({})",
        fact.topic.label(),
        plain(&fact.client, NAME_MOST),
        plain(&fact.subject, NAME_MOST),
        plain(&fact.why, WHY_MOST)
    )
}

/// Names are text, not Markdown, and not too long.
fn plain(text: &str, most: usize) -> String {
    let mut plain = String::new();
    for letter in text.chars().take(most) {
        if matches!(
            letter,
            '\\' | '*' | '_' | '[' | ']' | '(' | ')' | '`' | '#' | '<' | '>'
        ) {
            plain.push('\\');
        }
        plain.push(letter);
    }
    if text.chars().nth(most).is_some() {
        plain.push('…');
    }
    plain
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use passportal_client::wire::NoticeTopic;

    use super::*;
    use crate::vault::{Fact, News};

    fn message(count: usize) -> Message {
        let fact = Fact {
            topic: NoticeTopic::Held,
            client: "Contoso [click](https://evil.example)".to_owned(),
            subject: "anna_b@contoso.example".to_owned(),
            why: "\u{1f512}*".repeat(500),
            since: None,
            path: "/clients/1".to_owned(),
        };
        let news = News {
            counts: [(NoticeTopic::Held, count)].into(),
            listed: vec![fact; count.min(50)],
            names: (0..count).map(|n| n.to_string()).collect(),
        };
        let dashboard = "https://vault.example".parse().unwrap();
        Message::new("Northwind", &dashboard, &news, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_card_stays_below_what_teams_takes_and_says_how_many_more_there_are() {
        let card = card(&message(500)).to_string();
        assert!(card.len() < 28 * 1024, "{}", card.len());
        assert!(card.contains("and 480 more"));
    }

    #[test]
    fn a_name_makes_no_link_of_its_own() {
        let card = card(&message(1)).to_string();
        assert!(!card.contains("[click](https"), "{card}");
        assert!(
            card.contains("[anna\\\\_b@contoso.example](https://vault.example/clients/1)"),
            "{card}"
        );
    }
}
