//! Passportal's regions, as the configuration writes them; their addresses stand in passportal-client.

use serde::{Deserialize, Serialize};
use url::Url;

/// A region of Passportal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// United States.
    Us,
    /// Canada.
    Ca,
    /// United Kingdom.
    Uk,
    /// Australia.
    Au,
}

impl Region {
    /// The word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Ca => "ca",
            Self::Uk => "uk",
            Self::Au => "au",
        }
    }

    /// Where the region's API begins.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "the table of regions holds valid urls; a test parses each"
    )]
    pub fn base_url(self) -> Url {
        let region = match self {
            Self::Us => passportal_client::Region::UnitedStates,
            Self::Ca => passportal_client::Region::Canada,
            Self::Uk => passportal_client::Region::UnitedKingdom,
            Self::Au => passportal_client::Region::Australia,
        };
        Url::parse(region.base_url()).expect("a valid url")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_has_the_address_of_its_own_word() {
        for (word, region) in [
            ("us", Region::Us),
            ("ca", Region::Ca),
            ("uk", Region::Uk),
            ("au", Region::Au),
        ] {
            let url = region.base_url();
            assert_eq!(url.scheme(), "https");
            assert!(url.host_str().unwrap().starts_with(word), "{url}");
        }
    }
}
