//! Passportal's data centres.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where an organization's Passportal lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Region {
    /// United States (`us`).
    #[serde(rename = "us")]
    UnitedStates,
    /// Canada (`ca`).
    #[serde(rename = "ca")]
    Canada,
    /// United Kingdom (`uk`).
    #[serde(rename = "uk")]
    UnitedKingdom,
    /// Australia (`au`).
    #[serde(rename = "au")]
    Australia,
}

impl Region {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::UnitedStates,
        Self::Canada,
        Self::UnitedKingdom,
        Self::Australia,
    ];

    /// The region's address. Source: Passportal user guide, "Regional URLs".
    pub fn base_url(self) -> &'static str {
        match self {
            Self::UnitedStates => "https://us-clover.passportalmsp.com/",
            Self::Canada => "https://ca-clover.passportalmsp.com/",
            Self::UnitedKingdom => "https://uk-clover.passportalmsp.com/",
            Self::Australia => "https://au-clover.passportalmsp.com/",
        }
    }

    /// The region as people know it.
    pub fn label(self) -> &'static str {
        match self {
            Self::UnitedStates => "United States",
            Self::Canada => "Canada",
            Self::UnitedKingdom => "United Kingdom",
            Self::Australia => "Australia",
        }
    }

    /// The region as configuration writes it.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnitedStates => "us",
            Self::Canada => "ca",
            Self::UnitedKingdom => "uk",
            Self::Australia => "au",
        }
    }
}

impl FromStr for Region {
    type Err = UnknownRegion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|region| region.code().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownRegion(text.to_owned()))
    }
}

/// Not one of Passportal's regions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a region: us, ca, uk or au")]
pub struct UnknownRegion(pub String);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HttpConfig;

    #[test]
    fn every_region_is_found_by_its_code_and_has_an_address() {
        for region in Region::ALL {
            assert_eq!(region.code().parse(), Ok(region));
            assert_eq!(serde_json::json!(region), region.code());
            assert!(HttpConfig::new(region.base_url()).is_ok());
        }
        assert_eq!("mars".parse::<Region>(), Err(UnknownRegion("mars".into())));
    }
}
