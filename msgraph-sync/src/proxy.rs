//! The proxy between this machine and Microsoft: which one it is, and what it did to a request.

use std::error::Error;
use std::fmt;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{ClientBuilder, NoProxy};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::GraphSetupError;

/// A proxy that everything beyond this machine goes through: HTTP `CONNECT`, or SOCKS 5.
#[derive(Clone)]
pub struct Proxy {
    /// With its user name and password, hence a secret.
    url: SecretString,
    /// `host:port`.
    name: String,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({})", self.name)
    }
}

impl Proxy {
    /// The proxy at this address (`http`, `https`, `socks5`, or `socks5h`, which also looks names up), without a
    /// user.
    ///
    /// # Errors
    /// When it is no address of a proxy.
    pub fn new(address: &Url) -> Result<Self, GraphSetupError> {
        let name = named(address);
        let is_one = matches!(address.scheme(), "http" | "https" | "socks5" | "socks5h")
            && address.has_host()
            && address.username().is_empty()
            && address.password().is_none();
        if !is_one {
            return Err(GraphSetupError::Proxy { proxy: name });
        }
        Ok(Self {
            url: SecretString::from(address.as_str()),
            name,
        })
    }

    /// The same, signed in to as this user.
    ///
    /// # Errors
    /// When the address cannot carry a user.
    pub fn with_user(self, name: &str, password: &SecretString) -> Result<Self, GraphSetupError> {
        let refused = || GraphSetupError::Proxy {
            proxy: self.name.clone(),
        };
        let mut url = Url::parse(self.url.expose_secret()).map_err(|_| refused())?;
        let name = with_plain_percents(name);
        let password = SecretString::from(with_plain_percents(password.expose_secret()));
        url.set_username(&name).map_err(|()| refused())?;
        url.set_password(Some(password.expose_secret()))
            .map_err(|()| refused())?;
        Ok(Self {
            url: SecretString::from(String::from(url)),
            name: self.name,
        })
    }

    /// Its address, with user name and password.
    pub fn address(&self) -> &SecretString {
        &self.url
    }
}

/// `Url` encodes what must not stand in a user or a password, but no percent sign, and whoever reads the address
/// decodes it.
fn with_plain_percents(text: &str) -> String {
    text.replace('%', "%25")
}

fn named(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// The way of requests: straight, or through a proxy.
pub(crate) struct Route {
    way: Way,
    /// The same rules as the client's own, to name the proxy that a fault is about.
    rules: Matcher,
}

enum Way {
    Straight,
    AsTheEnvironmentSays,
    Through(Box<reqwest::Proxy>),
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rules would print a proxy's whole authority.
        f.debug_struct("Route").finish_non_exhaustive()
    }
}

impl Route {
    /// Everything is on this machine: no proxy has any business with it.
    pub(crate) fn straight() -> Self {
        Self {
            way: Way::Straight,
            rules: Matcher::builder().build(),
        }
    }

    /// As `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    pub(crate) fn of_environment() -> Self {
        Self {
            way: Way::AsTheEnvironmentSays,
            rules: Matcher::from_system(),
        }
    }

    /// Through a proxy, except to what `except` lists in the form of `NO_PROXY`.
    ///
    /// # Errors
    /// When it is no address of a proxy.
    pub(crate) fn through(proxy: &Proxy, except: &str) -> Result<Self, GraphSetupError> {
        let url = proxy.url.expose_secret();
        let all = reqwest::Proxy::all(url).map_err(|_| GraphSetupError::Proxy {
            proxy: proxy.name.clone(),
        })?;
        let all = all.no_proxy(NoProxy::from_string(except));
        Ok(Self {
            way: Way::Through(Box::new(all)),
            rules: Matcher::builder().all(url).no(except).build(),
        })
    }

    pub(crate) fn lay(&self, client: ClientBuilder) -> ClientBuilder {
        match &self.way {
            Way::Straight => client.no_proxy(),
            Way::AsTheEnvironmentSays => client,
            Way::Through(proxy) => client.no_proxy().proxy(proxy.as_ref().clone()),
        }
    }

    /// The proxy on the way to this address, as `host:port`.
    pub(crate) fn proxy_before(&self, url: &Url) -> Option<String> {
        let to = url.as_str().parse().ok()?;
        let proxy = self.rules.intercept(&to)?;
        let host = proxy.uri().host()?;
        // Not the whole authority: of a password with an unencoded `@` a part would stand in it.
        Some(match proxy.uri().port_u16() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        })
    }
}

/// What a proxy did to a connection that did not come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyTrouble {
    /// It could not be reached itself.
    NotReached,
    /// It wants a user name and password, or others.
    SignIn,
    /// It lets nobody through to there, or could not get through itself.
    Refused,
}

/// Texts of the client's own errors. There is no other way to tell them apart; a test for each holds them.
const TELLING: [(&str, ProxyTrouble); 14] = [
    ("proxy authorization required", ProxyTrouble::SignIn),
    ("user/pass authentication", ProxyTrouble::SignIn),
    ("credentials not accepted", ProxyTrouble::SignIn),
    ("underlying connection", ProxyTrouble::NotReached),
    (
        "tunnel error: unexpected end of file",
        ProxyTrouble::Refused,
    ),
    ("tunnel error: unsuccessful", ProxyTrouble::Refused),
    ("tunnel error: io error", ProxyTrouble::Refused),
    ("SOCKS error: io error", ProxyTrouble::Refused),
    ("SOCKS error: failed parsing", ProxyTrouble::Refused),
    ("SOCKS error: general server failure", ProxyTrouble::Refused),
    ("SOCKS error: connection not allowed", ProxyTrouble::Refused),
    ("SOCKS error: network unreachable", ProxyTrouble::Refused),
    ("SOCKS error: host unreachable", ProxyTrouble::Refused),
    ("SOCKS error: connection refused", ProxyTrouble::Refused),
];

impl ProxyTrouble {
    /// What a proxy did, by the fault of a connection through it; none when it let the connection through.
    pub(crate) fn of(fault: &reqwest::Error) -> Option<Self> {
        let mut cause: Option<&(dyn Error + 'static)> = Some(fault);
        while let Some(error) = cause {
            let text = error.to_string();
            let told = TELLING
                .iter()
                .find(|(beginning, _)| text.contains(beginning));
            if let Some((_, trouble)) = told {
                return Some(*trouble);
            }
            cause = error.source();
        }
        // Which of the steps took too long is not told; the proxy is the first.
        fault.is_timeout().then_some(Self::NotReached)
    }
}

impl fmt::Display for ProxyTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotReached => "cannot be reached",
            Self::SignIn => "wants a user name and password, or others than it was given",
            Self::Refused => "does not let the connection through",
        })
    }
}

#[cfg(test)]
mod tests;
