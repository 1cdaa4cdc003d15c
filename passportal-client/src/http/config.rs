//! Where the server is, whom to trust, and how long to wait.

use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder, NoProxy, Proxy, redirect, tls};
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use crate::ApiError;

const USER_AGENT: &str = concat!("passportal-sync/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may take. A long poll's own time is added.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How to reach a server.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    base_url: Url,
    extra_ca: Option<Vec<u8>>,
    proxy: Option<SecretString>,
}

impl HttpConfig {
    /// A server's address; the API's paths are appended to it.
    ///
    /// # Errors
    /// When it is no address of a server, or neither https nor on this machine.
    pub fn new(base_url: &str) -> Result<Self, ApiError> {
        Ok(Self {
            base_url: checked(base_url)?,
            extra_ca: None,
            proxy: None,
        })
    }

    /// Trusts these PEM certificates in addition to the platform's.
    #[must_use]
    pub fn with_extra_ca(mut self, pem: Vec<u8>) -> Self {
        self.extra_ca = Some(pem);
        self
    }

    /// Goes through this proxy beyond this machine, instead of the environment's; except to what `NO_PROXY` lists.
    /// Its address is a URL that may hold a user name and a password.
    #[must_use]
    pub fn with_proxy(mut self, address: SecretString) -> Self {
        self.proxy = Some(address);
        self
    }

    /// The server's address.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// The address of an API path, which is relative (`api/v2/…`).
    pub(super) fn address(&self, path: &str) -> Result<Url, ApiError> {
        self.base_url.join(path).map_err(|_| ApiError::BadUrl {
            url: format!("{}{path}", self.base_url),
        })
    }

    /// Redirects are not followed: they would carry the token to wherever they point.
    pub(super) fn client(&self) -> Result<Client, ApiError> {
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .min_tls_version(tls::Version::TLS_1_2)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(redirect::Policy::none());
        if is_this_machine(&self.base_url) {
            builder = builder.no_proxy();
        } else if let Some(address) = &self.proxy {
            let proxy = Proxy::all(address.expose_secret()).map_err(ApiError::Setup)?;
            builder = builder
                .no_proxy()
                .proxy(proxy.no_proxy(NoProxy::from_env()));
        }
        self.trust(builder)?.build().map_err(ApiError::Setup)
    }

    fn trust(&self, builder: ClientBuilder) -> Result<ClientBuilder, ApiError> {
        let Some(pem) = &self.extra_ca else {
            return Ok(builder);
        };
        let certificates = Certificate::from_pem_bundle(pem)
            .map_err(|error| ApiError::BadCertificate(Some(error)))?;
        // A file of another kind is a bundle of none.
        if certificates.is_empty() {
            return Err(ApiError::BadCertificate(None));
        }
        Ok(certificates
            .into_iter()
            .fold(builder, ClientBuilder::add_root_certificate))
    }
}

fn checked(text: &str) -> Result<Url, ApiError> {
    let bad = || ApiError::BadUrl {
        url: without_user(text),
    };
    let mut url = Url::parse(text.trim()).map_err(|_| bad())?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    match url.scheme() {
        "https" if plain && url.has_host() => {}
        "http" if plain && is_this_machine(&url) => {}
        "http" if plain && url.has_host() => return Err(ApiError::InsecureUrl { url: url.into() }),
        _ => return Err(bad()),
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

/// Somebody may have written a password into the address; it must not come back in an error.
fn without_user(text: &str) -> String {
    match text.split_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => text.to_owned(),
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_this_machine_only_https_is_accepted() {
        for good in [
            "https://vault.example",
            "http://127.0.0.1:8080",
            "http://[::1]:8080/",
            "http://localhost:1",
        ] {
            assert!(HttpConfig::new(good).is_ok(), "{good}");
        }
        for insecure in [
            "http://vault.example",
            "http://10.0.0.1",
            "http://localhost.example",
            "http://127.0.0.1.example",
        ] {
            assert!(
                matches!(HttpConfig::new(insecure), Err(ApiError::InsecureUrl { .. })),
                "{insecure}"
            );
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_a_password() {
        for bad in [
            "",
            "vault.example",
            "ftp://vault.example",
            "https://v.example/?a=b",
        ] {
            assert!(
                matches!(HttpConfig::new(bad), Err(ApiError::BadUrl { .. })),
                "{bad}"
            );
        }
        let error = HttpConfig::new("https://anna:canary-8fa1@vault.example").unwrap_err();
        assert!(!error.to_string().contains("canary"), "{error}");
    }

    #[test]
    fn a_path_prefix_is_kept() {
        let config = HttpConfig::new("https://vault.example/passportal").unwrap();
        assert_eq!(
            config.address("api/v2/agent/changes").unwrap().as_str(),
            "https://vault.example/passportal/api/v2/agent/changes"
        );
    }

    #[test]
    fn a_certificate_authority_that_is_none_is_refused() {
        for none in [
            "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
            "a file of another kind",
            "",
        ] {
            let config = HttpConfig::new("https://vault.example").unwrap();
            let config = config.with_extra_ca(none.as_bytes().to_vec());
            assert!(
                matches!(config.client(), Err(ApiError::BadCertificate(_))),
                "{none}"
            );
        }
    }
}
