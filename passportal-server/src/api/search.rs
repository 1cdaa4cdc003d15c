//! Search, for a person.

use passportal_client::wire::{Failure, FoundCredential, SearchQuery, Success};

use super::access::PersonCaller;
use super::answer::{Answer, Results};
use super::reading::Asked;
use crate::vault::Part;

const PER_PAGE: u32 = 50;
const PER_PAGE_MOST: u32 = 1000;

#[utoipa::path(get, path = "/api/v2/vault/search", tag = "vault", params(SearchQuery),
    responses((status = 200, description = "A page shorter than asked for is the last one",
        body = Success<Vec<FoundCredential>>), (status = 401, body = Failure)))]
pub(super) async fn search(
    caller: PersonCaller,
    Asked(asked): Asked<SearchQuery>,
) -> Answer<Vec<FoundCredential>> {
    let most = asked.results_per_page.unwrap_or(PER_PAGE);
    let most = u64::from(most.clamp(1, PER_PAGE_MOST));
    let page = u64::from(asked.page_num.unwrap_or(1).max(1));
    let part = Part {
        after: (page - 1) * most,
        most,
    };
    Ok(Results(caller.vault().search(&asked.q, part).await?))
}
