//! Searching credentials.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Standing;

/// `GET /api/v2/vault/search`: credentials that have words beginning so in user name, description, type, folder or client name.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct SearchQuery {
    /// Beginnings of words. All have to be there.
    pub q: String,
    /// Credentials on a page (1 to 1000).
    #[serde(
        default,
        rename = "resultsPerPage",
        skip_serializing_if = "Option::is_none"
    )]
    pub results_per_page: Option<u32>,
    /// The page, from 1.
    #[serde(default, rename = "pageNum", skip_serializing_if = "Option::is_none")]
    pub page_num: Option<u32>,
}

/// A credential that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundCredential {
    /// The credential.
    pub id: Uuid,
    /// Its client.
    pub client: Uuid,
    /// The client's name.
    pub client_name: String,
    /// The account that it is for.
    pub user_name: String,
    /// Its type.
    pub credential_type: String,
    /// Its folder; empty where it has none.
    pub folder: String,
    /// What it is.
    pub description: String,
    /// Whether it is in use.
    pub standing: Standing,
}
