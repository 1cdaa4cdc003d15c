//! The tenant's domains, and who checks their passwords.

use serde::Deserialize;
use sync_engine::model::{DomainKind, Domains};

use crate::GraphError;
use crate::calls::Call;
use crate::session::Session;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDomain {
    id: String,
    authentication_type: Option<String>,
    #[serde(default)]
    is_verified: bool,
}

impl Session {
    /// The verified domains, in lower case.
    pub(crate) async fn domains(&self) -> Result<Domains, GraphError> {
        let read = self.read_all::<WireDomain>(Call::Domains).await?;
        let verified = read.entries.into_iter().filter(|d| d.is_verified);
        Ok(verified
            .map(|domain| (domain.id.to_lowercase(), kind(&domain)))
            .collect())
    }
}

/// Only a domain that says so is managed. Anything else may hand the password to another system.
fn kind(domain: &WireDomain) -> DomainKind {
    match domain.authentication_type.as_deref() {
        Some(managed) if managed.eq_ignore_ascii_case("managed") => DomainKind::Managed,
        _ => DomainKind::Federated,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::{method, path, query_param};
    use wiremock::{Mock, ResponseTemplate};

    use super::*;
    use crate::test_tenant::Tenant;

    #[tokio::test]
    async fn verified_domains_of_every_page_are_told_apart() {
        let tenant = Tenant::start().await;
        let next = format!("{}/v1.0/domains?$skiptoken=2", tenant.server.uri());
        Mock::given(method("GET"))
            .and(path("/v1.0/domains"))
            .and(query_param("$skiptoken", "2"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({
                "value": [
                    { "id": "new.example", "authenticationType": "Managed", "isVerified": false },
                    { "id": "odd.example", "isVerified": true },
                ],
            })))
            .with_priority(1)
            .mount(&tenant.server)
            .await;
        Mock::given(method("GET"))
            .and(path("/v1.0/domains"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({
                "value": [
                    { "id": "Contoso.com", "authenticationType": "Managed", "isVerified": true },
                    { "id": "fed.example", "authenticationType": "Federated", "isVerified": true },
                ],
                "@odata.nextLink": next,
            })))
            .mount(&tenant.server)
            .await;
        let domains = tenant.session().domains().await.unwrap();
        let expected = [
            ("contoso.com", DomainKind::Managed),
            ("fed.example", DomainKind::Federated),
            ("odd.example", DomainKind::Federated),
        ];
        assert_eq!(domains, expected.map(|(d, k)| (d.to_owned(), k)).into());
    }
}
