//! How things went day by day: standing flags, and how long changes took to reach Entra ID.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use passportal_client::wire::FlagKind;

use super::person_vault::within;
use super::{Act, PersonVault, Vault, VaultError, words};

/// How long the counts of flags are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(400 * 24);

/// A change that took longer waited for something else than the agent: a mode, a person, a machine that was off.
const WITHIN_SECONDS: f64 = 24.0 * 3600.0;

/// A day's standing flags by kind.
pub(crate) type FlagsOfDay = BTreeMap<FlagKind, u64>;

/// How long a day's changes took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Latency {
    pub(crate) changes: usize,
    pub(crate) median_seconds: f64,
    /// 95 of a hundred took no longer.
    pub(crate) p95_seconds: f64,
}

impl Vault {
    /// Counts the flags that stand now for the day that `now` is in (UTC).
    pub(crate) async fn count_flags(&self, now: Timestamp) -> Result<(), VaultError> {
        let day = day(now).to_string();
        let mut transaction = self.database.write().await?;
        sqlx::query("INSERT INTO flag_days (day) VALUES (?) ON CONFLICT (day) DO NOTHING")
            .bind(&day)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO flag_counts (day, client, kind, count)
             SELECT ?1, p.client, f.kind, COUNT(*) FROM flags f
             JOIN credentials p ON p.id = f.credential WHERE TRUE GROUP BY p.client, f.kind
             ON CONFLICT (day, client, kind) DO UPDATE SET count = MAX(count, excluded.count)",
        )
        .bind(&day)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("DELETE FROM flag_days WHERE day < ?")
            .bind(self::day(now - KEPT).to_string())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

impl PersonVault<'_> {
    /// The most flags that stood on each day that was looked at, from `from` on.
    pub(crate) async fn flags_by_day(
        &self,
        from: Date,
    ) -> Result<BTreeMap<Date, FlagsOfDay>, VaultError> {
        let (mut view, reach) = self.read_within(Act::Read).await?;
        let rows: Vec<(String, Option<String>, i64)> = sqlx::query_as(concat!(
            "SELECT d.day, n.kind, COALESCE(SUM(n.count), 0) FROM flag_days d
             LEFT JOIN flag_counts n ON n.day = d.day AND ",
            within!("n.client", "?2"),
            " WHERE d.day >= ?1 GROUP BY d.day, n.kind"
        ))
        .bind(from.to_string())
        .bind(reach.bound())
        .fetch_all(&mut *view)
        .await?;
        let mut days: BTreeMap<Date, FlagsOfDay> = BTreeMap::new();
        for (day, kind, count) in rows {
            let of_day = days.entry(parse_day(&day)?).or_default();
            if let Some(kind) = kind {
                of_day.insert(words::value(&kind)?, words::unsigned(count)?);
            }
        }
        Ok(days)
    }

    /// How long changes took from the vault to Entra ID, by the day on which they arrived, from `from` on. What a person
    /// approved is left out, and what waited longer than a day.
    pub(crate) async fn latency_by_day(
        &self,
        from: Date,
    ) -> Result<BTreeMap<Date, Latency>, VaultError> {
        let (mut view, reach) = self.read_within(Act::MakeReports).await?;
        let rows: Vec<(String, f64)> = sqlx::query_as(concat!(
            "SELECT substr(at, 1, 10), seconds FROM (
                 SELECT h.at AS at, MAX(0, (julianday(h.at) - julianday(COALESCE(v.changed, p.changed))) * 86400.0)
                     AS seconds
                 FROM history h JOIN credentials p ON p.id = h.credential
                 LEFT JOIN password_history v ON v.credential = h.credential AND v.version = h.version
                 WHERE h.outcome = 'pushed' AND h.at >= ?1 AND h.approved_by IS NULL
                     AND (v.version IS NOT NULL OR p.version = h.version) AND ",
            within!("p.client", "?3"),
            ") WHERE seconds <= ?2"
        ))
        .bind(from.to_string())
        .bind(WITHIN_SECONDS)
        .bind(reach.bound())
        .fetch_all(&mut *view)
        .await?;
        let mut days: BTreeMap<Date, Vec<f64>> = BTreeMap::new();
        for (day, seconds) in rows {
            days.entry(parse_day(&day)?).or_default().push(seconds);
        }
        Ok(days
            .into_iter()
            .filter_map(|(day, seconds)| Some((day, latency(seconds)?)))
            .collect())
    }
}

fn day(at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(at).date()
}

fn parse_day(text: &str) -> Result<Date, VaultError> {
    text.parse()
        .map_err(|_| VaultError::Unreadable { what: "a day" })
}

fn latency(mut seconds: Vec<f64>) -> Option<Latency> {
    seconds.sort_by(f64::total_cmp);
    // The nearest rank: the smallest of which that many percent are no larger.
    let rank = |percent: usize| seconds.get((seconds.len() * percent).div_ceil(100).max(1) - 1);
    Some(Latency {
        changes: seconds.len(),
        median_seconds: *rank(50)?,
        p95_seconds: *rank(95)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_95th_percentile_are_by_nearest_rank() {
        let of = |seconds: &[f64]| latency(seconds.to_vec());
        assert_eq!(of(&[]), None);
        let one = of(&[3.0]).unwrap();
        assert_eq!((one.median_seconds, one.p95_seconds), (3.0, 3.0));
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let hundred = of(&hundred).unwrap();
        assert_eq!((hundred.median_seconds, hundred.p95_seconds), (50.0, 95.0));
    }
}
