//! Reports, for a person.

use passportal_client::wire::{Failure, Overview, OverviewKind, OverviewQuery, Success};

use super::access::PersonCaller;
use super::answer::{Answer, Results};
use super::reading::{Asked, At};

#[utoipa::path(get, path = "/api/v2/reports/{report}", tag = "reports",
    params(("report" = OverviewKind, Path, description = "Which"),
        ("client" = Option<uuid::Uuid>, Query, description = "Of this client only"),
        ("days" = Option<u32>, Query, description = "Unchanged for this many days: 90 unless given"),
        ("from" = Option<String>, Query, description = "Not before: 30 days ago unless given"),
        ("until" = Option<String>, Query, description = "Before: now unless given")),
    responses((status = 200, body = Success<Overview>), (status = 404, body = Failure),
        (status = 422, body = Failure)))]
pub(super) async fn make(
    caller: PersonCaller,
    At(report): At<OverviewKind>,
    Asked(query): Asked<OverviewQuery>,
) -> Answer<Overview> {
    Ok(Results(caller.vault().overview(report, &query).await?))
}
