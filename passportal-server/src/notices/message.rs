//! What a notice says: a title, the facts of each client, and where to look. No secret is ever in it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use passportal_client::wire::NoticeTopic;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::vault::{Fact, News};

/// A notice, before it takes the form of its channel.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// The same for the same facts, so that a receiver knows a second delivery.
    pub(super) id: String,
    pub(super) at: Timestamp,
    pub(super) organization: String,
    pub(super) title: String,
    pub(super) listed: Vec<Line>,
    /// How many more facts there are.
    pub(super) more: usize,
    pub(super) dashboard: Url,
    pub(super) is_test: bool,
}

/// A fact with the address of its page.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) fact: Fact,
    pub(super) url: Url,
}

impl Message {
    pub(super) fn new(organization: &str, dashboard: &Url, news: &News, now: Timestamp) -> Self {
        let listed: Vec<Line> = news
            .listed
            .iter()
            .map(|fact| Line {
                fact: fact.clone(),
                url: page(dashboard, &fact.path),
            })
            .collect();
        Self {
            id: id(&news.names),
            at: now,
            organization: organization.to_owned(),
            title: format!("{organization}: {}", counts(&news.counts)),
            more: news.names.len() - listed.len(),
            listed,
            dashboard: dashboard.clone(),
            is_test: false,
        }
    }

    /// One that a person asked for.
    pub(super) fn test(organization: &str, dashboard: &Url, now: Timestamp) -> Self {
        Self {
            id: id(&[format!("test {now}")]),
            at: now,
            organization: organization.to_owned(),
            title: format!("{organization}: a test from the vault"),
            listed: Vec::new(),
            more: 0,
            dashboard: dashboard.clone(),
            is_test: true,
        }
    }

    /// As plain text.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        if self.is_test {
            text.push_str("This channel works. Notices will arrive here.\n");
        }
        let mut client = None;
        for Line { fact, url } in &self.listed {
            if client != Some(&fact.client) {
                let _ = writeln!(text, "\n{}", fact.client);
                client = Some(&fact.client);
            }
            let _ = writeln!(
                text,
                "  {}: {} ({})\n    {url}",
                fact.topic.label(),
                fact.subject,
                fact.why
            );
        }
        if self.more > 0 {
            let _ = writeln!(text, "\nand {} more", self.more);
        }
        let _ = writeln!(text, "\nDashboard: {}", self.dashboard);
        text
    }
}

/// "2 AD change, 1 Held".
fn counts(of: &BTreeMap<NoticeTopic, usize>) -> String {
    let counted = of
        .iter()
        .map(|(topic, count)| format!("{count} {}", topic.label()));
    counted.collect::<Vec<_>>().join(", ")
}

fn page(dashboard: &Url, path: &str) -> Url {
    let mut url = dashboard.clone();
    url.set_path(path);
    url
}

fn id(names: &[String]) -> String {
    let mut names: Vec<&String> = names.iter().collect();
    names.sort();
    let mut hash = Sha256::new();
    for name in names {
        hash.update(name);
        hash.update([0]);
    }
    let hash = hex::encode(hash.finalize());
    format!("msg_{}", hash.get(..32).unwrap_or(&hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(client: &str, subject: &str, topic: NoticeTopic) -> Fact {
        Fact {
            topic,
            client: client.to_owned(),
            subject: subject.to_owned(),
            why: "wrong password".to_owned(),
            since: None,
            path: "/clients/1".to_owned(),
        }
    }

    fn news() -> News {
        News {
            counts: BTreeMap::from([(NoticeTopic::AdChange, 2), (NoticeTopic::Held, 60)]),
            listed: vec![
                fact("Contoso", "anna@contoso.example", NoticeTopic::AdChange),
                fact("Contoso", "mia@contoso.example", NoticeTopic::AdChange),
                fact("Fabrikam", "rita@fabrikam.example", NoticeTopic::Held),
            ],
            names: (0..62).map(|n| format!("flag {n}")).collect(),
        }
    }

    fn message(dashboard: &str, news: &News) -> Message {
        let now = Timestamp::UNIX_EPOCH;
        Message::new("Northwind", &dashboard.parse().unwrap(), news, now)
    }

    #[test]
    fn the_text_names_each_client_once_and_says_how_many_more_there_are() {
        let message = message("https://vault.example/", &news());
        assert_eq!(message.title, "Northwind: 2 AD change, 60 Held");
        assert_eq!(
            message.text(),
            "\nContoso\n  \
             AD change: anna@contoso.example (wrong password)\n    https://vault.example/clients/1\n  \
             AD change: mia@contoso.example (wrong password)\n    https://vault.example/clients/1\n\
             \nFabrikam\n  \
             Held: rita@fabrikam.example (wrong password)\n    https://vault.example/clients/1\n\
             \nand 59 more\n\nDashboard: https://vault.example/\n"
        );
    }

    #[test]
    fn the_same_facts_have_the_same_id_in_any_order() {
        let mut turned = news();
        turned.names.reverse();
        let dashboard = "https://vault.example/";
        assert_eq!(
            message(dashboard, &news()).id,
            message(dashboard, &turned).id
        );
        turned.names.pop();
        assert_ne!(
            message(dashboard, &news()).id,
            message(dashboard, &turned).id
        );
    }
}
