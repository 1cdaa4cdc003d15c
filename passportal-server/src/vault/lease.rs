//! Who may write for a client: one agent at a time.

use jiff::{SignedDuration, Timestamp};
use passportal_client::wire::{AgentState, Heartbeat, LeaseState};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{VaultError, agents, words};

/// How long a lease lasts without a heartbeat.
const LASTS: SignedDuration = SignedDuration::from_secs(120);

/// The longest write that an agent can make its successor wait for.
const WRITE_TIMEOUT_MOST: u32 = 3600;

/// A lease as it rests.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lease {
    agent: Uuid,
    until: Timestamp,
    /// Before this, a write of the predecessor may still be under way.
    writes_from: Timestamp,
    write_timeout: SignedDuration,
}

/// What a heartbeat comes to.
#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Grant(Lease),
    Refuse { holder: Uuid, until: Timestamp },
}

/// Decides about the lease when `agent` asks at `now`.
fn decide(
    before: Option<&Lease>,
    agent: Uuid,
    write_timeout: SignedDuration,
    now: Timestamp,
) -> Decision {
    let writes_from = match before {
        Some(lease) if lease.agent == agent => lease.writes_from,
        Some(lease) if lease.until > now => {
            return Decision::Refuse {
                holder: lease.agent,
                until: lease.until,
            };
        }
        Some(lease) => lease.writes_from.max(lease.until + lease.write_timeout),
        None => now,
    };
    Decision::Grant(Lease {
        agent,
        until: now + LASTS,
        writes_from,
        write_timeout,
    })
}

/// Grants, renews, refuses or frees a client's lease.
pub(super) async fn ask(
    transaction: &mut SqliteConnection,
    agent: Uuid,
    client: Uuid,
    heartbeat: &Heartbeat,
    now: Timestamp,
) -> Result<LeaseState, VaultError> {
    if heartbeat.state == AgentState::Stopping {
        release(transaction, agent, now).await?;
        return Ok(LeaseState::Granted {
            remaining_ms: 0,
            writes_after_ms: 0,
        });
    }
    let before = read(transaction, client).await?;
    let seconds = heartbeat.write_timeout_seconds.min(WRITE_TIMEOUT_MOST);
    let write_timeout = SignedDuration::from_secs(seconds.into());
    match decide(before.as_ref(), agent, write_timeout, now) {
        Decision::Grant(lease) => {
            write(transaction, client, &lease).await?;
            Ok(LeaseState::Granted {
                remaining_ms: milliseconds(now, lease.until),
                writes_after_ms: milliseconds(now, lease.writes_from),
            })
        }
        Decision::Refuse { holder, until } => Ok(LeaseState::Elsewhere {
            holder: agents::host(transaction, holder).await?,
            remaining_ms: milliseconds(now, until),
        }),
    }
}

/// Ends an agent's lease at once. Its successor still waits for a write that may be under way.
pub(super) async fn release(
    transaction: &mut SqliteConnection,
    agent: Uuid,
    now: Timestamp,
) -> Result<(), VaultError> {
    sqlx::query("UPDATE leases SET until = ?1 WHERE agent = ?2 AND until > ?1")
        .bind(words::time(now))
        .bind(agent.to_string())
        .execute(transaction)
        .await?;
    Ok(())
}

fn milliseconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_millis()).unwrap_or(0)
}

async fn read(
    transaction: &mut SqliteConnection,
    client: Uuid,
) -> Result<Option<Lease>, VaultError> {
    let row: Option<(String, String, String, i64)> = sqlx::query_as(
        "SELECT agent, until, writes_from, write_timeout_ms FROM leases WHERE client = ?",
    )
    .bind(client.to_string())
    .fetch_optional(transaction)
    .await?;
    row.map(|(agent, until, writes_from, write_timeout_ms)| {
        Ok(Lease {
            agent: words::id(&agent)?,
            until: words::parse_time(&until)?,
            writes_from: words::parse_time(&writes_from)?,
            write_timeout: SignedDuration::from_millis(write_timeout_ms),
        })
    })
    .transpose()
}

async fn write(
    transaction: &mut SqliteConnection,
    client: Uuid,
    lease: &Lease,
) -> Result<(), VaultError> {
    sqlx::query(
        "INSERT INTO leases (client, agent, until, writes_from, write_timeout_ms)
         VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (client) DO UPDATE SET agent = excluded.agent, until = excluded.until,
             writes_from = excluded.writes_from, write_timeout_ms = excluded.write_timeout_ms",
    )
    .bind(client.to_string())
    .bind(lease.agent.to_string())
    .bind(words::time(lease.until))
    .bind(words::time(lease.writes_from))
    .bind(i64::try_from(lease.write_timeout.as_millis()).unwrap_or(i64::MAX))
    .execute(transaction)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Uuid = Uuid::from_u128(1);
    const SECOND: Uuid = Uuid::from_u128(2);
    const WRITE: SignedDuration = SignedDuration::from_secs(30);

    fn start() -> Timestamp {
        "2025-01-01T00:00:00Z".parse().unwrap()
    }

    fn granted(decision: Decision) -> Lease {
        match decision {
            Decision::Grant(lease) => lease,
            Decision::Refuse { .. } => panic!("refused"),
        }
    }

    #[test]
    fn the_first_agent_may_write_at_once() {
        let lease = granted(decide(None, FIRST, WRITE, start()));
        assert_eq!(lease.writes_from, start());
        assert_eq!(lease.until, start() + LASTS);
    }

    #[test]
    fn a_second_agent_waits_while_the_lease_lasts() {
        let lease = granted(decide(None, FIRST, WRITE, start()));
        let later = start() + SignedDuration::from_secs(119);
        assert!(matches!(
            decide(Some(&lease), SECOND, WRITE, later),
            Decision::Refuse { holder: FIRST, .. }
        ));
    }

    #[test]
    fn a_successor_writes_only_after_the_predecessors_last_write_can_have_ended() {
        let first = granted(decide(None, FIRST, WRITE, start()));
        let second = granted(decide(Some(&first), SECOND, WRITE, first.until));
        assert_eq!(second.writes_from, first.until + WRITE);

        let renewed = granted(decide(Some(&second), SECOND, WRITE, first.until));
        assert_eq!(renewed.writes_from, second.writes_from);
    }

    #[test]
    fn a_short_reign_does_not_shorten_the_wait() {
        let long = SignedDuration::from_secs(600);
        let first = granted(decide(None, FIRST, long, start()));
        let mut second = granted(decide(Some(&first), SECOND, WRITE, first.until));
        second.until = first.until;
        let third = granted(decide(Some(&second), FIRST, WRITE, first.until));
        assert_eq!(third.writes_from, first.until + long);
    }
}
