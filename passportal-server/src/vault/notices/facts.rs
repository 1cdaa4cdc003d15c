//! What stands that a channel has not been told, and the memory of what it has.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use passportal_client::wire::{AgentCondition, NoticeTopic};
use serde::Serialize;
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use crate::vault::person_vault::Reach;
use crate::vault::{Vault, VaultError, agents, words};

/// How long a fact that ended is remembered: one that comes back within that time is not told again.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(1);

/// Facts that a message tells one by one; of the others it tells the number.
const LISTED_MOST: usize = 50;

/// One thing that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Fact {
    pub(crate) topic: NoticeTopic,
    pub(crate) client: String,
    /// The account, the agent's host, or how many changes.
    pub(crate) subject: String,
    pub(crate) why: String,
    pub(crate) since: Option<Timestamp>,
    /// The page about it.
    pub(crate) path: String,
}

/// What a channel has not been told.
#[derive(Clone, Debug, Default)]
pub(crate) struct News {
    /// How many of each topic.
    pub(crate) counts: BTreeMap<NoticeTopic, usize>,
    /// The first of them.
    pub(crate) listed: Vec<Fact>,
    /// The names of all of them.
    pub(crate) names: Vec<String>,
}

impl News {
    fn add(&mut self, name: String, fact: Fact) {
        *self.counts.entry(fact.topic).or_default() += 1;
        if self.listed.len() < LISTED_MOST {
            self.listed.push(fact);
        }
        self.names.push(name);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

impl Vault {
    /// What stands of these topics that a channel has not been told.
    pub(crate) async fn news(
        &self,
        channel: Uuid,
        topics: &[NoticeTopic],
        now: Timestamp,
    ) -> Result<News, VaultError> {
        let mut view = self.database.read().await?;
        let mut news = News::default();
        let rows = sqlx::query(
            "SELECT s.* FROM standing_facts s
             WHERE s.topic IN (SELECT value FROM json_each(?2)) AND NOT EXISTS (
                 SELECT 1 FROM notices_told t WHERE t.channel = ?1 AND t.fact = s.fact)
             ORDER BY s.client_name COLLATE NOCASE, s.topic, s.subject COLLATE NOCASE",
        )
        .bind(channel.to_string())
        .bind(words::to_json(&topics)?)
        .fetch_all(&mut *view)
        .await?;
        for row in rows {
            let fact = Fact {
                topic: words::value(row.try_get("topic")?)?,
                client: one_line(row.try_get("client_name")?),
                subject: one_line(row.try_get("subject")?),
                why: one_line(row.try_get("why")?),
                since: words::parse_optional_time(row.try_get("since")?)?,
                path: row.try_get("path")?,
            };
            news.add(row.try_get("fact")?, fact);
        }
        if topics.contains(&NoticeTopic::Agents) {
            let told = told_of_agents(&mut view, channel).await?;
            for (name, fact) in troubled_agents(&mut view, now).await? {
                if !told.contains(&name) {
                    news.add(name, fact);
                }
            }
        }
        Ok(news)
    }

    /// Writes down that a channel was told.
    pub(crate) async fn note_told(
        &self,
        channel: Uuid,
        news: &News,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let mut transaction = self.database.write().await?;
        sqlx::query(
            "INSERT INTO notices_told (channel, fact) SELECT ?1, value FROM json_each(?2) WHERE TRUE
             ON CONFLICT (channel, fact) DO UPDATE SET ended = NULL",
        )
        .bind(channel.to_string())
        .bind(words::to_json(&news.names)?)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("UPDATE notice_channels SET sent = ?, failure = NULL WHERE id = ?")
            .bind(words::time(now))
            .bind(channel.to_string())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets what ended a while ago, so that it is told again when it comes back.
    pub(crate) async fn forget_what_ended(&self, now: Timestamp) -> Result<(), VaultError> {
        let mut transaction = self.database.write().await?;
        let agents: Vec<String> = troubled_agents(&mut transaction, now)
            .await?
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        sqlx::query(
            "WITH standing AS (SELECT fact FROM standing_facts UNION ALL SELECT value FROM json_each(?2))
             UPDATE notices_told
             SET ended = CASE WHEN fact IN (SELECT fact FROM standing) THEN NULL ELSE ?1 END
             WHERE (ended IS NULL) <> (fact IN (SELECT fact FROM standing))",
        )
        .bind(words::time(now))
        .bind(words::to_json(&agents)?)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("DELETE FROM notices_told WHERE ended < ?")
            .bind(words::time(now - REMEMBERED))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// A name that would begin a line of its own in an e-mail does not.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// The agents that a person should look after, each with the fact's name.
async fn troubled_agents(
    view: &mut SqliteConnection,
    now: Timestamp,
) -> Result<Vec<(String, Fact)>, VaultError> {
    let agents = agents::all(view, None, &Reach::All, now).await?;
    let troubled = agents.into_iter().filter_map(|agent| {
        let word = match agent.seen.condition {
            AgentCondition::Silent => "silent",
            AgentCondition::Failing => "failing",
            AgentCondition::NotSeenYet | AgentCondition::Running | AgentCondition::Stopped => {
                return None;
            }
        };
        let fact = Fact {
            topic: NoticeTopic::Agents,
            client: agent.client_name,
            subject: one_line(&agent.seen.host),
            why: agent.seen.condition.label().to_owned(),
            since: agent.seen.last_seen,
            path: format!("/clients/{}", agent.client),
        };
        Some((format!("agent {} {word}", agent.seen.id), fact))
    });
    Ok(troubled.collect())
}

async fn told_of_agents(
    view: &mut SqliteConnection,
    channel: Uuid,
) -> Result<BTreeSet<String>, VaultError> {
    let told: Vec<(String,)> =
        sqlx::query_as("SELECT fact FROM notices_told WHERE channel = ? AND fact LIKE 'agent %'")
            .bind(channel.to_string())
            .fetch_all(view)
            .await?;
    Ok(told.into_iter().map(|(fact,)| fact).collect())
}
