//! Identifiers that are the same in every run of one scenario.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A GUID derived from names, so that a scenario without ids still has stable ones.
pub(crate) fn derived(kind: &str, tenant: &str, name: &str) -> Uuid {
    let text = format!(
        "entra-sim/{kind}/{}/{}",
        tenant.to_lowercase(),
        name.to_lowercase()
    );
    let digest = Sha256::digest(text.as_bytes());
    let mut bytes = [0_u8; 16];
    for (target, source) in bytes.iter_mut().zip(digest.iter()) {
        *target = *source;
    }
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}
