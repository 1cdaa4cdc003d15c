//! Who may write for a client: one agent at a time.

use jiff::{SignedDuration, Timestamp};
use passportal_client::wire::{AgentState, Heartbeat, LeaseState};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{VaultError, agents, words};

/// How long a lease lasts without a heartbeat.
pub(super) const LASTS: SignedDuration = SignedDuration::from_secs(120);

/// The longest write that an agent can make its successor wait for.
const WRITE_TIMEOUT_MOST: u32 = 3600;

/// One of the processes that hold an agent's token. A copy of an agent's files is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    agent: Uuid,
    /// None for an agent that does not tell, and once the lease was given back.
    instance: Option<Uuid>,
}

impl Holder {
    pub(super) fn process(agent: Uuid, instance: Uuid) -> Self {
        Self {
            agent,
            instance: Some(instance),
        }
    }

    pub(super) fn agent(&self) -> Uuid {
        self.agent
    }
}

/// A lease as it rests.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lease {
    holder: Holder,
    /// The holder's host name; none where an earlier program wrote the lease.
    host: Option<String>,
    until: Timestamp,
    /// Before this, a write of the predecessor may still be under way.
    writes_from: Timestamp,
    write_timeout: SignedDuration,
}

impl Lease {
    /// Whether a process of this agent gave it back: it had finished its writes.
    fn was_given_back_by(&self, agent: Uuid, now: Timestamp) -> bool {
        self.holder.agent == agent && self.holder.instance.is_none() && self.until <= now
    }
}

/// Who asks for a lease, and with which words about itself.
struct Asker<'a> {
    holder: Holder,
    host: &'a str,
    write_timeout: SignedDuration,
}

/// What a heartbeat comes to.
#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Grant(Lease),
    Refuse(Lease),
}

/// Decides about the lease when somebody asks at `now`.
fn decide(before: Option<&Lease>, asker: Asker<'_>, now: Timestamp) -> Decision {
    let writes_from = match before {
        Some(lease) if lease.holder == asker.holder => lease.writes_from,
        Some(lease) if lease.was_given_back_by(asker.holder.agent, now) => lease.writes_from,
        Some(lease) if lease.until > now => return Decision::Refuse(lease.clone()),
        Some(lease) => lease.writes_from.max(lease.until + lease.write_timeout),
        None => now,
    };
    Decision::Grant(Lease {
        holder: asker.holder,
        host: Some(asker.host.to_owned()),
        until: now + LASTS,
        writes_from,
        write_timeout: asker.write_timeout,
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
    let holder = Holder {
        agent,
        instance: heartbeat.instance,
    };
    let before = read(transaction, client).await?;
    if heartbeat.state == AgentState::Stopping {
        // A copy that stands by frees nothing when it ends.
        if before.is_some_and(|lease| lease.holder == holder) {
            release(transaction, agent, now).await?;
        }
        return Ok(LeaseState::Granted {
            remaining_ms: 0,
            writes_after_ms: 0,
        });
    }
    let seconds = heartbeat.write_timeout_seconds.min(WRITE_TIMEOUT_MOST);
    let asker = Asker {
        holder,
        host: &heartbeat.host,
        write_timeout: SignedDuration::from_secs(seconds.into()),
    };
    match decide(before.as_ref(), asker, now) {
        Decision::Grant(lease) => {
            write(transaction, client, &lease).await?;
            Ok(LeaseState::Granted {
                remaining_ms: milliseconds(now, lease.until),
                writes_after_ms: milliseconds(now, lease.writes_from),
            })
        }
        Decision::Refuse(lease) => refusal(transaction, agent, lease, now).await,
    }
}

async fn refusal(
    transaction: &mut SqliteConnection,
    agent: Uuid,
    lease: Lease,
    now: Timestamp,
) -> Result<LeaseState, VaultError> {
    if lease.holder.agent == agent {
        tracing::warn!(
            agent.id = %agent,
            "two processes use the token of agent {agent}: enrol the copy as an agent of its own"
        );
    }
    let holder = match lease.host {
        Some(host) => host,
        None => agents::host(transaction, lease.holder.agent).await?,
    };
    Ok(LeaseState::Elsewhere {
        holder,
        remaining_ms: milliseconds(now, lease.until),
    })
}

/// Refuses a process that never had the lease, or that another one has taken it over from.
pub(super) async fn require_leader(
    transaction: &mut SqliteConnection,
    agent: Uuid,
    instance: Option<Uuid>,
    client: Uuid,
) -> Result<(), VaultError> {
    let asks = Holder { agent, instance };
    match read(transaction, client).await? {
        // Also when it has run out: nobody else can have led since.
        Some(lease) if lease.holder == asks => Ok(()),
        _ => Err(VaultError::Conflict(
            "this agent does not hold its client's lease".to_owned(),
        )),
    }
}

/// Refuses a process while another one holds the lease.
pub(super) async fn refuse_while_led_by_another(
    transaction: &mut SqliteConnection,
    agent: Uuid,
    instance: Option<Uuid>,
    client: Uuid,
) -> Result<(), VaultError> {
    let asks = Holder { agent, instance };
    match read(transaction, client).await? {
        Some(lease) if lease.holder != asks && lease.until > Timestamp::now() => Err(
            VaultError::Conflict("another agent leads this client".to_owned()),
        ),
        _ => Ok(()),
    }
}

/// Whether this process may act for the client now.
pub(super) async fn is_held_by(
    transaction: &mut SqliteConnection,
    holder: &Holder,
    client: Uuid,
    now: Timestamp,
) -> Result<bool, VaultError> {
    let lease = read(transaction, client).await?;
    Ok(lease.is_some_and(|lease| lease.holder == *holder && lease.until > now))
}

/// Ends an agent's lease at once. Its successor still waits for a write that may be under way.
pub(super) async fn release(
    transaction: &mut SqliteConnection,
    agent: Uuid,
    now: Timestamp,
) -> Result<(), VaultError> {
    sqlx::query("UPDATE leases SET until = ?1, instance = NULL WHERE agent = ?2 AND until > ?1")
        .bind(words::time(now))
        .bind(agent.to_string())
        .execute(transaction)
        .await?;
    Ok(())
}

fn milliseconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_millis()).unwrap_or(0)
}

/// Agent, instance, host, end, first write, write time-out.
type Row = (String, Option<String>, Option<String>, String, String, i64);

async fn read(
    transaction: &mut SqliteConnection,
    client: Uuid,
) -> Result<Option<Lease>, VaultError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT agent, instance, host, until, writes_from, write_timeout_ms FROM leases
         WHERE client = ?",
    )
    .bind(client.to_string())
    .fetch_optional(transaction)
    .await?;
    row.map(
        |(agent, instance, host, until, writes_from, write_timeout_ms)| {
            Ok(Lease {
                holder: Holder {
                    agent: words::id(&agent)?,
                    instance: instance.as_deref().map(words::id).transpose()?,
                },
                host,
                until: words::parse_time(&until)?,
                writes_from: words::parse_time(&writes_from)?,
                write_timeout: SignedDuration::from_millis(write_timeout_ms),
            })
        },
    )
    .transpose()
}

async fn write(
    transaction: &mut SqliteConnection,
    client: Uuid,
    lease: &Lease,
) -> Result<(), VaultError> {
    sqlx::query(
        "INSERT INTO leases (client, agent, instance, host, until, writes_from, write_timeout_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (client) DO UPDATE SET agent = excluded.agent, instance = excluded.instance,
             host = excluded.host, until = excluded.until, writes_from = excluded.writes_from,
             write_timeout_ms = excluded.write_timeout_ms",
    )
    .bind(client.to_string())
    .bind(lease.holder.agent.to_string())
    .bind(lease.holder.instance.map(|instance| instance.to_string()))
    .bind(lease.host.as_deref().map(agents::shortened))
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

    const WRITE: SignedDuration = SignedDuration::from_secs(30);

    fn start() -> Timestamp {
        "2025-01-01T00:00:00Z".parse().unwrap()
    }

    fn holder(agent: u128) -> Holder {
        Holder {
            agent: Uuid::from_u128(agent),
            instance: Some(Uuid::from_u128(100)),
        }
    }

    fn first() -> Holder {
        holder(1)
    }

    fn second() -> Holder {
        holder(2)
    }

    /// The first agent's files on another machine: the same token.
    fn copy_of_first() -> Holder {
        Holder {
            instance: Some(Uuid::from_u128(101)),
            ..first()
        }
    }

    fn ask(
        before: Option<&Lease>,
        holder: Holder,
        write_timeout: SignedDuration,
        now: Timestamp,
    ) -> Decision {
        let asker = Asker {
            holder,
            host: "host",
            write_timeout,
        };
        decide(before, asker, now)
    }

    fn granted(decision: Decision) -> Lease {
        match decision {
            Decision::Grant(lease) => lease,
            Decision::Refuse(_) => panic!("refused"),
        }
    }

    #[test]
    fn the_first_agent_may_write_at_once() {
        let lease = granted(ask(None, first(), WRITE, start()));
        assert_eq!(lease.writes_from, start());
        assert_eq!(lease.until, start() + LASTS);
    }

    #[test]
    fn a_second_agent_waits_while_the_lease_lasts() {
        let lease = granted(ask(None, first(), WRITE, start()));
        let later = start() + SignedDuration::from_secs(119);
        let refused = Decision::Refuse(lease.clone());
        assert_eq!(ask(Some(&lease), second(), WRITE, later), refused);
    }

    #[test]
    fn a_copy_with_the_same_token_waits_like_any_other_agent() {
        let lease = granted(ask(None, first(), WRITE, start()));
        let refused = Decision::Refuse(lease.clone());
        let silent = Holder {
            instance: None,
            ..first()
        };
        for copy in [copy_of_first(), silent] {
            assert_eq!(ask(Some(&lease), copy, WRITE, start()), refused);
        }
        let successor = granted(ask(Some(&lease), copy_of_first(), WRITE, lease.until));
        assert_eq!(successor.writes_from, lease.until + WRITE);
    }

    #[test]
    fn an_agent_that_gave_its_lease_back_goes_on_at_once_as_another_process() {
        let mut lease = granted(ask(None, first(), WRITE, start()));
        lease.until = start();
        lease.holder.instance = None;
        let next = granted(ask(Some(&lease), copy_of_first(), WRITE, start()));
        assert_eq!(next.writes_from, start());
        let other = granted(ask(Some(&lease), second(), WRITE, start()));
        assert_eq!(other.writes_from, start() + WRITE);
    }

    #[test]
    fn a_successor_writes_only_after_the_predecessors_last_write_can_have_ended() {
        let lease = granted(ask(None, first(), WRITE, start()));
        let successor = granted(ask(Some(&lease), second(), WRITE, lease.until));
        assert_eq!(successor.writes_from, lease.until + WRITE);

        let renewed = granted(ask(Some(&successor), second(), WRITE, lease.until));
        assert_eq!(renewed.writes_from, successor.writes_from);
    }

    #[test]
    fn a_short_reign_does_not_shorten_the_wait() {
        let long = SignedDuration::from_secs(600);
        let lease = granted(ask(None, first(), long, start()));
        let mut successor = granted(ask(Some(&lease), second(), WRITE, lease.until));
        successor.until = lease.until;
        let third = granted(ask(Some(&successor), first(), WRITE, lease.until));
        assert_eq!(third.writes_from, lease.until + long);
    }
}
