//! The audit trail, for a person.

use jiff::Timestamp;
use passportal_client::wire::{AuditLine, AuditQuery, AuditVerification, Failure, Success};

use super::access::PersonCaller;
use super::answer::{Answer, Results};
use super::reading::Asked;

#[utoipa::path(get, path = "/api/v2/audit", tag = "audit",
    params(("who" = Option<String>, Query, description = "Any part of it, in any case"),
        ("what" = Option<String>, Query, description = "Any part of it, or the subject as a whole"),
        ("client" = Option<uuid::Uuid>, Query, description = "Of this client only"),
        ("from" = Option<String>, Query, description = "Not before this time"),
        ("until" = Option<String>, Query, description = "Before this time"),
        ("before" = Option<u64>, Query, description = "Only lines with a lower number"),
        ("after" = Option<u64>, Query, description = "Only lines with a higher number, the lowest first"),
        ("limit" = Option<u32>, Query, description = "100 unless given, 1000 at the most")),
    responses((status = 200, description = "The latest first", body = Success<Vec<AuditLine>>),
        (status = 401, body = Failure)))]
pub(super) async fn list(
    caller: PersonCaller,
    Asked(query): Asked<AuditQuery>,
) -> Answer<Vec<AuditLine>> {
    Ok(Results(caller.vault().audit(&query).await?))
}

#[utoipa::path(get, path = "/api/v2/audit/verification", tag = "audit",
    responses((status = 200, description = "What a look at every line finds",
        body = Success<AuditVerification>), (status = 401, body = Failure)))]
pub(super) async fn verify(caller: PersonCaller) -> Answer<AuditVerification> {
    let verified = caller.vault().verify_audit(None).await?;
    Ok(Results(AuditVerification {
        at: Timestamp::now(),
        line: verified.head.line,
        hash: verified.head.hash,
        broken: verified.broken.map(|broken| broken.to_string()),
    }))
}
