//! Assertions that are another issuer's token: workload identity federation.

use jiff::Timestamp;
use rsa::PublicKey;
use rsa::pkcs8::DecodePublicKey;

use super::jws::Jws;
use super::{Accepted, check_time};
use crate::entra::refusal::{self, Refusal};
use crate::scenario::{AppSpec, FederatedSpec};

/// Whether this is an RSA key by which tokens can be verified.
pub(crate) fn readable(pem: &str) -> bool {
    PublicKey::from_public_key_pem(pem).is_ok()
}

/// Issuer, subject and audience must be those of one federated credential, to the letter.
pub(super) fn verify(app: &AppSpec, jws: &Jws<'_>, now: Timestamp) -> Result<Accepted, Refusal> {
    let (issuer, subject) = (&jws.claims.iss, &jws.claims.sub);
    let audiences = jws.claims.audiences();
    let trusts = |row, matching: &dyn Fn(&FederatedSpec) -> bool, presented: &str| {
        let found = app.federated.iter().find(|known| matching(known));
        found.ok_or_else(|| Refusal::with(row, &[presented]))
    };
    trusts(
        &refusal::FEDERATED_ISSUER,
        &|known| known.issuer == *issuer,
        issuer,
    )?;
    trusts(
        &refusal::FEDERATED_SUBJECT,
        &|known| known.issuer == *issuer && known.subject == *subject,
        subject,
    )?;
    let credential = trusts(
        &refusal::FEDERATED_AUDIENCE,
        &|known| {
            known.issuer == *issuer
                && known.subject == *subject
                && audiences.contains(&known.audience)
        },
        &audiences.join(", "),
    )?;
    let key = PublicKey::from_public_key_pem(&credential.public_key);
    if !key.is_ok_and(|key| jws.is_signed_by(&key)) {
        return Err(Refusal::of(&refusal::FOREIGN_SIGNATURE));
    }
    check_time(jws, now)?;
    Ok(Accepted { id: None })
}
