//! The part of Passportal's documented API that lists clients.

use axum::extract::State;
use passportal_client::wire::{ClientPageQuery, DocumentsClient, Failure, Success};

use super::access::ProgramCaller;
use super::answer::{Answer, ApiError, Results};
use super::reading::Asked;
use crate::state::AppState;

/// The largest page.
const PAGE_MOST: u32 = 1000;

#[utoipa::path(get, path = "/api/v2/documents/clients", tag = "documents",
    params(("resultsPerPage" = Option<u32>, Query, description = "Clients on a page (1 to 1000); 100 without it"),
        ("pageNum" = Option<u32>, Query, description = "The page, from 1; the first without it")),
    responses((status = 200, body = Success<Vec<DocumentsClient>>),
        (status = 401, body = Failure)))]
pub(super) async fn list_clients(
    State(state): State<AppState>,
    _caller: ProgramCaller,
    Asked(page): Asked<ClientPageQuery>,
) -> Answer<Vec<DocumentsClient>> {
    if !(1..=PAGE_MOST).contains(&page.results_per_page) || page.page_num == 0 {
        return Err(ApiError::invalid(format!(
            "resultsPerPage is 1 to {PAGE_MOST} and pageNum begins at 1"
        )));
    }
    let clients = state
        .vault
        .client_page(page.results_per_page, page.page_num)
        .await?;
    Ok(Results(clients))
}
