//! Microsoft's national clouds and where their sign-in and Graph stand.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::GraphSetupError;

/// One of Microsoft's clouds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// The world-wide one.
    #[default]
    Global,
    /// US Government L4 (GCC High).
    UsGovL4,
    /// US Government L5 (Department of Defense).
    UsGovL5,
    /// China, operated by 21Vianet.
    China,
}

impl Cloud {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Global, Self::UsGovL4, Self::UsGovL5, Self::China];

    /// The name that the configuration uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UsGovL4 => "us-gov-l4",
            Self::UsGovL5 => "us-gov-l5",
            Self::China => "china",
        }
    }

    /// Source: Microsoft Graph, "National cloud deployments" (Graph and token service root endpoints).
    fn roots(self) -> (&'static str, &'static str) {
        match self {
            Self::Global => (
                "https://login.microsoftonline.com",
                "https://graph.microsoft.com",
            ),
            Self::UsGovL4 => (
                "https://login.microsoftonline.us",
                "https://graph.microsoft.us",
            ),
            Self::UsGovL5 => (
                "https://login.microsoftonline.us",
                "https://dod-graph.microsoft.us",
            ),
            Self::China => (
                "https://login.chinacloudapi.cn",
                "https://microsoftgraph.chinacloudapi.cn",
            ),
        }
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of the clouds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no cloud; there are global, us-gov-l4, us-gov-l5 and china")]
pub struct UnknownCloud(pub String);

impl FromStr for Cloud {
    type Err = UnknownCloud;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|cloud| cloud.name() == name)
            .ok_or_else(|| UnknownCloud(name.to_owned()))
    }
}

/// Where one tenant's sign-in and Graph are reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// The base of the token endpoint, without the tenant.
    pub authority: Url,
    /// The base of Microsoft Graph, without the version.
    pub graph: Url,
    /// What tokens are asked for. It stays the cloud's own when the base is overridden: a proxy or a
    /// simulator speaks for Graph, it does not become another resource.
    pub(crate) resource: &'static str,
}

impl Endpoints {
    /// The cloud's own endpoints.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "constants of this file; a test parses them all"
    )]
    pub fn of(cloud: Cloud) -> Self {
        let (authority, graph) = cloud.roots();
        Self {
            authority: Url::parse(authority).expect("a constant URL"),
            graph: Url::parse(graph).expect("a constant URL"),
            resource: graph,
        }
    }

    /// The same with another sign-in service.
    #[must_use]
    pub fn with_authority(self, authority: Url) -> Self {
        Self { authority, ..self }
    }

    /// The same with another Graph. A trailing `/v1.0` is taken off.
    #[must_use]
    pub fn with_graph(self, mut graph: Url) -> Self {
        let path = graph.path().trim_end_matches('/');
        let base = path.strip_suffix("/v1.0").unwrap_or(path).to_owned();
        graph.set_path(&base);
        Self { graph, ..self }
    }

    /// The scope that stands for "everything this app was granted on Graph".
    pub(crate) fn scope(&self) -> String {
        format!("{}/.default", self.resource)
    }

    /// Both bases as they must be: https beyond loopback, and nothing but a host and a path.
    pub(crate) fn checked(&self) -> Result<Self, GraphSetupError> {
        for url in [&self.authority, &self.graph] {
            check_base(url)?;
        }
        Ok(self.clone().with_graph(self.graph.clone()))
    }

    /// Whether nothing leaves this machine, so that a proxy has no business with it.
    pub(crate) fn are_local(&self) -> bool {
        is_loopback(&self.authority) && is_loopback(&self.graph)
    }
}

fn check_base(url: &Url) -> Result<(), GraphSetupError> {
    let plain = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    let guarded = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
    match (plain, guarded) {
        (false, _) => Err(GraphSetupError::NotABase {
            host: url.host_str().unwrap_or_default().to_owned(),
        }),
        (_, false) => Err(GraphSetupError::NotHttps { url: url.clone() }),
        (true, true) => Ok(()),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn every_cloud_has_endpoints_and_a_name_that_reads_back() {
        for cloud in Cloud::ALL {
            assert_eq!(cloud.name().parse(), Ok(cloud));
            assert!(Endpoints::of(cloud).checked().is_ok());
        }
        assert_eq!(
            "mars".parse::<Cloud>(),
            Err(UnknownCloud("mars".to_owned()))
        );
    }

    /// Cloud by cloud, as Microsoft documents them: sign-in and Graph.
    /// Source: Microsoft Graph, "National cloud deployments", both tables of service root endpoints.
    const DOCUMENTED: [(Cloud, &str, &str); 4] = [
        (
            Cloud::Global,
            "https://login.microsoftonline.com",
            "https://graph.microsoft.com",
        ),
        (
            Cloud::UsGovL4,
            "https://login.microsoftonline.us",
            "https://graph.microsoft.us",
        ),
        (
            Cloud::UsGovL5,
            "https://login.microsoftonline.us",
            "https://dod-graph.microsoft.us",
        ),
        (
            Cloud::China,
            "https://login.chinacloudapi.cn",
            "https://microsoftgraph.chinacloudapi.cn",
        ),
    ];

    #[test]
    fn every_address_that_is_used_is_the_documented_one_of_its_cloud() {
        for (cloud, login, graph) in DOCUMENTED {
            let endpoints = Endpoints::of(cloud).checked().unwrap();
            assert_eq!(endpoints.authority, url(login), "{cloud}");
            assert_eq!(endpoints.graph, url(graph), "{cloud}");
            assert_eq!(endpoints.scope(), format!("{graph}/.default"), "{cloud}");
            assert!(!endpoints.are_local(), "{cloud}");
            let mut config = crate::TenantConfig::new(
                sync_engine::model::TenantId("contoso.com".to_owned()),
                "app",
                crate::AppCredential::ClientSecret("secret".into()),
            );
            config.connection.endpoints = endpoints;
            let token = config.connection.oauth_url("token").unwrap();
            assert_eq!(
                token,
                url(&format!("{login}/contoso.com/oauth2/v2.0/token")),
                "{cloud}"
            );
        }
        assert_eq!(DOCUMENTED.map(|(cloud, ..)| cloud), Cloud::ALL);
    }

    #[test]
    fn no_cloud_s_token_is_asked_for_another_s_graph() {
        let hosts: std::collections::BTreeSet<_> = Cloud::ALL
            .map(|cloud| Endpoints::of(cloud).scope())
            .into_iter()
            .collect();
        assert_eq!(hosts.len(), Cloud::ALL.len());
    }

    #[test]
    fn a_graph_override_may_end_with_the_version_and_keeps_the_resource() {
        for given in [
            "http://127.0.0.1:9/graph",
            "http://127.0.0.1:9/graph/v1.0",
            "http://127.0.0.1:9/graph/v1.0/",
        ] {
            let endpoints = Endpoints::of(Cloud::Global).with_graph(url(given));
            assert_eq!(endpoints.graph.as_str(), "http://127.0.0.1:9/graph");
            assert_eq!(endpoints.scope(), "https://graph.microsoft.com/.default");
        }
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        let base = Endpoints::of(Cloud::Global);
        for local in ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1"] {
            assert!(base.clone().with_graph(url(local)).checked().is_ok());
        }
        assert!(matches!(
            base.clone()
                .with_authority(url("http://login.example"))
                .checked(),
            Err(GraphSetupError::NotHttps { .. })
        ));
        assert!(matches!(
            base.with_graph(url("https://a:b@graph.example")).checked(),
            Err(GraphSetupError::NotABase { .. })
        ));
    }
}
