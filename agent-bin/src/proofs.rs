//! Until when a client's proofs of identity are good, as far as this machine knows.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::metrics::Expiries;
use crate::secrets::SecretFiles;
use crate::wiring::ClientAgent;

/// A refresh token that is not used for so long is over, and each use begins it anew.
/// Source: Microsoft identity platform, refresh token lifetime.
const UNUSED: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What one client's proofs are, read anew each time.
pub(crate) fn expiries(
    client: &ClientAgent,
    secrets: SecretFiles,
) -> impl Fn() -> Expiries + Send + Sync + 'static {
    let (id, directory) = (client.id, Arc::clone(&client.directory));
    let acts_for_a_person = client.policy.own_account.is_some();
    move || {
        let last_use = || secrets.administrator_kept_since(id);
        let last_use = acts_for_a_person.then(last_use).flatten();
        Expiries {
            token_issued: secrets.token_kept_since(id),
            certificate: directory.certificate().map(|life| life.not_after),
            administrator: last_use.map(over),
        }
    }
}

fn over(last_use: Timestamp) -> Timestamp {
    last_use.checked_add(UNUSED).unwrap_or(Timestamp::MAX)
}
