//! Pages: links that are followed only where they lead back to the configured Graph.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::GraphError;
use crate::calls::Call;
use crate::session::Session;

/// A link that a page gave, on the same scheme, host and port as the configured Graph.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Link(Url);

impl Link {
    /// # Errors
    /// [`GraphError::ForeignLink`] when it leads elsewhere: our token must not go there.
    pub(crate) fn parse(text: &str, base: &Url) -> Result<Self, GraphError> {
        let foreign = |host: &str| GraphError::ForeignLink {
            host: host.to_owned(),
        };
        let url = Url::parse(text).map_err(|_| foreign("none"))?;
        let is_ours = url.origin() == base.origin() && url.username().is_empty();
        if is_ours && url.password().is_none() {
            Ok(Self(url))
        } else {
            Err(foreign(url.host_str().unwrap_or("none")))
        }
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for Link {
    /// Its query is an opaque token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({})", self.0.path())
    }
}

/// One page of a collection.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Page<T> {
    value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    delta: Option<String>,
}

/// A collection, read to its end.
pub(crate) struct Collection<T> {
    /// The entries of all pages, in order.
    pub(crate) entries: Vec<T>,
    /// Where changes are asked for later; only a delta query gives it.
    pub(crate) delta: Option<Link>,
}

impl Session {
    /// Reads every page.
    pub(crate) async fn read_all<T: DeserializeOwned>(
        &self,
        first: Call<'_>,
    ) -> Result<Collection<T>, GraphError> {
        let of = first.facts();
        let mut page: Page<T> = self.read(&first).await?;
        let mut entries = Vec::new();
        let mut seen = BTreeSet::new();
        loop {
            entries.append(&mut page.value);
            let Some(next) = page.next.take() else { break };
            let link = self.link(&next)?;
            if !seen.insert(next) {
                // A circle would never end.
                return Err(GraphError::NotUnderstood {
                    call: of.name,
                    source: None,
                });
            }
            page = self.read(&Call::Follow { link: &link, of }).await?;
        }
        let delta = page.delta.as_deref().map(|text| self.link(text));
        Ok(Collection {
            entries,
            delta: delta.transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_must_stay_on_scheme_host_and_port() {
        let base = Url::parse("https://graph.example:8443/base").unwrap();
        assert!(Link::parse("https://graph.example:8443/v1.0/users?x=1", &base).is_ok());
        for foreign in [
            "http://graph.example:8443/v1.0/users",
            "https://graph.example/v1.0/users",
            "https://evil.example:8443/v1.0/users",
            "https://graph.example:8443@evil.example/",
            "https://user@graph.example:8443/",
            "/v1.0/users",
            "not a url",
        ] {
            let refused = Link::parse(foreign, &base);
            assert!(
                matches!(refused, Err(GraphError::ForeignLink { .. })),
                "{foreign}"
            );
        }
    }

    #[test]
    fn the_token_in_a_link_is_not_printed() {
        let base = Url::parse("https://graph.example").unwrap();
        let link = Link::parse(
            "https://graph.example/v1.0/users/delta?$deltatoken=abc",
            &base,
        );
        assert!(!format!("{link:?}").contains("abc"));
    }
}
