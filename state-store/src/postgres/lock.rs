//! The server's side of "one process has the state at a time": an advisory lock of the session that
//! does the writing, and a row that says who wrote last.

use sqlx::PgConnection;

use super::fault::{Failure, code};
use crate::Holder;

/// The lock is of this database and of the agent's state; both numbers are arbitrary and never
/// change. As text they are "pass" and "port".
const TAKE: &str = "SELECT pg_advisory_lock(1885434739, 1886351988)";

const HOLDER: &str = "
    SELECT concat_ws(', ',
        nullif(activity.application_name, ''),
        'connected from ' || host(activity.client_addr),
        'server process ' || activity.pid)
    FROM pg_locks AS lock
    JOIN pg_stat_activity AS activity USING (pid)
    WHERE lock.locktype = 'advisory' AND lock.granted
        AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND lock.classid = 1885434739 AND lock.objid = 1886351988 AND lock.objsubid = 2
    LIMIT 1";

/// The row stays locked until the end of the transaction, so that nobody takes over within it.
const IS_OURS: &str = "
    SELECT agent = $1 AND EXISTS (
        SELECT FROM pg_locks AS lock
        WHERE lock.locktype = 'advisory' AND lock.granted AND lock.pid = pg_backend_pid()
            AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND lock.classid = 1885434739 AND lock.objid = 1886351988 AND lock.objsubid = 2)
    FROM owner FOR SHARE";

/// Whoever left in good order leaves its id to the next.
const BEGIN: &str = "
    INSERT INTO owner (agent) VALUES ($1)
    ON CONFLICT (only_row) DO UPDATE SET has_left = FALSE,
        agent = CASE WHEN owner.has_left THEN owner.agent ELSE excluded.agent END
    RETURNING agent";

const GO_ON: &str = "
    WITH before AS (SELECT agent FROM owner)
    INSERT INTO owner (agent) VALUES ($1)
    ON CONFLICT (only_row) DO UPDATE SET has_left = FALSE, agent = excluded.agent
    RETURNING (SELECT agent FROM before)";

const LEAVE: &str = "UPDATE owner SET has_left = TRUE WHERE agent = $1";

/// `lock_not_available`: the wait took longer than `lock_timeout`.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Takes the lock for this session, or says who has it. It waits a moment for a predecessor whose
/// end the server has not noticed yet.
pub(super) async fn take(connection: &mut PgConnection) -> Result<(), Failure> {
    match sqlx::query(TAKE).execute(&mut *connection).await {
        Ok(_) => Ok(()),
        Err(error) if code(&error).as_deref() == Some(LOCK_NOT_AVAILABLE) => {
            let holder: Option<Option<String>> = sqlx::query_scalar(HOLDER)
                .fetch_optional(connection)
                .await?;
            let holder = holder.flatten().map_or(Holder::Unknown, Holder::Session);
            Err(Failure::InUse(holder))
        }
        Err(error) => Err(error.into()),
    }
}

/// Notes that a process writes from now on; returns the id that it has.
pub(super) async fn begin(connection: &mut PgConnection, new: &str) -> Result<String, Failure> {
    let agent = sqlx::query_scalar(BEGIN)
        .bind(new)
        .fetch_one(connection)
        .await?;
    Ok(agent)
}

/// Notes that nothing of this agent is under way any more.
pub(super) async fn leave(connection: &mut PgConnection, agent: &str) -> Result<(), Failure> {
    sqlx::query(LEAVE).bind(agent).execute(connection).await?;
    Ok(())
}

/// Notes that this agent goes on to write after its session was lost.
pub(super) async fn go_on(connection: &mut PgConnection, agent: &str) -> Result<Before, Failure> {
    let before: Option<String> = sqlx::query_scalar(GO_ON)
        .bind(agent)
        .fetch_one(connection)
        .await?;
    Ok(match before {
        Some(before) if before == agent => Before::Us,
        _ => Before::Others,
    })
}

/// Who wrote last, while the session was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Us,
    Others,
}

/// Insists, within a transaction, that this very session has the lock and nobody took over.
/// A pooler that hands each transaction to another session is found out here.
pub(super) async fn insist(connection: &mut PgConnection, agent: &str) -> Result<(), Failure> {
    let ours: Option<bool> = sqlx::query_scalar(IS_OURS)
        .bind(agent)
        .fetch_optional(connection)
        .await?;
    if ours == Some(true) {
        Ok(())
    } else {
        Err(Failure::NotOurs)
    }
}
